/** Phones that are not there, and speech that nobody asked for. Twin of `retriever/deviations.py`. */

import type { PhoneIndex } from "../indexes/phone_index";
import { transformed } from "../indexes/transform";
import { matrix, type Matrix, type Matrix32 } from "../matrix";
import { SILENCE, durationS, isSilence, type AlignedPhone } from "../speech/alignment";
import { nearest, timeS, type Frames, type Posteriors } from "../speech/frames";
import { appended, cumulated, larger, started, type Paths } from "./paths";

const DELETED_BELOW = -1.3;
const QUANTILE_WEIGHT = 0.1;
const DURATION_WEIGHT = 0.5;
const ANOTHER_ABOVE = 2;
const REACH_S = 0.1;
const INSERTED_ABOVE = 0.63;
const INSERTED_S = 0.06;
const EDGE_S = 0.04;
const INSERTION_REACH_S = 0.25;
const PAUSE_S = 0.02;
const UNKNOWN_NATS = 1.5;
const UNIT_S = 0.01;

export interface InsertedPhone {
  /** Index in the alignment of the phone or silence in which it was found. */
  readonly after: number;
  readonly phone: string;
  readonly startS: number;
  readonly endS: number;
  readonly gain: number;
}

export interface ClassMeans {
  /** Mean exemplar of every class, unit vectors `[P, d]`. */
  readonly means: Matrix32;
  /** Shortest credible and median native duration of every class. */
  readonly shortestS: Float64Array;
  readonly medianS: Float64Array;
}

export class Deviations {
  private readonly silence: number;
  private readonly unknown: number;

  constructor(
    private readonly index: PhoneIndex,
    private readonly classes: ClassMeans,
  ) {
    this.silence = index.classes.indexOf(SILENCE);
    this.unknown = index.classes.length;
  }

  /** Cosine of every frame with every class's mean, and the best of them, `[T, P + 1]`. */
  similarities(frames: Frames): Matrix {
    const vectors = transformed(this.index.transform, frames.embeddings);
    const { means } = this.classes;
    const found = matrix(vectors.rows, means.rows + 1);
    for (let t = 0; t < vectors.rows; t++) {
      let best = -Infinity;
      for (let p = 0; p < means.rows; p++) {
        let sum = 0;
        for (let d = 0; d < means.columns; d++) {
          sum += vectors.values[t * means.columns + d] * means.values[p * means.columns + d];
        }
        if (Number.isNaN(sum)) sum = -1; // nothing resembles a class without exemplars
        found.values[t * found.columns + p] = sum;
        if (sum > best) best = sum;
      }
      found.values[t * found.columns + means.rows] = best;
    }
    return found;
  }

  /** Log posterior of every class in every frame, silence first; the last is of other phones. */
  logPosteriors(similar: Matrix, temperature: number): Posteriors {
    const { classes } = this.index;
    const held = classes.map((_, p) => p).filter((p) => p !== this.silence && this.holds(p));
    const order = [this.silence, ...held];
    const logProbs = matrix(similar.rows, order.length + 1);
    const shares = new Float64Array(classes.length);
    for (let t = 0; t < similar.rows; t++) {
      for (let p = 0; p < classes.length; p++) {
        shares[p] = similar.values[t * similar.columns + p] / temperature;
      }
      const top = shares.reduce((most, value) => Math.max(most, value), -Infinity);
      const total = shares.reduce((sum, value) => sum + Math.exp(value - top), 0);
      const level = top + Math.log(total);
      let best = -Infinity;
      order.forEach((p, c) => {
        const value = shares[p] - level;
        logProbs.values[t * logProbs.columns + c] = value;
        if (value > best) best = value;
      });
      logProbs.values[t * logProbs.columns + order.length] = best - UNKNOWN_NATS;
    }
    return { logProbs, columns: [SILENCE, ...held.map((p) => classes[p]), ""] };
  }

