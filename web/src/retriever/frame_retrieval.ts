/** Weights of frames by an alignment. Twin of `span_weights` of `indexes/frame_evidence.py`. */

import { matrix, type Matrix } from "../matrix";
import { nearest, timeS, type Frames } from "../speech/frames";

/** `[T, N]`: 1 inside a phone's span, else 0; at least one frame each. */
export function spanWeights(
  frames: Frames,
  spansS: readonly (readonly [number, number])[],
): Matrix {
  const weights = matrix(frames.embeddings.rows, spansS.length);
  spansS.forEach(([startS, endS], n) => {
    let inside = 0;
    for (let t = 0; t < weights.rows; t++) {
      if (timeS(frames, t) < startS || timeS(frames, t) >= endS) continue;
      weights.values[t * weights.columns + n] = 1;
      inside++;
    }
    if (!inside) {
      weights.values[nearest(frames, (startS + endS) / 2) * weights.columns + n] = 1;
    }
  });
  return weights;
}
