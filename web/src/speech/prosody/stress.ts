/** Acoustic correlates of stress, per syllable. Twin of `speech/prosody/stress.py`. */

import { known, mean, quantile } from "../../matrix";
import { durationS, isSilence, type AlignedPhone } from "../alignment";
import type { PhoneInventory } from "../inventory";
import { SAMPLE_RATE } from "../log_mel";
import { Fourier, powerOfTwo } from "./fourier";
import type { Pitch } from "./pitch";

const EMPHASIS_HZ = [500, 4000] as const;
const MIN_DURATION_S = 0.01;
const TINY_ENERGY = 1e-16;

export const PRIMARY = 1;
export const CUES = [
  "log_duration",
  "onset_s",
  "f0_semitones",
  "f0_mean_semitones",
  "movement_semitones",
  "emphasis_db",
  "tilt_db",
  "fullness",
] as const;

export type Cues = Record<(typeof CUES)[number], number>;

/** The nucleus of one syllable; NaN where something was not measured. */
export interface Syllable extends Cues {
  readonly word: number;
  /** 0, 1 or 2; -1 where not known. */
  readonly stress: number;
  /** 0 inside a word, 1 last of its word, 2 last before a silence. */
  readonly finality: number;
}

/** Measure the nuclei of every word, in order; `stress` is that of every phone, silences among them. */
export function measureSyllables(
  samples: Float32Array,
  phones: readonly AlignedPhone[],
  stress: readonly (number | null)[],
  inventory: PhoneInventory,
  pitch: Pitch,
): Syllable[] {
  const isNucleus = (phone: AlignedPhone) => !isSilence(phone) && inventory.isSyllabic(phone.phone);
  const nuclei = phones.map((_, i) => i).filter((i) => isNucleus(phones[i]));
  const energies = nuclei.map((i) => energiesDb(samples, phones[i]));
  const most = Math.max(...energies.map(([, high]) => high));
  const lastOfWord = new Map(nuclei.map((i) => [phones[i].wordIndex, i]));
  return nuclei.map((i, n) => {
    const phone = phones[i];
    const heard = known(pitch.semitones.subarray(...pitch.within(phone.startS, phone.endS)));
    const [low, high] = energies[n];
    return {
      word: phone.wordIndex,
      stress: stress[i] ?? -1,
      finality: lastOfWord.get(phone.wordIndex) === i ? finality(phones, i) : 0,
      log_duration: Math.log(Math.max(durationS(phone), MIN_DURATION_S)),
      onset_s: onsetS(phones, i, isNucleus),
      // a stray frame is no peak
      f0_semitones: quantile(heard, 0.95),
      f0_mean_semitones: mean(heard),
      movement_semitones: heard.length ? heard[heard.length - 1] - heard[0] : NaN,
      emphasis_db: high - most,
      tilt_db: high - low,
      fullness: NaN,
    };
  });
}

/** Energy of a vowel, under a window of Hann, below 500 Hz and from there to 4000 Hz, dB. */
export function energiesDb(
  samples: Float32Array,
  { startS, endS }: { startS: number; endS: number },
): [number, number] {
  const pastS = Math.max(endS, startS + MIN_DURATION_S);
  const first = Math.ceil(startS * SAMPLE_RATE - 0.5);
  const count = Math.floor(pastS * SAMPLE_RATE - 0.5) - first + 1;
  const size = powerOfTwo(count);
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  for (let i = 0; i < count; i++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / count);
    real[i] = (samples[first + i] ?? 0) * window;
  }
  new Fourier(size).transform(real, imaginary);
  const binHz = SAMPLE_RATE / size;
  const energy = (lowHz: number, highHz: number) => {
    let sum = 0;
    for (let k = 0; k <= size / 2; k++) {
      const from = Math.max((k - 0.5) * binHz, lowHz);
      const past = Math.min((k + 0.5) * binHz, highHz);
      if (past > from) sum += (past - from) * 2 * (real[k] ** 2 + imaginary[k] ** 2);
    }
    return 10 * Math.log10(sum / SAMPLE_RATE ** 2 + TINY_ENERGY);
  };
  return [energy(0, EMPHASIS_HZ[0]), energy(...EMPHASIS_HZ)];
}

/** Length of the consonants of the word between the nucleus before and this one. */
function onsetS(
  phones: readonly AlignedPhone[],
  nucleus: number,
  isNucleus: (phone: AlignedPhone) => boolean,
): number {
  let lengthS = 0;
  for (let i = nucleus - 1; i >= 0; i--) {
    if (phones[i].wordIndex !== phones[nucleus].wordIndex || isNucleus(phones[i])) break;
    lengthS += durationS(phones[i]);
  }
  return lengthS;
}

/** Whether the word of its last nucleus ends before a silence (2) or not (1). */
function finality(phones: readonly AlignedPhone[], nucleus: number): number {
  const { wordIndex } = phones[nucleus];
  const after = phones.slice(nucleus).find((phone) => phone.wordIndex !== wordIndex);
  return !after || isSilence(after) ? 2 : 1;
}
