/** CTC sums in log space. Twin of `speech/ctc.py` and `speech/occupancy.py`. */

import { matrix, type Matrix } from "../matrix";

export const LOG_ZERO = -1e30;
const BLANK = 0;

/** All paths on one side of every boundary, `[T + 1, N + 1]`; the fields as in the twin. */
export interface Boundaries {
  readonly phone: Matrix;
  readonly blank: Matrix;
  readonly either: Matrix;
  /** The label that touches each gap on this side; negative at the ends. */
  readonly neighbour: Int32Array;
}

export function logAdd(one: number, other: number): number {
  const high = one > other ? one : other;
  return high + Math.log1p(Math.exp(-Math.abs(one - other)));
}

/** Fewest frames that can emit `labels`. */
export function framesNeeded(labels: Int32Array): number {
  let pairs = 0;
  for (let i = 1; i < labels.length; i++) if (labels[i] === labels[i - 1]) pairs++;
  return labels.length + pairs;
}

/** Paths that touch `label` where it is placed in `gap`, at boundary t. */
function meeting(side: Boundaries, t: number, gap: number, label: number): number {
  const at = t * side.either.columns + gap;
  return side.neighbour[gap] === label ? side.blank.values[at] : side.either.values[at];
}

/** Sum the paths before and after every boundary. */
export function boundaries(
  logProbs: Matrix,
  labels: Int32Array,
): { prefix: Boundaries; suffix: Boundaries } {
  const before = oneSide(logProbs, labels, false);
  const behind = oneSide(logProbs, labels.slice().reverse(), true);
  return {
    prefix: { ...before, neighbour: Int32Array.from([-1, ...labels]) },
    suffix: {
      phone: turned(behind.phone),
      blank: turned(behind.blank),
      either: turned(behind.either),
      neighbour: Int32Array.from([...labels, -2]),
    },
  };
}

function oneSide(logProbs: Matrix, labels: Int32Array, backwards: boolean) {
  const { rows, columns, values } = logProbs;
  const n = labels.length;
  const phone = matrix(rows + 1, n + 1, LOG_ZERO);
  const blank = matrix(rows + 1, n + 1, LOG_ZERO);
  const either = matrix(rows + 1, n + 1, LOG_ZERO);
  phone.values[0] = either.values[0] = 0;
  for (let t = 0; t < rows; t++) {
    const frame = (backwards ? rows - 1 - t : t) * columns;
    const now = t * (n + 1);
    const next = now + n + 1;
    for (let j = 0; j <= n; j++) {
      blank.values[next + j] = either.values[now + j] + values[frame + BLANK];
      if (j > 0) {
        const repeats = j > 1 && labels[j - 1] === labels[j - 2];
        const entry = (repeats ? blank : either).values[now + j - 1];
        phone.values[next + j] =
          logAdd(phone.values[now + j], entry) + values[frame + labels[j - 1]];
      }
      either.values[next + j] = logAdd(phone.values[next + j], blank.values[next + j]);
    }
  }
  return { phone, blank, either };
}

/** The last row and column first. */
function turned(of: Matrix): Matrix {
  return { ...of, values: of.values.slice().reverse() };
}

/** Log p of the labels with label i replaced by v, `[N, V]`; the blank's column means nothing. */
export function substitutions(
  logProbs: Matrix,
  prefix: Boundaries,
  suffix: Boundaries,
): Matrix {
  const { rows, columns, values } = logProbs;
  const n = prefix.neighbour.length - 1;
  const found = matrix(n, columns, LOG_ZERO);
  const terms = new Float64Array(rows);
  for (let i = 0; i < n; i++) {
    for (let v = 1; v < columns; v++) {
      let run = LOG_ZERO;
      let most = LOG_ZERO;
      for (let t = 0; t < rows; t++) {
        run = logAdd(meeting(prefix, t, i, v), run) + values[t * columns + v];
        terms[t] = run + meeting(suffix, t + 1, i + 1, v);
        if (terms[t] > most) most = terms[t];
      }
      found.values[i * columns + v] = logSum(terms, most);
    }
  }
  return found;
}

/** Log p of the labels without label i, `[N]`. */
export function deletions(prefix: Boundaries, suffix: Boundaries): Float64Array {
  const { rows } = prefix.phone;
  const n = prefix.neighbour.length - 1;
  return Float64Array.from({ length: n }, (_, i) => {
    const terms = Float64Array.from({ length: rows }, (_, t) => {
      const here = prefix.phone.values[t * (n + 1) + i];
      return here + meeting(suffix, t, i + 1, prefix.neighbour[i]);
    });
    return logSum(terms, Math.max(...terms));
  });
}

export function logSum(terms: ArrayLike<number>, most: number): number {
  let sum = 0;
  for (let i = 0; i < terms.length; i++) sum += Math.exp(terms[i] - most);
  return Math.log(sum) + most;
}

/** Posterior probability that frame t belongs to label i, `[T, N]`. */
export function occupancy(
  prefix: Boundaries,
  suffix: Boundaries,
  labels: Int32Array,
  logPosterior: number,
): Matrix {
  const frames = prefix.phone.rows - 1;
  const n = labels.length;
  const shares = matrix(frames, n);
  for (let t = 0; t < frames; t++) {
    for (let i = 0; i < n; i++) {
      const ends = meeting(suffix, t + 1, i + 1, labels[i]);
      const after = logAdd(ends, suffix.phone.values[(t + 1) * (n + 1) + i]);
      const before = prefix.phone.values[(t + 1) * (n + 1) + i + 1];
      shares.values[t * n + i] = Math.exp(before + after - logPosterior);
    }
  }
  return shares;
}

/** Posterior mean boundaries at which each label begins and ends, `[N, 2]`. */
export function expectedSpans(
  prefix: Boundaries,
  suffix: Boundaries,
  labels: Int32Array,
  logPosterior: number,
): Matrix {
  const n = labels.length;
  const spans = matrix(n, 2);
  for (let t = 0; t < prefix.phone.rows; t++) {
    for (let i = 0; i < n; i++) {
      const begins =
        meeting(prefix, t, i, labels[i]) + suffix.phone.values[t * (n + 1) + i];
      const ends =
        prefix.phone.values[t * (n + 1) + i + 1] + meeting(suffix, t, i + 1, labels[i]);
      spans.values[2 * i] += t * Math.exp(begins - logPosterior);
      spans.values[2 * i + 1] += t * Math.exp(ends - logPosterior);
    }
  }
  return spans;
}
