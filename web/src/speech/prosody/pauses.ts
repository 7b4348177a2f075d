/** Pauses: silences of the speaker, found by ear and by alignment. Twin of `speech/prosody/pauses.py`. */

import { HOP_S, type Intensity, type Span } from "./intensity";
import { runs } from "./pitch";

export const MIN_PAUSE_S = 0.25;
const LONG_PAUSE_S = 0.4;
const MAX_CLICK_S = 0.03;

export interface PauseSummary {
  readonly spans: readonly Span[];
  /** From the first sound of speech to the last. */
  readonly speechS: number;
  readonly foundBy: "intensity" | "alignment";
}

export function totalS({ spans }: PauseSummary): number {
  return spans.reduce((sum, [start, end]) => sum + end - start, 0);
}

export function longCount({ spans }: PauseSummary): number {
  return spans.filter(([start, end]) => end - start > LONG_PAUSE_S).length;
}

/** Spans that are quiet throughout, clicks aside, of any length. */
function quietSpans(intensity: Intensity): Span[] {
  const { tS, db, quietDb } = intensity;
  const quiet = Uint8Array.from(db, (level) => Number(level < quietDb));
  for (const [start, stop] of runs(quiet, (is) => !is)) {
    if (start > 0 && stop < quiet.length && (stop - start) * HOP_S <= MAX_CLICK_S) {
      quiet.fill(1, start, stop);
    }
  }
  const half = HOP_S / 2;
  return runs(quiet, Boolean).map(([a, b]): Span => [tS[a] - half, tS[b - 1] + half]);
}

/** The pauses between the first phone and the last; `silences` are those of the alignment. */
export function findPauses(
  intensity: Intensity,
  [firstS, lastS]: Span,
  silences: readonly Span[],
): PauseSummary {
  const quiet = quietSpans(intensity);
  const spans = quiet.length ? quiet : silences;
  return {
    spans: spans.filter(
      ([start, end]) => start > firstS && end < lastS && end - start >= MIN_PAUSE_S,
    ),
    speechS: lastS - firstS,
    foundBy: quiet.length ? "intensity" : "alignment",
  };
}
