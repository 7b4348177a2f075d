/** What an encoder makes of a recording. Twin of `speech/frames.py`. */

import { rounded, type Matrix, type Matrix32 } from "../matrix";

export interface Frames {
  /** `[T, D]`. */
  readonly embeddings: Matrix32;
  /** Normalised log posteriors of the phone head, `[T, V]`; the blank is label 0. */
  readonly logProbs: Matrix32;
  readonly hopS: number;
  readonly offsetS: number;
}

export function timeS(frames: Frames, i: number): number {
  return frames.offsetS + frames.hopS * i;
}

/** The frame whose centre is nearest to a time. */
export function nearest(frames: Frames, atS: number): number {
  const index = rounded((atS - frames.offsetS) / frames.hopS);
  return Math.min(Math.max(index, 0), frames.embeddings.rows - 1);
}

/** Where frames begin and the last one ends, `[T + 1]`, within the recording. */
export function frameEdgesS(frames: Frames, durationS: number): Float64Array {
  const length = frames.embeddings.rows;
  const edges = new Float64Array(length + 1);
  for (let i = 1; i < length; i++) edges[i] = frames.offsetS + frames.hopS * (i - 0.5);
  edges[length] = durationS;
  return edges.map((edge) => Math.min(Math.max(edge, 0), durationS));
}

/** Log posteriors, `[T, C]`, and what their columns are called. */
export interface Posteriors {
  readonly logProbs: Matrix;
  readonly columns: readonly string[];
}
