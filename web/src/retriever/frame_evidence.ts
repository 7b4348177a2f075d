/** Retrieval frame by frame. Twin of `indexes/frame_evidence.py` and `retriever/frame_retrieval.py`. */

import type { PhoneIndex } from "../indexes/phone_index";
import { allClassMargins, classSimilarities } from "../indexes/similarity";
import { transformed } from "../indexes/transform";
import type { Matrix, Matrix32 } from "../matrix";
import type { Frames } from "../speech/frames";

const TEMPERATURE = 0.1;
const LEAST_WEIGHT = 1e-3;

export interface FrameEvidence {
  readonly logPosterior: Float64Array;
  readonly margin: Float64Array;
}

/** What the frames of N canonical phones resemble; `weights` `[T, N]` say whose each frame is. */
export function frameEvidence(
  index: PhoneIndex,
  frames: Frames,
  weights: Matrix,
  canonical: readonly string[],
): FrameEvidence {
  const asked: number[] = [];
  for (let t = 0; t < weights.rows; t++) {
    const own = weights.values.subarray(t * weights.columns, (t + 1) * weights.columns);
    if (own.some((weight) => weight > LEAST_WEIGHT)) asked.push(t);
  }
  const queries = transformed(index.transform, rowsOf(frames.embeddings, asked));
  const similar = classSimilarities(queries, index.framePool, index.topM);
  const margins = allClassMargins(similar);
  const logPosteriors = softmaxed(similar);
  const codes = canonical.map((phone) => index.classes.indexOf(phone));
  const average = (values: Matrix) =>
    Float64Array.from(codes, (code, n) => {
      if (code < 0) return NaN;
      let total = 0;
      let sum = 0;
      asked.forEach((t, i) => {
        const weight = weights.values[t * weights.columns + n];
        total += weight;
        if (weight > 0) sum += weight * values.values[i * values.columns + code];
      });
      return total > 0 && Number.isFinite(sum) ? sum / total : NaN;
    });
  return { logPosterior: average(logPosteriors), margin: average(margins) };
}

function softmaxed(similar: Matrix): Matrix {
  const { rows, columns } = similar;
  const values = similar.values.map((s) => (Number.isNaN(s) ? -Infinity : s / TEMPERATURE));
  for (let t = 0; t < rows; t++) {
    const own = values.subarray(t * columns, (t + 1) * columns);
    const top = own.reduce((most, value) => Math.max(most, value), -Infinity);
    const total = own.reduce((sum, value) => sum + Math.exp(value - top), 0);
    const level = top + Math.log(total);
    for (let p = 0; p < columns; p++) own[p] -= level;
  }
  return { rows, columns, values };
}

function rowsOf(of: Matrix32, rows: readonly number[]): Matrix32 {
  const values = new Float32Array(rows.length * of.columns);
  rows.forEach((t, i) => {
    values.set(of.values.subarray(t * of.columns, (t + 1) * of.columns), i * of.columns);
  });
  return { rows: rows.length, columns: of.columns, values };
}
