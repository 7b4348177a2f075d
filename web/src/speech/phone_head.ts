/** What an encoder's CTC labels say in terms of an inventory. Twin of `speech/phone_head.py`. */

import { matrix, type Matrix, type Matrix32 } from "../matrix";

const MIN_PROBABILITY = 1e-300;

/** As the pack holds it: every label says one column. */
export interface LabelMap {
  readonly columns: readonly string[];
  /** Column of every label, `[V]`. */
  readonly pieces: readonly number[];
  readonly spelling: Readonly<Record<string, readonly number[]>>;
  readonly absent: readonly string[];
}

/** Add up the posteriors of the labels of each column, `[T, C]`. */
export function pool(head: LabelMap, logProbs: Matrix32): Matrix {
  const pooled = matrix(logProbs.rows, head.columns.length);
  for (let t = 0; t < logProbs.rows; t++) {
    const own = pooled.values.subarray(t * pooled.columns, (t + 1) * pooled.columns);
    for (let v = 0; v < logProbs.columns; v++) {
      own[head.pieces[v]] += Math.exp(logProbs.values[t * logProbs.columns + v]);
    }
    for (let c = 0; c < own.length; c++) own[c] = Math.log(Math.max(own[c], MIN_PROBABILITY));
  }
  return pooled;
}

export interface Units {
  /** The columns that say the phones, one after the other, `[M]`. */
  readonly labels: Int32Array;
  /** Phone i is `labels[starts[i]]` to `labels[starts[i + 1] - 1]`, `[N + 1]`. */
  readonly starts: Int32Array;
}

export function units(head: LabelMap, canonical: readonly string[]): Units {
  const labels: number[] = [];
  const starts = [0];
  for (const symbol of canonical) {
    labels.push(...head.spelling[symbol]);
    starts.push(labels.length);
  }
  return { labels: Int32Array.from(labels), starts: Int32Array.from(starts) };
}
