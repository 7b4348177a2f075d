/** Which syllable of a word bears the stress. Twin of `scoring/prosody/stress.py`. */

import { logQuantile, type NativeMargins } from "../../indexes/native_margins";
import { argmax, deviation, mean } from "../../matrix";
import { CUES, PRIMARY, type Syllable } from "../../speech/prosody/stress";

const POSITIONS = 3;
const LENGTHS = 3;

export class StressModel {
  constructor(
    /** By `CUES`. */
    private readonly weights: ArrayLike<number>,
    /** What a position adds to each cue, a row per position. */
    private readonly offsets: ArrayLike<number>,
    private readonly natives: NativeMargins,
  ) {}

  /** Where the stress of one of `polysyllables` lies, and ln of the share of natives no clearer. */
  observe(word: readonly Syllable[]): { expected: number; observed: number; logShare: number } {
    const cues = relative(word);
    const prominence = cues.map((own, i) => {
      const row = position(word, i) * CUES.length;
      return own.reduce((sum, cue, c) => sum + (cue - this.offsets[row + c]) * this.weights[c], 0);
    });
    const expected = word.findIndex((syllable) => syllable.stress === PRIMARY);
    const others = prominence.filter((_, i) => i !== expected);
    const margin = prominence[expected] - Math.max(...others);
    return { expected, observed: argmax(prominence), logShare: logQuantile(this.natives, margin) };
  }
}

/** The words of several syllables of which one, and no other, bears the main stress. */
export function polysyllables(nuclei: readonly Syllable[]): Syllable[][] {
  const words = new Map<number, Syllable[]>();
  for (const nucleus of nuclei) {
    words.set(nucleus.word, [...(words.get(nucleus.word) ?? []), nucleus]);
  }
  return [...words.values()].filter(
    (word) => word.length > 1 && word.filter(({ stress }) => stress === PRIMARY).length === 1,
  );
}

/** The word that bears the sentence's accent; null where no syllable is voiced. */
export function prominentWord(nuclei: readonly Syllable[]): number | null {
  const voiced = nuclei.filter(({ f0_semitones: f0 }) => !Number.isNaN(f0));
  if (voiced.length < 2) return null;
  const f0 = declined(voiced.map((nucleus) => nucleus.f0_semitones));
  const level = voiced.map((nucleus) => nucleus.emphasis_db);
  const standing = [f0, level].map((values) => {
    const middle = mean(values);
    const spread = Math.max(deviation(values), 1e-9);
    return values.map((value) => (value - middle) / spread);
  });
  return voiced[argmax(voiced.map((_, i) => standing[0][i] + standing[1][i]))].word;
}

/** Values less the line through them. */
function declined(values: readonly number[]): number[] {
  const middle = (values.length - 1) / 2;
  const height = mean(values);
  let power = 0;
  let moment = 0;
  values.forEach((value, i) => {
    power += (i - middle) ** 2;
    moment += (i - middle) * (value - height);
  });
  return values.map((value, i) => value - height - ((i - middle) * moment) / power);
}

/** Place of a syllable in its word as a row of the offsets. */
function position(word: readonly Syllable[], i: number): number {
  const length = Math.min(word.length - 2, LENGTHS - 1);
  return (word[i].finality * POSITIONS + Math.min(i, POSITIONS - 1)) * LENGTHS + length;
}

/** Cues less their mean over the word; what is unvoiced stands at the mean. */
function relative(word: readonly Syllable[]): number[][] {
  const means = CUES.map((cue) => mean(word.map((s) => s[cue]).filter((v) => !Number.isNaN(v))));
  return word.map((syllable) =>
    CUES.map((cue, c) => (Number.isNaN(syllable[cue]) ? 0 : syllable[cue] - means[c])),
  );
}
