/** How far the phone head doubts where a phone was laid. Twin of `scoring/boundaries.py`. */

import type { AlignedPhone } from "../speech/alignment";
import { timeS, type Frames } from "../speech/frames";
import type { GopMeasurement } from "./gop_evidence";

/** Share of each phone that the head hears outside of its boundaries, 0–1, or null. */
export function boundaryDoubts(
  frames: Frames,
  phones: readonly AlignedPhone[],
  gop: GopMeasurement,
): (number | null)[] {
  const { occupancy } = gop;
  return phones.map(({ startS, endS }, i) => {
    if (!occupancy || Number.isNaN(gop.meanLogPosterior[i])) return null;
    let heard = 0;
    let within = 0;
    for (let t = 0; t < occupancy.rows; t++) {
      const share = occupancy.values[t * occupancy.columns + i];
      const atS = timeS(frames, t);
      heard += share;
      if (atS >= startS - frames.hopS && atS <= endS + frames.hopS) within += share;
    }
    return heard > 0 ? Math.min(Math.max(1 - within / heard, 0), 1) : null;
  });
}
