/** Frames of a phone → one vector. Twin of `speech/pooling.py`. */

import type { Matrix32 } from "../matrix";
import { nearest, type Frames } from "./frames";

/** Means over the middle thirds of spans, or their middle frames, `[N, D]`. */
export function pool(
  frames: Frames,
  spansS: readonly (readonly [number, number])[],
  pooling: string,
): Matrix32 {
  const columns = frames.embeddings.columns;
  const values = new Float32Array(spansS.length * columns);
  spansS.forEach(([startS, endS], n) => {
    const middle = nearest(frames, (startS + endS) / 2);
    const third = pooling === "middle-third" ? (endS - startS) / 3 : (endS - startS) / 2;
    const first = Math.min(nearest(frames, startS + third), middle);
    const last = Math.max(nearest(frames, endS - third), middle);
    for (let d = 0; d < columns; d++) {
      let sum = 0;
      for (let t = first; t <= last; t++) sum += frames.embeddings.values[t * columns + d];
      values[n * columns + d] = sum / (last - first + 1);
    }
  });
  return { rows: spansS.length, columns, values };
}
