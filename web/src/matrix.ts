/** Numbers in rows and columns, one row behind the other. */

export interface Matrix<A extends Float32Array | Float64Array = Float64Array> {
  readonly rows: number;
  readonly columns: number;
  readonly values: A;
}

export type Matrix32 = Matrix<Float32Array>;

export function matrix(rows: number, columns: number, fill = 0): Matrix {
  const values = new Float64Array(rows * columns);
  if (fill !== 0) values.fill(fill);
  return { rows, columns, values };
}

/** One row, a view of the same numbers. */
export function row<A extends Float32Array | Float64Array>(of: Matrix<A>, i: number): A {
  return of.values.subarray(i * of.columns, (i + 1) * of.columns) as A;
}

/** Place of the largest number; of equal ones the first. */
export function argmax(values: ArrayLike<number>, first = 0, past = values.length): number {
  let best = first;
  for (let i = first + 1; i < past; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** Python's `round`: halves go to the even neighbour. */
export function rounded(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** NumPy's linear quantile of numbers without NaN; NaN of none. */
export function quantile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) return NaN;
  const ordered = Float64Array.from(values).sort();
  const place = share * (ordered.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, ordered.length - 1);
  return ordered[low] + (ordered[high] - ordered[low]) * (place - low);
}

/** NumPy's `interp`: a line through rising points, level beyond both ends. */
export function interpolated(
  at: number,
  points: ArrayLike<number>,
  values: (i: number) => number,
): number {
  const last = points.length - 1;
  if (Number.isNaN(at)) return NaN;
  if (at >= points[last]) return values(last);
  if (at < points[0]) return values(0);
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle] <= at) low = middle;
    else high = middle;
  }
  const step = points[low + 1] - points[low];
  return values(low) + ((values(low + 1) - values(low)) * (at - points[low])) / step;
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Standard deviation; `less` is taken off the number of values. */
export function deviation(values: ArrayLike<number>, less = 0): number {
  const middle = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - middle) ** 2;
  return Math.sqrt(sum / (values.length - less));
}

export function known(values: Iterable<number>): number[] {
  return [...values].filter((value) => !Number.isNaN(value));
}
