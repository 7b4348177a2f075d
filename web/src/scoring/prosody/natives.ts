/** How the natives of an index flow and sing, and a learner among them. Twin of `scoring/prosody/natives.py`. */

import type { MeasureGrade } from "../../assessment";
import { fitted, logQuantile } from "../../indexes/native_margins";
import { known, quantile } from "../../matrix";
import { float32, float64, tensor, type Tensors } from "../../safetensors";
import { warpingDistance, type SentenceType } from "../../speech/prosody/contour";
import type { ProsodyMeasurement } from "../../speech/prosody/measurement";
import { totalS } from "../../speech/prosody/pauses";
import { scoreOf } from "../grading";
import { StressModel } from "./stress";

export const MIN_NATIVES = 20;
const LENGTH_FACTOR = 2;

export interface Measure {
  readonly name: string;
  /** Where a learner is worse than natives. */
  readonly side: "low" | "high" | "both";
  readonly leastScale: number;
  /** Compared with sentences of the same type only. */
  readonly ofItsKind?: boolean;
}

export const FLUENCY_MEASURES: readonly Measure[] = [
  { name: "syllables_per_s", side: "low", leastScale: 0.3 },
  { name: "articulation_rate", side: "both", leastScale: 0.3 },
  { name: "pause_ratio", side: "high", leastScale: 0.05 },
];
export const RHYTHM_MEASURES: readonly Measure[] = [
  { name: "npvi_v", side: "both", leastScale: 5 },
  { name: "percent_v", side: "both", leastScale: 2 },
  { name: "varco_c", side: "both", leastScale: 5 },
];
export const RANGE: Measure = { name: "range_semitones", side: "low", leastScale: 1 };
export const MELODY_MEASURES: readonly Measure[] = [
  RANGE,
  { name: "final_slope", side: "both", leastScale: 5, ofItsKind: true },
];

/** What of one recording is compared. */
export interface ProsodyProfile {
  readonly syllables: number;
  readonly sentence: string;
  readonly measures: Readonly<Record<string, number | null>>;
}

export function profileOf(measured: ProsodyMeasurement): ProsodyProfile {
  const { melody, pauses, rhythm } = measured;
  return {
    syllables: measured.syllables,
    sentence: measured.sentence ?? "",
    measures: {
      syllables_per_s: measured.syllablesPerS,
      articulation_rate: measured.articulationRate,
      pause_ratio: pauses && pauseRatio(pauses),
      npvi_v: rhythm.npvi_v,
      percent_v: rhythm.percent_v,
      varco_c: rhythm.varco_c,
      range_semitones: melody && melody.rangeSemitones,
      final_slope: melody && melody.finalSlope,
    },
  };
}

export function pauseRatio(pauses: NonNullable<ProsodyMeasurement["pauses"]>): number {
  return pauses.speechS > 0 ? totalS(pauses) / pauses.speechS : 0;
}

export interface NativeReading {
  readonly distance: number;
  readonly contour: readonly number[];
  readonly prominentWord: number | null;
}

/** Names that the arrays of the pack number, and the names of the measures' columns. */
export interface NativeTexts {
  readonly measures: readonly string[];
  readonly sentences: readonly string[];
  readonly texts: readonly string[];
}

export class NativeProsody {
  readonly stress: StressModel | null;
  private readonly count: number;
  private readonly syllables: ArrayLike<number>;
  private readonly sentence: ArrayLike<number>;
  private readonly voice: ArrayLike<number>;
  private readonly values: Float64Array;

  constructor(
    private readonly tensors: Tensors,
    private readonly texts: NativeTexts,
  ) {
    const column = (name: string) => tensor(tensors, name).values;
    this.syllables = column("syllables");
    this.count = this.syllables.length;
    this.sentence = column("sentence");
    this.voice = column("voice");
    this.values = float64(tensors, "measures");
    this.stress = tensors.has("stress.weights") ? this.stressModel() : null;
  }

  get available(): boolean {
    return this.count > 0;
  }

  /** Final slopes of the natives' sentences of one type, and of how many speakers they are. */
  endings(sentence: SentenceType): { slopes: number[]; voices: number } {
    const of = this.texts.sentences.indexOf(sentence);
    const slopes = this.column("final_slope");
    const rows = [...slopes.keys()].filter(
      (i) => this.sentence[i] === of && !Number.isNaN(slopes[i]),
    );
    const voices = new Set(rows.map((i) => this.voice[i])).size;
    return { slopes: rows.map((i) => slopes[i]), voices };
  }

  /** The learner's grade; null where it was not measured or too few natives are comparable. */
  grade(measure: Measure, learner: ProsodyProfile): MeasureGrade | null {
    const value = learner.measures[measure.name];
    if (value === null || value === undefined) return null;
    const of = this.texts.sentences.indexOf(learner.sentence);
    const comparable = this.column(measure.name).filter(
      (_, i) =>
        this.syllables[i] >= learner.syllables / LENGTH_FACTOR &&
        this.syllables[i] <= learner.syllables * LENGTH_FACTOR &&
        (!measure.ofItsKind || this.sentence[i] === of),
    );
    const values = known(comparable);
    if (values.length < MIN_NATIVES) return null;
    const below = logShare(values, value, measure.leastScale);
    const opposite = values.map((each) => -each);
    const above = logShare(opposite, -value, measure.leastScale);
    const share =
      measure.side === "both"
        ? Math.min(0, Math.min(below, above) + Math.log(2))
        : measure.side === "low"
          ? below
          : above;
    return {
      measure: measure.name,
      value,
      native_low: quantile(values, 0.05),
      native_median: quantile(values, 0.5),
      native_high: quantile(values, 0.95),
      score: scoreOf(share),
    };
  }

  grades(measures: readonly Measure[], learner: ProsodyProfile): MeasureGrade[] {
    return measures.flatMap((measure) => this.grade(measure, learner) ?? []);
  }

  /** The native reading of the same words whose melody is nearest; null if there is none. */
  nearestReading(contour: readonly number[], words: readonly string[]): NativeReading | null {
    if (!contour.length) return null;
    const text = words.join(" ").toLowerCase();
    const contours = float32(this.tensors, "contours");
    const bounds = tensor(this.tensors, "contours.bounds").values;
    const prominent = tensor(this.tensors, "prominent").values;
    let nearest: NativeReading | null = null;
    this.texts.texts.forEach((other, i) => {
      const own = contours.subarray(bounds[i], bounds[i + 1]);
      if (other !== text || !own.length) return;
      const distance = warpingDistance(contour, own);
      if (nearest && nearest.distance <= distance) return;
      const prominentWord = prominent[i] < 0 ? null : prominent[i];
      nearest = { distance, contour: [...own], prominentWord };
    });
    return nearest;
  }

  /** One measure of all natives. */
  private column(name: string): Float64Array {
    const column = this.texts.measures.indexOf(name);
    const width = this.texts.measures.length;
    return Float64Array.from({ length: this.count }, (_, i) => this.values[i * width + column]);
  }

  private stressModel(): StressModel {
    const [threshold, scale, tail] = float64(this.tensors, "stress.tails");
    const ordered = float32(this.tensors, "stress.ordered");
    return new StressModel(
      float64(this.tensors, "stress.weights"),
      float64(this.tensors, "stress.offsets"),
      { ordered, threshold, scale, tail },
    );
  }
}

/** ln of the share of natives whose value is no larger. */
function logShare(natives: readonly number[], value: number, leastScale: number): number {
  const margins = fitted(natives);
  return logQuantile({ ...margins, scale: Math.max(margins.scale, leastScale) }, value);
}
