/** Best paths over the frames around a joint, for `deviations`: worth by the frame they end at. */

import type { Matrix } from "../matrix";

/** `[T + 1]`. */
export type Paths = Float64Array;

/** Sums of every column over the first 0, 1, … frames of a span, `[P, T + 1]`. */
export function cumulated(similar: Matrix, first: number, past: number): Paths[] {
  return Array.from({ length: similar.columns }, (_, p) => {
    const sums = new Float64Array(past - first + 1);
    for (let t = first; t < past; t++) {
      sums[t - first + 1] = sums[t - first] + similar.values[t * similar.columns + p];
    }
    return sums;
  });
}

/** The empty path: worth 0 before the first frame. */
export function started(length: number): Paths {
  const best = new Float64Array(length).fill(-Infinity);
  best[0] = 0;
  return best;
}

/** Best paths that go on with a class, whose sums are `total`, for `shortest` frames or more. */
export function appended(best: Paths, total: Paths, shortest: number): Paths {
  const longer = new Float64Array(best.length).fill(-Infinity);
  let entered = -Infinity;
  for (let t = 0; t + shortest < best.length; t++) {
    entered = Math.max(entered, best[t] - total[t]);
    longer[t + shortest] = entered + total[t + shortest];
  }
  return longer;
}

export function larger(one: Paths, other: Paths): Paths {
  return one.map((value, t) => Math.max(value, other[t]));
}
