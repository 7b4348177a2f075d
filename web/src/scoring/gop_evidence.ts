/** From frames to goodness of pronunciation per canonical phone. Twin of `scoring/gop_evidence.py`. */

import { matrix, type Matrix } from "../matrix";
import { framesNeeded } from "../speech/ctc";
import type { Frames } from "../speech/frames";
import { pool, units, type LabelMap } from "../speech/phone_head";
import { gopFeatures, meanMargins, type GopFeatures } from "./gop";

export interface GopMeasurement {
  readonly sf: Float64Array;
  readonly sfSd: Float64Array;
  readonly margin: Float64Array;
  readonly meanLogPosterior: Float64Array;
  /** `[N, 2]`, seconds. */
  readonly spansS: Matrix;
  /** Why not everything was measured; empty where it was. */
  readonly reason: string;
  readonly features: GopFeatures | null;
  /** Phone i is the units `units[i]` to `units[i + 1] - 1` of the features. */
  readonly units: Int32Array;
  readonly columns: readonly string[];
  /** `[T, N]`. */
  readonly occupancy: Matrix | null;
}

/** Measure how well each canonical phone was pronounced. */
export function measureGop(
  frames: Frames,
  head: LabelMap,
  canonical: readonly string[],
): GopMeasurement {
  const { labels, starts } = units(head, canonical);
  const needed = framesNeeded(labels);
  const n = canonical.length;
  if (frames.logProbs.rows < needed || n === 0) {
    const nothing = () => new Float64Array(n).fill(NaN);
    return {
      sf: nothing(),
      sfSd: nothing(),
      margin: nothing(),
      meanLogPosterior: nothing(),
      spansS: matrix(n, 2, NaN),
      reason: n
        ? `The recording has ${frames.logProbs.rows} frames, too few for ${labels.length} phones, ` +
          `which need ${needed}.`
        : "",
      features: null,
      units: Int32Array.from({ length: n + 1 }, (_, i) => i),
      columns: [],
      occupancy: null,
    };
  }
  const logProbs = pool(head, frames.logProbs);
  const features = gopFeatures(logProbs, labels);
  const margins = meanMargins(logProbs, labels, features.expectedSpan);
  const absent = canonical.map((symbol) => head.absent.includes(symbol));
  const worst = (values: Float64Array) =>
    Float64Array.from(canonical, (_, i) =>
      absent[i] ? NaN : Math.min(...values.subarray(starts[i], starts[i + 1])),
    );
  const { expectedSpan: spans, meanLogPosterior } = features;
  const spansS = matrix(n, 2);
  const seconds = (frame: number) => Math.max(0, frames.offsetS + (frame - 0.5) * frames.hopS);
  for (let i = 0; i < n; i++) {
    spansS.values[2 * i] = seconds(spans.values[2 * starts[i]]);
    spansS.values[2 * i + 1] = seconds(spans.values[2 * starts[i + 1] - 1]);
  }
  return {
    sf: worst(features.sfS),
    sfSd: worst(features.sfSd),
    margin: worst(margins),
    meanLogPosterior: Float64Array.from(canonical, (_, i) => {
      const own = meanLogPosterior.subarray(starts[i], starts[i + 1]);
      return absent[i] ? NaN : own.reduce((sum, value) => sum + value, 0) / own.length;
    }),
    spansS,
    reason: absence(head, canonical),
    features,
    units: starts,
    columns: head.columns,
    occupancy: summed(features.occupancy, starts),
  };
}

/** Columns `[T, M]` of the units added up by phone, `[T, N]`. */
function summed(of: Matrix, starts: Int32Array): Matrix {
  const n = starts.length - 1;
  const found = matrix(of.rows, n);
  for (let t = 0; t < of.rows; t++) {
    for (let i = 0; i < n; i++) {
      for (let u = starts[i]; u < starts[i + 1]; u++) {
        found.values[t * n + i] += of.values[t * of.columns + u];
      }
    }
  }
  return found;
}

function absence(head: LabelMap, canonical: readonly string[]): string {
  const absent = [...new Set(canonical)].filter((symbol) => head.absent.includes(symbol));
  if (!absent.length) return "";
  return `The encoder's CTC head does not tell ${absent.join(", ")}: no GOP for these phones.`;
}
