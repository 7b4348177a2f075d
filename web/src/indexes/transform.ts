/** Encoder space → search space. Twin of `indexes/transform.py`. */

import type { Matrix32 } from "../matrix";

export interface Transform {
  readonly mean: Float32Array;
  /** `[D, d]`. */
  readonly matrix: Matrix32;
}

/** Map `[N, D]` to unit vectors `[N, d]`. */
export function transformed({ mean, matrix }: Transform, embeddings: Matrix32): Matrix32 {
  const { rows, columns } = embeddings;
  const width = matrix.columns;
  const values = new Float32Array(rows * width);
  const sums = new Float64Array(width);
  for (let n = 0; n < rows; n++) {
    sums.fill(0);
    for (let i = 0; i < columns; i++) {
      const value = embeddings.values[n * columns + i] - mean[i];
      const own = i * width;
      for (let d = 0; d < width; d++) sums[d] += value * matrix.values[own + d];
    }
    let square = 0;
    for (let d = 0; d < width; d++) square += sums[d] * sums[d];
    const norm = Math.max(Math.sqrt(square), 1e-12);
    for (let d = 0; d < width; d++) values[n * width + d] = sums[d] / norm;
  }
  return { rows, columns: width, values };
}