  /** Whether `phones[i]` was not said; `heard` is the class that its span is nearest to. */
  deleted(
    frames: Frames,
    similar: Matrix,
    phones: readonly AlignedPhone[],
    i: number,
    logQuantile: number,
    heard: string,
  ): boolean {
    const phone = phones[i];
    const around = [SILENCE, phones[i - 1]?.phone, phones[i + 1]?.phone];
    const own = this.index.classes.indexOf(phone.phone);
    const shortestS = own >= 0 && this.holds(own) ? this.classes.shortestS[own] : 0;
    if (!around.includes(heard) && durationS(phone) > shortestS) return false;
    const { worth, another } = this.worth(frames, similar, phones, i, logQuantile);
    return worth <= DELETED_BELOW && another < ANOTHER_ABOVE;
  }

  /** What speaks for a phone having been said, and for another one in its place. */
  private worth(
    frames: Frames,
    similar: Matrix,
    phones: readonly AlignedPhone[],
    i: number,
    logQuantile: number,
  ): { worth: number; another: number } {
    const phone = phones[i];
    const column = this.column(phones, i);
    if (column === this.unknown || Number.isNaN(logQuantile)) {
      return { worth: Infinity, another: Infinity };
    }
    const before = this.column(phones, i - 1);
    const after = this.column(phones, i + 1);
    const { silence } = this;
    const first = nearest(frames, Math.max(middle(phones, i - 1), phone.startS - REACH_S));
    const last = nearest(frames, Math.min(middle(phones, i + 1), phone.endS + REACH_S)) + 1;
    const total = cumulated(similar, first, last);
    const { shortestS, medianS } = this.classes;
    const least = Math.max(2, Math.trunc(shortestS[column] / frames.hopS));
    const shortest = Math.min(least, last - first);
    const pause = framesIn(PAUSE_S, frames);
    const close = (best: Paths): number => {
      const quiet = larger(best, appended(best, total[silence], pause));
      const ended = larger(quiet, appended(quiet, total[after], 0));
      return ended[ended.length - 1];
    };
    let opened = started(last - first + 1);
    opened = larger(opened, appended(opened, total[before], 0));
    const without = close(opened);
    opened = larger(opened, appended(opened, total[silence], pause));
    const gains = total.map(
      (sums) => ((close(appended(opened, sums, shortest)) - without) * frames.hopS) / UNIT_S,
    );
    const excluded = [before, after, column, silence, this.unknown];
    const others = gains.filter((_, p) => !excluded.includes(p));
    return {
      worth:
        gains[column] +
        QUANTILE_WEIGHT * logQuantile +
        DURATION_WEIGHT * Math.log(durationS(phone) / medianS[column]),
      another: Math.max(-Infinity, ...others),
    };
  }

  /** Runs of speech that no canonical phone explains, in order of time. */
  insertions(frames: Frames, similar: Matrix, phones: readonly AlignedPhone[]): InsertedPhone[] {
    const kept: InsertedPhone[] = [];
    const found = joints(phones)
      .map(([i, j]) => this.inserted(frames, similar, phones, i, j))
      .filter((run) => run !== null);
    for (const run of found.sort((a, b) => b.gain - a.gain)) {
      if (kept.every((other) => run.endS <= other.startS || run.startS >= other.endS)) {
        kept.push(run);
      }
    }
    return kept.sort((a, b) => a.startS - b.startS);
  }

