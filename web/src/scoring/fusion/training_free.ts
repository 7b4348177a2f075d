/** Which phones natives would be flagged for. Twin of `scoring/fusion/training_free.py`. */

import { evidenceSums } from "../../indexes/native_margins";
import { logShare, type UnheardNatives } from "../../indexes/unheard";
import type { RecordingEvidence } from "../evidence";
import { column } from "./features";

export interface UnheardReference {
  readonly withHead: UnheardNatives;
  readonly alone: UnheardNatives;
}

/** Which phones of a recording fewer natives than a share have said as badly. */
export function flaggedByNatives(
  natives: UnheardReference,
  evidence: RecordingEvidence,
  falseRejections: number,
): boolean[] {
  const margins = column(evidence.features, "margin");
  const { both, alone } = evidenceSums(margins, column(evidence.features, "log_posterior"));
  const known = natives.withHead.known.ordered.length > 0;
  return evidence.phones.map((_, i) => {
    const share =
      known && !Number.isNaN(both[i])
        ? logShare(natives.withHead, both[i])
        : logShare(natives.alone, alone[i]);
    return share < Math.log(falseRejections);
  });
}
