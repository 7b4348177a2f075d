/** Intonation: range, fall, and the end of a sentence. Twin of `speech/prosody/contour.py`. */

import { interpolated, mean, quantile, rounded } from "../../matrix";
import type { WordSets } from "./phrasing";
import { HOP_S, type Pitch } from "./pitch";

export type SentenceType = "statement" | "yes_no_question" | "wh_question";

export const FINAL_S = 0.3;
const FINAL_REACH_S = 0.6;
const MIN_FINAL_FRAMES = 8;
const MIN_SLOPE_S = 1.0;
const STEP_S = 0.05;
const SMOOTH_FRAMES = 7;

export interface Melody {
  readonly rangeSemitones: number | null;
  readonly declination: number | null;
  readonly finalSlope: number | null;
  /** Semitones about the median every 50 ms from the first voiced frame to the last. */
  readonly stylised: readonly number[];
}

export function measureMelody(pitch: Pitch, endS: number): Melody {
  const voiced = [...pitch.voiced.keys()].filter((i) => pitch.voiced[i]);
  if (!voiced.length) {
    return { rangeSemitones: null, declination: null, finalSlope: null, stylised: [] };
  }
  const tS = voiced.map((i) => pitch.tS[i]);
  const semitones = voiced.map((i) => pitch.semitones[i]);
  const late = tS.map((_, i) => i).filter((i) => tS[i] >= endS - FINAL_REACH_S);
  const final = late.slice(-rounded(FINAL_S / HOP_S));
  const of = (values: readonly number[]) => final.map((i) => values[i]);
  return {
    rangeSemitones: quantile(semitones, 0.95) - quantile(semitones, 0.05),
    declination: tS[tS.length - 1] - tS[0] >= MIN_SLOPE_S ? slope(tS, semitones) : null,
    finalSlope: final.length >= MIN_FINAL_FRAMES ? slope(of(tS), of(semitones)) : null,
    stylised: stylised(tS, semitones),
  };
}

/** What the punctuation and the question words of a text make of its last sentence. */
export function sentenceType(text: string, sets: WordSets): SentenceType {
  if (!/[?？؟]\s*["'»”)]*\s*$/u.test(text)) return "statement";
  const sentences = text.trim().split(/(?<=[.!?…])["'»”)]*\s+/u);
  const last = sentences[sentences.length - 1].toLowerCase();
  const opening = (last.match(/\p{L}+/gu) ?? []).slice(0, 2);
  const words = sets["question-words"] ?? [];
  return opening.some((word) => words.includes(word)) ? "wh_question" : "yes_no_question";
}

/** Mean distance of two stylised contours in semitones along their best warping path. */
export function warpingDistance(one: ArrayLike<number>, other: ArrayLike<number>): number {
  const width = other.length + 1;
  const total = new Float64Array((one.length + 1) * width).fill(Infinity);
  const steps = new Float64Array(total.length);
  total[0] = 0;
  for (let i = 1; i <= one.length; i++) {
    for (let j = 1; j <= other.length; j++) {
      const at = i * width + j;
      let from = at - width - 1;
      for (const next of [at - width, at - 1]) {
        const nearer = total[next] - total[from];
        if (nearer < 0 || (total[next] === total[from] && steps[next] < steps[from])) from = next;
      }
      total[at] = Math.abs(one[i - 1] - other[j - 1]) + total[from];
      steps[at] = steps[from] + 1;
    }
  }
  return total[total.length - 1] / steps[steps.length - 1];
}

/** Words that punctuation follows; empty where the text has another number of words than were read. */
export function phraseEnds(text: string, words: number): Set<number> {
  const tokens = text.split(/\s+/).filter(Boolean);
  const written = tokens.filter((token) => /[\p{L}\p{N}_]/u.test(token));
  if (written.length !== words) return new Set();
  const marked = written.map((_, i) => i);
  const alone = tokens.map((_, i) => i).filter((i) => i > 0 && /^[–—-]+$/u.test(tokens[i]));
  return new Set([
    ...marked.filter((i) => /[.,;:!?…][^\p{L}\p{N}_]*$/u.test(written[i])),
    ...alone.map((i) => i - 1),
  ]);
}

function slope(tS: readonly number[], semitones: readonly number[]): number | null {
  const middle = mean(tS);
  const centred = tS.map((at) => at - middle);
  const power = centred.reduce((sum, at) => sum + at * at, 0);
  return power > 0 ? centred.reduce((sum, at, i) => sum + at * semitones[i], 0) / power : null;
}

function stylised(tS: readonly number[], semitones: readonly number[]): number[] {
  const last = tS[tS.length - 1];
  const points = Math.ceil((last + HOP_S - tS[0]) / HOP_S);
  const drawn = Array.from({ length: points }, (_, i) =>
    interpolated(tS[0] + i * HOP_S, tS, (n) => semitones[n]),
  );
  const half = (SMOOTH_FRAMES - 1) / 2;
  const step = rounded(STEP_S / HOP_S);
  return Array.from({ length: Math.ceil(points / step) }, (_, i) => {
    const around = Array.from({ length: SMOOTH_FRAMES }, (_, k) => {
      const place = i * step + k - half;
      return drawn[Math.min(Math.max(place, 0), points - 1)];
    });
    return quantile(around, 0.5);
  });
}
