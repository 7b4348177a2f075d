/** What is measured of how one utterance flows and sings. Twin of `speech/prosody/measurement.py`. */

import { quantile } from "../../matrix";
import { isSilence, type AlignedPhone } from "../alignment";
import type { PhoneInventory } from "../inventory";
import { measureMelody, phraseEnds, sentenceType, type Melody, type SentenceType } from "./contour";
import { signalToNoiseDb, trackIntensity, type Intensity, type Span } from "./intensity";
import { MIN_PAUSE_S, findPauses, totalS, type PauseSummary } from "./pauses";
import type { WordSets } from "./phrasing";
import { HOP_S, runs, trackPitch, type Pitch } from "./pitch";
import { measureRhythm, type Rhythm } from "./rhythm";
import { measureSyllables, type Syllable } from "./stress";

export const MIN_SPEECH_S = 0.5;
export const MIN_SYLLABLES = 2;
export const MIN_VOICED_FRAMES = 20;
const MIN_SNR_DB = 5;
const MIN_VOICED_SHARE = 0.2;
const FILLED_MIN_S = 0.2;
const FILLED_MAX_MOVEMENT = 2;
const TOO_LITTLE_SPEECH = "Fluency was not measured: there is too little speech.";

/** A recording, what was laid on it, and what was read. */
export interface Spoken {
  readonly samples: Float32Array;
  /** Silences among them. */
  readonly phones: readonly AlignedPhone[];
  /** Lexical stress of every one of them; null where there is none. */
  readonly stress: readonly (number | null)[];
  /** The words of the text. */
  readonly words: readonly string[];
  /** What was read, with its punctuation; empty where that is not known. */
  readonly text: string;
  /** Words that were not said. */
  readonly omitted: ReadonlySet<number>;
  /** Where something was said that does not belong to the text: that time does not count. */
  readonly beside: readonly Span[];
}

export interface ProsodyMeasurement {
  readonly pitch: Pitch;
  readonly intensity: Intensity;
  readonly syllables: number;
  readonly syllablesPerS: number | null;
  readonly articulationRate: number | null;
  readonly wordsPerMinute: number | null;
  readonly pauses: PauseSummary | null;
  readonly melody: Melody | null;
  readonly reasons: readonly string[];
  readonly pausesBetweenPhrases: number | null;
  readonly filledPauses: readonly Span[];
  readonly rhythm: Rhythm;
  readonly nuclei: readonly Syllable[];
  readonly sentence: SentenceType | null;
}

export function measureProsody(
  spoken: Spoken,
  inventory: PhoneInventory,
  sets: WordSets,
): ProsodyMeasurement {
  const { samples, phones, text, beside } = spoken;
  const pitch = trackPitch(samples);
  const intensity = trackIntensity(samples);
  const said = phones.filter((p) => !isSilence(p) && !spoken.omitted.has(p.wordIndex));
  const vowels = said.filter((phone) => inventory.isSyllabic(phone.phone)).map(spanOf);
  const silences = phones
    .filter((p) => isSilence(p) && !beside.some(([a, b]) => a < p.endS && b > p.startS))
    .map(spanOf);
  const snrDb = signalToNoiseDb(intensity, said.map(spanOf), silences);
  const whole: Span = said.length ? [said[0].startS, said[said.length - 1].endS] : [0, 0];
  const reasons: string[] = [];
  let pauses: PauseSummary | null = null;
  if (whole[1] - whole[0] < MIN_SPEECH_S || vowels.length < MIN_SYLLABLES) {
    reasons.push(TOO_LITTLE_SPEECH);
  } else {
    const found = findPauses(intensity, whole, silences);
    const besideS = beside.map(([a, b]) => Math.max(0, Math.min(b, whole[1]) - Math.max(a, whole[0])));
    pauses = { ...found, speechS: besideS.reduce((left, s) => left - s, found.speechS) };
  }
  const whyNot = noPitchBecause(pitch, vowels, snrDb);
  if (whyNot) reasons.push(`Melody was not measured: ${whyNot}.`);
  const melody = whyNot ? null : measureMelody(pitch, whole[1]);
  const breaks = (pauses?.spans ?? []).map(([start]) => start);
  const words = new Set(said.map((phone) => phone.wordIndex)).size;
  return {
    pitch,
    intensity,
    syllables: vowels.length,
    syllablesPerS: pauses && vowels.length / pauses.speechS,
    articulationRate: pauses && vowels.length / (pauses.speechS - totalS(pauses)),
    wordsPerMinute: pauses && words ? (60 * words) / pauses.speechS : null,
    pauses,
    melody,
    reasons,
    pausesBetweenPhrases: betweenPhrases(spoken, pauses),
    filledPauses: melody ? filledPauses(pitch, silences) : [],
    rhythm: measureRhythm(phones, inventory, breaks),
    nuclei: melody ? measureSyllables(samples, phones, spoken.stress, inventory, pitch) : [],
    sentence: text ? sentenceType(text, sets) : null,
  };
}

function spanOf({ startS, endS }: AlignedPhone): Span {
  return [startS, endS];
}

function noPitchBecause(pitch: Pitch, vowels: readonly Span[], snrDb: number | null): string {
  if (snrDb !== null && snrDb < MIN_SNR_DB) {
    return `the recording is too noisy, about ${snrDb.toFixed(0)} dB above its noise`;
  }
  let frames = 0;
  let voiced = 0;
  for (const vowel of vowels) {
    const [first, past] = pitch.within(...vowel);
    frames += past - first;
    for (let i = first; i < past; i++) voiced += pitch.voiced[i];
  }
  if ((frames ? voiced / frames : 0) < MIN_VOICED_SHARE) {
    return "the voice is whispered, or too faint for its pitch to be heard";
  }
  return pitch.voicedFrames < MIN_VOICED_FRAMES ? "there is too little voiced speech" : "";
}

/** How many pauses follow a word that punctuation follows. */
function betweenPhrases({ phones, text, words }: Spoken, pauses: PauseSummary | null): number | null {
  const ends = text && pauses ? phraseEnds(text, words.length) : new Set<number>();
  if (!pauses || !ends.size) return null;
  const spoken = phones.filter((phone) => !isSilence(phone));
  return pauses.spans.filter(([start, end]) => {
    const before = spoken.filter((phone) => phone.endS <= (start + end) / 2);
    return before.length > 0 && ends.has(before[before.length - 1].wordIndex);
  }).length;
}

/** Voiced stretches on a held pitch where the alignment has no phone. */
function filledPauses(pitch: Pitch, silences: readonly Span[]): Span[] {
  return silences
    .filter(([startS, endS]) => endS - startS >= MIN_PAUSE_S)
    .flatMap(([startS, endS]) => {
      const [first, past] = pitch.within(startS, endS);
      const track = pitch.f0Hz.subarray(first, past);
      return runs(track, (hz) => !Number.isNaN(hz)).flatMap(([a, b]): Span[] => {
        const semitones = track.subarray(a, b).map((hz) => 12 * Math.log2(hz));
        const held = quantile(semitones, 0.9) - quantile(semitones, 0.1);
        if ((b - a) * HOP_S < FILLED_MIN_S || held > FILLED_MAX_MOVEMENT) return [];
        const at = pitch.tS[first + a];
        return [[at, at + (b - a) * HOP_S]];
      });
    });
}
