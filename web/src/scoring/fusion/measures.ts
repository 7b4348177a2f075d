/** What words and sentences are judged by. Twin of `scoring/fusion/measures.py`. */

import type { Contour, Fluency, Prosody, Reading, WordAssessment } from "../../assessment";
import { deviation, known, mean, quantile } from "../../matrix";
import { LOW_SHARE } from "./features";
import { BEST } from "./phone_model";

const FAULT = 1;
const EVENTS = ["omitted", "repeated", "restart", "extra"];

export type Measures = Record<string, number>;

const RATES = [
  "syllables_per_s",
  "articulation_rate",
  "words_per_minute",
  "npvi_v",
  "percent_v",
  "varco_v",
  "varco_c",
  "rpvi_c",
  "delta_c",
] as const;
const SPANS = ["filled_pauses", "restarts", "repetitions"] as const;
const OF_PAUSES = ["count", "mean_s", "ratio", "long_count", "between_phrases"] as const;

/** How a recording of so many seconds flows, sings and keeps to its text. */
export function flowMeasures(
  fluency: Fluency,
  prosody: Prosody,
  reading: Reading,
  durationS: number,
): Measures {
  const measures: Measures = { duration_s: durationS, read_likelihood: reading.likelihood };
  for (const name of RATES) measures[name] = fluency[name] ?? NaN;
  for (const name of SPANS) {
    measures[name] = fluency[name].length;
    measures[`${name}_s`] = fluency[name].reduce((sum, [start, end]) => sum + end - start, 0);
  }
  for (const name of OF_PAUSES) measures[`pauses_${name}`] = fluency.pauses?.[name] ?? NaN;
  measures.stress_accuracy = prosody.stress_accuracy ?? NaN;
  measures.native_contour_distance = prosody.native_contour_distance_semitones ?? NaN;
  measures.f0_range = prosody.f0?.range_semitones ?? NaN;
  measures.f0_final_slope = prosody.f0?.final_slope_semitones_per_s ?? NaN;
  measures.f0_declination = prosody.f0?.declination_semitones_per_s ?? NaN;
  if (prosody.contour) Object.assign(measures, contourMeasures(prosody.contour));
  for (const { measure, score } of [...fluency.grades, ...prosody.grades]) {
    measures[`grade_${measure}`] = score;
  }
  for (const kind of EVENTS) {
    measures[`read_${kind}`] = reading.events.filter((event) => event.kind === kind).length;
  }
  return measures;
}

/** How far melody and loudness move from first to last voice. */
function contourMeasures(contour: Contour): Measures {
  const numbers = (values: readonly (number | null)[]) => values.map((value) => value ?? NaN);
  const all = numbers(contour.f0_hz);
  const voiced = all.map((_, i) => i).filter((i) => Number.isFinite(all[i]));
  const span = voiced.length ? [voiced[0], voiced[voiced.length - 1] + 1] : [0, all.length];
  const f0 = all.slice(...span);
  const levels = known(numbers(contour.intensity_db).slice(...span));
  const measures: Measures = {};
  if (voiced.length > 1) {
    const median = quantile(known(f0), 0.5);
    const semitones = f0.map((hz) => 12 * Math.log2(hz / median));
    const heard = known(semitones);
    const steps = known(semitones.slice(1).map((next, i) => Math.abs(next - semitones[i])));
    measures.f0_deviation = deviation(heard);
    measures.f0_quartiles = quantile(heard, 0.75) - quantile(heard, 0.25);
    measures.f0_step = mean(steps);
    measures.voiced_share = voiced.length / f0.length;
  }
  if (levels.length > 1) {
    measures.level_deviation = deviation(levels);
    measures.level_range = quantile(levels, 0.95) - quantile(levels, 0.05);
  }
  return measures;
}

/** What the phones of a recording come to, by what each is expected to get. */
export function phoneMeasures(all: ArrayLike<number>, wordOf: readonly number[]): Measures {
  const judged = Array.from(all, (value, i) => [value, wordOf[i]]).filter(
    ([value]) => !Number.isNaN(value),
  );
  if (!judged.length) return {};
  const expected = judged.map(([value]) => value);
  const words = [...new Set(judged.map(([, word]) => word))];
  const means = words.map((word) =>
    mean(judged.filter(([, of]) => of === word).map(([value]) => value)),
  );
  return {
    phones: expected.length,
    words: means.length,
    phone_mean: mean(expected),
    phone_low: quantile(expected, LOW_SHARE),
    phone_least: Math.min(...expected),
    phone_loss: mean(expected.map((value) => (BEST - value) ** 2)),
    phone_faults: mean(expected.map((value) => Number(value < FAULT))),
    word_mean: mean(means),
    word_least: Math.min(...means),
    word_deviation: Math.sqrt(mean(means.map((value) => (value - mean(means)) ** 2))),
  };
}

/** What is known of each word, in the order of `WORD_MEASURES` of the twin. */
export function wordMeasures(
  expected: ArrayLike<number>,
  wordOf: readonly number[],
  words: readonly WordAssessment[],
): number[][] {
  const whole = known(Array.from(expected));
  const low = quantile(whole, LOW_SHARE);
  const byWord = words.map((_, number) =>
    known(Array.from(expected).filter((_, i) => wordOf[i] === number)).sort((a, b) => a - b),
  );
  const means = byWord.map(mean);
  return words.map((word, number) => {
    const own = byWord[number];
    const { start_s, end_s, stress, phones } = word;
    const timed = start_s !== null && end_s !== null && phones.length > 0;
    return [
      means[number],
      own[0] ?? NaN,
      own[1] ?? NaN,
      mean(own.map((value) => (BEST - value) ** 2)),
      phones.length,
      number,
      words.length - 1 - number,
      word.syllables.length,
      stress ? Number(stress.observed === stress.expected) : NaN,
      stress?.score ?? NaN,
      Number(word.omitted),
      mean(whole),
      low,
      means[number - 1] ?? NaN,
      means[number + 1] ?? NaN,
      timed ? (end_s - start_s) / phones.length : NaN,
    ];
  });
}
