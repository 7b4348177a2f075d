/** Similarity of sounds to phone classes. Twin of `indexes/similarity.py`. */

import { matrix, type Matrix, type Matrix32 } from "../matrix";

/** Exemplars ordered by class: class p holds the rows `bounds[p]` to `bounds[p + 1] - 1`. */
export interface Pool {
  readonly vectors: Matrix32;
  readonly bounds: ArrayLike<number>;
}

/** What is told of every exemplar: its row, and its cosine with each query. */
export type Visit = (row: number, cosines: Float64Array) => void;

/** Exemplars that are compared at once: each number of a query is fetched once for all of them. */
const AT_ONCE = 8;

/** Compare all queries with one class. */
export function visitClass(queries: Matrix32, pool: Pool, phone: number, visit: Visit): void {
  const width = queries.columns;
  const { values } = pool.vectors;
  const asked = Float64Array.from(queries.values);
  const own = new Float64Array(AT_ONCE * width); // side by side, number after number
  const cosines = Array.from({ length: AT_ONCE }, () => new Float64Array(queries.rows));
  const [c0, c1, c2, c3, c4, c5, c6, c7] = cosines;
  const past = pool.bounds[phone + 1];
  for (let row = pool.bounds[phone]; row < past; row += AT_ONCE) {
    const rows = Math.min(AT_ONCE, past - row);
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < width; i++) own[AT_ONCE * i + r] = values[(row + r) * width + i];
    }
    for (let query = 0; query < queries.rows; query++) {
      let from = query * width;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let s4 = 0;
      let s5 = 0;
      let s6 = 0;
      let s7 = 0;
      for (let at = 0; at < own.length; at += AT_ONCE) {
        const value = asked[from++];
        s0 += value * own[at];
        s1 += value * own[at + 1];
        s2 += value * own[at + 2];
        s3 += value * own[at + 3];
        s4 += value * own[at + 4];
        s5 += value * own[at + 5];
        s6 += value * own[at + 6];
        s7 += value * own[at + 7];
      }
      c0[query] = s0;
      c1[query] = s1;
      c2[query] = s2;
      c3[query] = s3;
      c4[query] = s4;
      c5[query] = s5;
      c6[query] = s6;
      c7[query] = s7;
    }
    for (let r = 0; r < rows; r++) visit(row + r, cosines[r]);
  }
}

/** The largest numbers that were offered, largest first; of equal ones the first offered. */
export class Largest {
  readonly values: Float64Array;
  readonly rows: Int32Array;
  size = 0;
  /** What a number has to exceed to be taken. */
  least = -Infinity;

  constructor(private readonly most: number) {
    this.values = new Float64Array(most);
    this.rows = new Int32Array(most);
  }

  offer(value: number, row: number): void {
    if (this.size === this.most && value <= this.least) return;
    let place = this.size < this.most ? this.size++ : this.most - 1;
    while (place > 0 && this.values[place - 1] < value) {
      this.values[place] = this.values[place - 1];
      this.rows[place] = this.rows[place - 1];
      place--;
    }
    this.values[place] = value;
    this.rows[place] = row;
    if (this.size === this.most) this.least = this.values[this.most - 1];
  }

  clear(): void {
    this.size = 0;
    this.least = -Infinity;
  }

  /** NaN of none. */
  mean(): number {
    let sum = 0;
    for (let i = 0; i < this.size; i++) sum += this.values[i];
    return sum / this.size;
  }
}

/** Mean similarity of each query to its `topM` nearest exemplars of every class, `[N, P]`. */
export function classSimilarities(queries: Matrix32, pool: Pool, topM: number): Matrix {
  const classes = pool.bounds.length - 1;
  const found = matrix(queries.rows, classes);
  const best = Array.from({ length: queries.rows }, () => new Largest(topM));
  const least = new Float64Array(queries.rows);
  for (let phone = 0; phone < classes; phone++) {
    for (const each of best) each.clear();
    least.fill(-Infinity);
    visitClass(queries, pool, phone, (row, cosines) => {
      for (let query = 0; query < cosines.length; query++) {
        if (cosines[query] <= least[query]) continue;
        best[query].offer(cosines[query], row);
        least[query] = best[query].least;
      }
    });
    best.forEach((each, query) => (found.values[query * classes + phone] = each.mean()));
  }
  return found;
}

/** Margin of each query at every class, as if each were canonical, `[N, P]`. */
export function allClassMargins(similar: Matrix): Matrix {
  const found = matrix(similar.rows, similar.columns);
  const best = new Largest(2);
  for (let query = 0; query < similar.rows; query++) {
    best.clear();
    const own = query * similar.columns;
    for (let p = 0; p < similar.columns; p++) {
      const value = similar.values[own + p];
      if (!Number.isNaN(value)) best.offer(value, p);
    }
    for (let p = 0; p < similar.columns; p++) {
      const rival = best.values[best.rows[0] === p ? 1 : 0];
      found.values[own + p] = best.size > 1 ? similar.values[own + p] - rival : NaN;
    }
  }
  return found;
}
