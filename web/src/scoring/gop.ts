/** Goodness of pronunciation without a segmentation. Twin of `scoring/gop.py`. */

import { matrix, row, type Matrix } from "../matrix";
import {
  LOG_ZERO,
  boundaries,
  deletions,
  expectedSpans,
  logAdd,
  logSum,
  occupancy,
  substitutions,
} from "../speech/ctc";

export interface GopFeatures {
  readonly canonical: Int32Array;
  /** `[M, V]`; 0 in the canonical column, NaN in the blank's. */
  readonly substitution: Matrix;
  readonly deletion: Float64Array;
  readonly sfS: Float64Array;
  readonly sfSd: Float64Array;
  /** `[M, 2]`, frames. */
  readonly expectedSpan: Matrix;
  readonly meanLogPosterior: Float64Array;
  /** `[T, M]`. */
  readonly occupancy: Matrix;
}

/** Compare M canonical labels with all that differs from them in one place. */
export function gopFeatures(posteriors: Matrix, labels: Int32Array): GopFeatures {
  const logProbs = {
    ...posteriors,
    values: posteriors.values.map((value) => Math.max(value, LOG_ZERO)),
  };
  const m = labels.length;
  const { prefix, suffix } = boundaries(logProbs, labels);
  const logPosterior = prefix.either.values[prefix.either.values.length - 1];
  const substituted = substitutions(logProbs, prefix, suffix);
  const deleted = deletions(prefix, suffix);
  const ratio = (alternative: number) =>
    alternative < LOG_ZERO / 2 ? Infinity : logPosterior - alternative;
  const substitution = matrix(m, logProbs.columns);
  const sfS = new Float64Array(m);
  const sfSd = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    const own = row(substituted, i);
    own[labels[i]] = logPosterior;
    own[0] = LOG_ZERO;
    const any = logSum(own, Math.max(...own));
    sfS[i] = logPosterior - any;
    sfSd[i] = logPosterior - logAdd(any, deleted[i]);
    row(substitution, i).set(own.map(ratio));
    substitution.values[i * substitution.columns] = NaN;
  }
  const shares = occupancy(prefix, suffix, labels, logPosterior);
  return {
    canonical: labels,
    substitution,
    deletion: deleted.map(ratio),
    sfS,
    sfSd,
    expectedSpan: expectedSpans(prefix, suffix, labels, logPosterior),
    meanLogPosterior: meanLogPosterior(logProbs, shares, labels),
    occupancy: shares,
  };
}

/** Log posterior of each canonical label, averaged over frames by occupancy. */
function meanLogPosterior(logProbs: Matrix, shares: Matrix, labels: Int32Array): Float64Array {
  return Float64Array.from(labels, (label, i) => {
    let sum = 0;
    let total = 0;
    for (let t = 0; t < shares.rows; t++) {
      const share = shares.values[t * shares.columns + i];
      sum += share * logProbs.values[t * logProbs.columns + label];
      total += share;
    }
    return sum / total;
  });
}

/** Canonical log posterior less the strongest competitor's, mean over each span. */
export function meanMargins(logProbs: Matrix, labels: Int32Array, spans: Matrix): Float64Array {
  return Float64Array.from(labels, (label, i) => {
    const first = Math.min(Math.floor(spans.values[2 * i]), logProbs.rows - 1);
    const past = Math.max(Math.ceil(spans.values[2 * i + 1]), first + 1);
    let sum = 0;
    let count = 0;
    for (let t = first; t < Math.min(past, logProbs.rows); t++) {
      const own = row(logProbs, t);
      let rival = LOG_ZERO;
      for (let v = 1; v < own.length; v++) if (v !== label && own[v] > rival) rival = own[v];
      sum += own[label] - rival;
      count++;
    }
    return sum / count;
  });
}