  private inserted(
    frames: Frames,
    similar: Matrix,
    phones: readonly AlignedPhone[],
    i: number,
    j: number,
  ): InsertedPhone | null {
    const left = phones[i];
    const right = phones[j];
    const first = nearest(frames, Math.max(left.startS, right.startS - INSERTION_REACH_S));
    const last = nearest(frames, Math.min(right.endS, left.endS + INSERTION_REACH_S));
    const edge = framesIn(EDGE_S, frames);
    const shortest = framesIn(INSERTED_S, frames);
    const length = last - first;
    if (length < shortest + 2 * edge) return null;
    const before = this.column(phones, i);
    const after = this.column(phones, j);
    const { silence, unknown } = this;
    if (before === unknown || after === unknown) return null;
    const at = (t: number, p: number) => similar.values[(first + t) * similar.columns + p];
    const explained = Float64Array.from({ length }, (_, t) =>
      Math.max(at(t, before), at(t, after), at(t, silence)),
    );
    if (!explained.some((value, t) => at(t, unknown) - value >= INSERTED_ABOVE)) return null;
    const total = cumulated(similar, first, last);
    let opened = appended(started(length + 1), total[before], edge);
    opened = larger(opened, appended(opened, total[silence], framesIn(PAUSE_S, frames)));
    const rest = this.rest(total, after);
    let heard = -1;
    let stop = 0;
    let best = -Infinity;
    const excluded = [before, after, silence, unknown];
    total.forEach((sums, p) => {
      if (excluded.includes(p)) return;
      const ended = appended(opened, sums, shortest);
      for (let t = 0; t < length + 1 - edge; t++) {
        const worth = ended[t] + rest[t];
        // as NumPy's argmax over [t, p]: the earliest of equal ones
        if (worth > best || (worth === best && t < stop)) {
          best = worth;
          stop = t;
          heard = p;
        }
      }
    });
    if (heard < 0) return null;
    let start = 0;
    for (let t = 1; t <= stop - shortest; t++) {
      if (opened[t] - total[heard][t] > opened[start] - total[heard][start]) start = t;
    }
    let gain = 0;
    for (let t = start; t < stop; t++) gain += at(t, heard) - explained[t];
    gain /= stop - start;
    if (!(gain >= INSERTED_ABOVE)) return null;
    const renamed = (one: number, other: number) => {
      let most = -Infinity;
      for (let t = edge; t < length + 1 - edge; t++) {
        most = Math.max(most, total[one][t] + total[other][length] - total[other][t]);
      }
      return most;
    };
    if (best <= Math.max(renamed(before, heard), renamed(heard, after))) return null;
    const startS = timeS(frames, first) + (start - 0.5) * frames.hopS;
    const endS = timeS(frames, first) + (stop - 0.5) * frames.hopS;
    const middleS = (startS + endS) / 2;
    const passed = phones.slice(i, j).filter((phone) => middleS >= phone.endS).length;
    return { after: i + passed, phone: this.index.classes[heard], startS, endS, gain };
  }

  /** What the next phone, with or without a pause before it, is worth from each frame on. */
  private rest(total: readonly Paths[], after: number): Paths {
    const length = total[after].length;
    const found = new Float64Array(length);
    let lead = -Infinity;
    for (let t = length - 1; t >= 0; t--) {
      lead = Math.max(lead, total[this.silence][t] - total[after][t]);
      found[t] = lead - total[this.silence][t] + total[after][length - 1];
    }
    return found;
  }

  private holds(phone: number): boolean {
    return this.index.pool.bounds[phone + 1] > this.index.pool.bounds[phone];
  }

  /** Column of a phone in `similarities`; silence beyond the ends of the alignment. */
  private column(phones: readonly AlignedPhone[], i: number): number {
    if (i < 0 || i >= phones.length) return this.silence;
    const own = this.index.classes.indexOf(phones[i].phone);
    return own >= 0 && this.holds(own) ? own : this.unknown;
  }
}

/** Neighbours between which more may have been said. */
function joints(phones: readonly AlignedPhone[]): [number, number][] {
  const found: [number, number][] = [];
  const short = (phone: AlignedPhone) => isSilence(phone) && durationS(phone) < INSERTION_REACH_S;
  for (let i = 0; i < phones.length - 1; i++) {
    if (!isSilence(phones[i]) && short(phones[i + 1]) && i + 2 < phones.length) {
      found.push([i, i + 2]);
    } else if (!(i > 0 && short(phones[i]))) {
      found.push([i, i + 1]);
    }
  }
  return found;
}

function middle(phones: readonly AlignedPhone[], i: number): number {
  if (i < 0) return phones[0].startS;
  if (i >= phones.length) return phones[phones.length - 1].endS;
  return (phones[i].startS + phones[i].endS) / 2;
}

function framesIn(seconds: number, frames: Frames): number {
  return Math.max(1, Math.round(seconds / frames.hopS));
}
