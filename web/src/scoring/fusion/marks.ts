/** The marks that experts would give words and the whole. Twin of `scoring/fusion/marks.py`. */

import type { Fluency, Prosody, Reading, WordAssessment } from "../../assessment";
import { known, mean } from "../../matrix";
import type { JudgeSettings } from "../../pack";
import { float64, type Tensors } from "../../safetensors";
import { flowMeasures, phoneMeasures, wordMeasures, type Measures } from "./measures";
import { Trees } from "./trees";

const HIGHEST = 10;
const STRESS_WRONG = 5;
const RECOGNISABLE = [0.5, 1.5];

/** Marks 0–100. */
export interface Marks {
  readonly accuracy: number;
  readonly fluency: number;
  readonly prosody: number;
  readonly total: number;
  readonly completeness: number;
  readonly words: readonly (number | null)[];
  readonly stress: readonly (number | null)[];
}

/** One mark of a reading from its measures: the mean of trees and a line. */
class SentenceModel {
  private readonly trees: Trees;
  private readonly usual: Float64Array;
  private readonly spread: Float64Array;
  private readonly weights: Float64Array;
  private readonly offset: number;

  constructor(tensors: Tensors, name: string) {
    this.trees = new Trees(tensors, `sentence.${name}`);
    this.usual = float64(tensors, `line.${name}.usual`);
    this.spread = float64(tensors, `line.${name}.spread`);
    this.weights = float64(tensors, `line.${name}.weights`);
    [this.offset] = float64(tensors, `line.${name}.offset`);
  }

  of(measures: readonly number[]): number {
    let line = this.offset;
    measures.forEach((value, i) => {
      if (Number.isNaN(value)) return;
      line += ((value - this.usual[i]) / this.spread[i]) * this.weights[i];
    });
    return Math.min(Math.max((this.trees.of(measures) + line) / 2, 0), HIGHEST);
  }
}

export class MarkModel {
  private readonly total: Trees;
  private readonly stress: Trees;
  private readonly sentences: Readonly<Record<string, SentenceModel>>;

  constructor(
    tensors: Tensors,
    private readonly settings: JudgeSettings,
  ) {
    this.total = new Trees(tensors, "word.total");
    this.stress = new Trees(tensors, "word.stress");
    const names = ["accuracy", "fluency", "prosodic", "total"];
    this.sentences = Object.fromEntries(
      names.map((name) => [name, new SentenceModel(tensors, name)]),
    );
  }

  /** The marks of one reading; `expected` is what experts would give each phone, or NaN. */
  marks(
    expected: Float64Array,
    wordOf: readonly number[],
    words: readonly WordAssessment[],
    fluency: Fluency,
    prosody: Prosody,
    reading: Reading,
    durationS: number,
  ): Marks {
    const flow = flowMeasures(fluency, prosody, reading, durationS);
    const said = expected.map((value, i) => (words[wordOf[i]].omitted ? NaN : value));
    const whole = this.row({ ...flow, ...phoneMeasures(expected, wordOf) });
    const spoken = this.row({ ...flow, ...phoneMeasures(said, wordOf), read_omitted: 0 });
    const byWord = wordMeasures(said, wordOf, words);
    return {
      // how well words were said has nothing to do with those that were not
      accuracy: 10 * this.sentences.accuracy.of(spoken),
      fluency: 10 * this.sentences.fluency.of(whole),
      prosody: 10 * this.sentences.prosodic.of(whole),
      total: 10 * this.sentences.total.of(whole),
      completeness: 100 * completeness(expected, wordOf, words.length),
      words: byWord.map((row) =>
        Number.isNaN(row[0]) ? null : 10 * Math.min(Math.max(this.total.of(row), 0), HIGHEST),
      ),
      stress: byWord.map((row, i) => {
        if (!words[i].stress) return null;
        const share = (this.stress.of(row) - STRESS_WRONG) / (HIGHEST - STRESS_WRONG);
        return 100 * Math.min(Math.max(share, 0), 1);
      }),
    };
  }

  private row(measures: Measures): number[] {
    return this.settings.measures.map((name) => measures[name] ?? NaN);
  }
}

/** Share of the words that were said, 0–1: each as far as it can be recognised. */
function completeness(expected: Float64Array, wordOf: readonly number[], words: number): number {
  const [low, high] = RECOGNISABLE;
  const said = Array.from({ length: words }, (_, word) => {
    const own = known(expected.filter((_, i) => wordOf[i] === word));
    return own.length ? Math.min(Math.max((mean(own) - low) / (high - low), 0), 1) : 1;
  });
  return words ? mean(said) : 1;
}
