/** One recording read against its text. Twin of `scoring/reading.py`. */

import type { Matrix32 } from "../matrix";
import { quantile, rounded } from "../matrix";
import type { Deviations } from "../retriever/deviations";
import type { AlignedPhone, Alignment } from "../speech/alignment";
import type { Pronunciation } from "../speech/canonical";
import { timeS, type Frames } from "../speech/frames";
import { SAMPLE_RATE } from "../speech/log_mel";
import { retold } from "../speech/reading/alike";
import { readByHead, type HeadReader } from "../speech/reading/head";
import { LOUD_SHARE } from "../speech/reading/omission";
import { SURE, asideS, omittedWords, type Reading } from "../speech/reading/reading";

const TEMPERATURE = 0.1;
const HUSHED = 1e-3;
const ENERGY_WINDOW_S = 0.025;

export class TextReader {
  constructor(
    private readonly reader: HeadReader,
    private readonly deviations: Deviations,
    /** Frames to unit vectors of the index. */
    private readonly vectorsOf: (frames: Frames) => Matrix32,
  ) {}

  /** Read one recording. */
  read(pronunciation: Pronunciation, frames: Frames, samples: Float32Array): Reading {
    const similar = this.deviations.similarities(frames);
    const sounds = this.deviations.logPosteriors(similar, TEMPERATURE);
    const durationS = samples.length / SAMPLE_RATE;
    const loud = speechFrames(samples, frames);
    let read = readByHead(this.reader, pronunciation, frames, durationS, sounds, loud);
    if (asideS(read).length) {
      const vectors = this.vectorsOf(frames);
      const events = retold(read.events, read.alignment, vectors, (t) => timeS(frames, t));
      read = { ...read, events };
    }
    return this.laid(read, pronunciation, frames, samples);
  }

  /** The same, the words that count laid by the head alone, as those of the index are. */
  private laid(
    read: Reading,
    pronunciation: Pronunciation,
    frames: Frames,
    samples: Float32Array,
  ): Reading {
    const omitted = omittedWords(read);
    const kept = pronunciation.words.map((_, i) => i).filter((i) => !omitted.has(i));
    if (read.likelihood < SURE || !kept.length) return read;
    const heard = attended(samples, frames, asideS(read)).frames;
    const words = kept.map((i) => pronunciation.words[i]);
    const durationS = samples.length / SAMPLE_RATE;
    const whole = { ...pronunciation, words };
    const laid = readByHead(this.reader, whole, heard, durationS, null);
    if (omittedWords(laid).size) return read; // no room for them between what was hushed
    const variants = [...read.alignment.variants];
    kept.forEach((i, k) => (variants[i] = laid.alignment.variants[k]));
    return { ...read, alignment: { phones: placed(laid.alignment, kept), variants } };
  }
}

/** Phones of some words of a text, `words` their indices, as phones of the text. */
function placed(alignment: Alignment, words: readonly number[]): AlignedPhone[] {
  return alignment.phones.map((phone) =>
    phone.wordIndex < 0 ? phone : { ...phone, wordIndex: words[phone.wordIndex] },
  );
}

/** A recording without what was said beside the text: hushed, and blank to the phone head. */
export function attended(
  samples: Float32Array,
  frames: Frames,
  aside: readonly (readonly [number, number])[],
): { samples: Float32Array; frames: Frames } {
  if (!aside.length) return { samples, frames };
  const hushed = samples.slice();
  const { columns } = frames.logProbs;
  const values = frames.logProbs.values.slice();
  for (const [startS, endS] of aside) {
    const past = Math.min(rounded(endS * SAMPLE_RATE), hushed.length);
    for (let i = rounded(startS * SAMPLE_RATE); i < past; i++) hushed[i] *= HUSHED;
    for (let t = 0; t < frames.logProbs.rows; t++) {
      if (timeS(frames, t) < startS || timeS(frames, t) >= endS) continue;
      values.fill(Math.log(1e-6), t * columns, (t + 1) * columns);
      values[t * columns] = Math.log1p(-1e-6 * (columns - 1));
    }
  }
  return { samples: hushed, frames: { ...frames, logProbs: { ...frames.logProbs, values } } };
}

/** Which frames are loud enough to be speech. Twin of `speech_frames` of `speech.aligners`. */
function speechFrames(samples: Float32Array, frames: Frames): boolean[] {
  const energy = new Float64Array(samples.length + 1);
  for (let i = 0; i < samples.length; i++) energy[i + 1] = energy[i] + samples[i] * samples[i];
  const half = rounded((ENERGY_WINDOW_S * SAMPLE_RATE) / 2);
  const decibels = Array.from({ length: frames.embeddings.rows }, (_, t) => {
    const centre = rounded(timeS(frames, t) * SAMPLE_RATE);
    const first = Math.min(Math.max(centre - half, 0), samples.length - 1);
    const past = Math.min(Math.max(centre + half, first + 1), samples.length);
    return 10 * Math.log10((energy[past] - energy[first]) / (past - first) + 1e-12);
  });
  const quiet = quantile(decibels, 0.05);
  const loud = quantile(decibels, 0.95);
  return decibels.map((level) => level >= quiet + LOUD_SHARE * (loud - quiet));
}
