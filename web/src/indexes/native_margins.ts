/** Where a value stands among natives. Twin of `indexes/native_margins.py`. */

import { interpolated, mean, quantile } from "../matrix";

const TAIL = 0.1;
const FLOOR = -20;
const MARGIN_WEIGHT = 4;
const COMPANY = 0.5;
const LOWEST = -12;

export interface NativeMargins {
  /** Ascending. */
  readonly ordered: ArrayLike<number>;
  readonly threshold: number;
  readonly scale: number;
  readonly tail: number;
}

/** The distribution of natives' values, of which there is one at least. */
export function fitted(values: readonly number[]): NativeMargins {
  const ordered = Float64Array.from(values).sort();
  const threshold = quantile(ordered, TAIL);
  const below = [...ordered].filter((value) => value < threshold).map((v) => threshold - v);
  const scale = Math.max(below.length ? mean(below) : 0, 1e-3);
  return { ordered, threshold, scale, tail: TAIL };
}

/** ln of the share of natives whose value is no larger; NaN where nothing is known. */
export function logQuantile(natives: NativeMargins, value: number): number {
  const { ordered, threshold, scale, tail } = natives;
  const count = ordered.length;
  if (count === 0 || Number.isNaN(value)) return NaN;
  if (value < threshold) {
    return Math.max(Math.log(tail) + (value - threshold) / scale, FLOOR);
  }
  const share = interpolated(value, ordered, (i) => (i + 0.5) / count);
  return Math.max(Math.log(Math.max(share, tail)), FLOOR);
}

/** Evidence in nats that the phones of one recording were said as natives say them. */
export function evidenceSums(
  margins: Float64Array,
  logPosteriors: Float64Array,
): { both: Float64Array; alone: Float64Array } {
  const alone = margins.map((margin) => MARGIN_WEIGHT * margin);
  const both = alone.map((sum, i) => Math.max(logPosteriors[i], LOWEST) + sum);
  const found = both.filter((sum) => !Number.isNaN(sum));
  const company = (COMPANY * found.reduce((sum, one) => sum + one, 0)) / found.length;
  return { both: both.map((sum) => sum + company), alone };
}
