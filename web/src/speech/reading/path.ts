/**
 * The best path of a recording through all readings of its text.
 * Twin of `speech/reading/path.py`, for texts that are looked at as a whole.
 */

import { NativeEarError } from "../../errors";
import { argmax, matrix, type Matrix } from "../../matrix";
import { BLANK, WORDS_BACK, type Costs, type ReadingGraph } from "./graph";

/** Frames times states that are looked at as a whole: a minute of speech. */
const WHOLE = 8_000_000;

export interface Pass {
  readonly joint: number;
  readonly first: number;
  readonly past: number;
  readonly states: readonly number[];
  readonly extra: boolean;
}

export interface ReadingPath {
  readonly passes: readonly Pass[];
  readonly score: number;
  readonly freeScore: number;
}

/** In which frames of a greedy decode a phone begins. */
export function phoneOnsets(best: ArrayLike<number>): boolean[] {
  return Array.from(best, (c, t) => c !== BLANK && (t === 0 || c !== best[t - 1]));
}

export function bestColumns(logProbs: Matrix): Int32Array {
  const { rows, columns, values } = logProbs;
  return Int32Array.from({ length: rows }, (_, t) => {
    return argmax(values, t * columns, (t + 1) * columns) - t * columns;
  });
}

export function weightedBy(logProbs: Matrix, costs: Costs): Matrix {
  return { ...logProbs, values: logProbs.values.map((value) => value * costs.weight) };
}

/** Score of every column where another phone may stand in for it. */
export function tolerant(scores: Matrix, distances: Matrix, costs: Costs): Matrix {
  const { rows, columns } = scores;
  const found = matrix(rows, columns);
  for (let c = 0; c < columns; c++) {
    const near: [number, number][] = [];
    for (let d = 0; d < columns; d++) {
      const cost =
        c === d ? 0 : costs.other + costs.distance * distances.values[c * columns + d];
      if (cost < -costs.floor) near.push([d, cost]);
    }
    for (let t = 0; t < rows; t++) {
      let best = costs.floor;
      for (const [d, cost] of near) best = Math.max(best, scores.values[t * columns + d] - cost);
      found.values[t * columns + c] = best;
    }
  }
  return found;
}

export function bestReading(
  graph: ReadingGraph,
  logProbs: Matrix,
  costs: Costs,
  distances: Matrix,
): ReadingPath {
  if (logProbs.rows * graph.column.length > WHOLE) {
    throw new NativeEarError(
      "The recording and its text are too long to be heard in a page.",
      "bad-audio",
      "",
      "Record a minute at most, of a text that can be read in it.",
    );
  }
  return new Search(graph, logProbs, costs, distances).path();
}

class Search {
  private readonly length: number;
  private readonly states: number;
  private readonly joints: number;
  private readonly plain: Float64Array;
  private readonly free: Float64Array;
  private readonly wrong: Float64Array;
  private readonly scores: Matrix;
  private readonly skipped: Float64Array;
  private readonly opening: Int32Array;
  private readonly words: Float64Array;
  private readonly others: Float64Array;
  private readonly pauses: Float64Array;
  private readonly extras: Float64Array;
  private readonly reached: Float64Array;

  constructor(
    private readonly graph: ReadingGraph,
    logProbs: Matrix,
    private readonly costs: Costs,
    distances: Matrix,
  ) {
    this.length = logProbs.rows;
    this.states = graph.column.length;
    this.joints = graph.words + 1;
    const weighted = weightedBy(logProbs, costs);
    const best = bestColumns(weighted);
    const onsets = phoneOnsets(best);
    this.plain = Float64Array.from(best, (c, t) => weighted.values[t * weighted.columns + c]);
    this.free = this.plain.map((score, t) => score - (onsets[t] ? costs.extraPhone : 0));
    this.wrong = this.plain.map((score, t) => score - (onsets[t] ? costs.wrongPhone : 0));
    this.scores = tolerant(weighted, distances, costs);
    this.skipped = new Float64Array(this.joints);
    for (let i = 0; i < graph.words; i++) this.skipped[i + 1] = this.skipped[i] + graph.skips[i];
    this.opening = new Int32Array(this.states).fill(-1);
    graph.first.forEach((state, i) => (this.opening[state] = i));
    this.words = new Float64Array(this.length * this.states);
    this.others = new Float64Array(this.length * this.states);
    this.pauses = new Float64Array(this.length * this.joints);
    this.extras = new Float64Array(this.length * this.joints);
    this.reached = new Float64Array(this.length * this.joints);
  }

  path(): ReadingPath {
    this.forward();
    const passes = this.backward();
    return {
      passes,
      score: this.reached[this.length * this.joints - 1],
      freeScore: this.plain.reduce((sum, score) => sum + score, 0),
    };
  }

  private spoken(state: number): boolean {
    return this.graph.column[state] !== BLANK;
  }

  /** What a step from the label before last costs: nothing, where there is one in the form. */
  private byTwo(state: number): number {
    return this.spoken(state) && this.opening[state] < 0 ? 0 : -Infinity;
  }

  private forward(): void {
    const { graph, costs, states, joints } = this;
    let joint: Float64Array = new Float64Array(joints).fill(-Infinity);
    joint[0] = 0;
    joint = this.skipping(joint);
    let now: Float64Array = new Float64Array(states).fill(-Infinity);
    let other: Float64Array = new Float64Array(states).fill(-Infinity);
    let pause: Float64Array = new Float64Array(joints).fill(-Infinity);
    let extra: Float64Array = new Float64Array(joints).fill(-Infinity);
    const either = new Float64Array(states).fill(-Infinity);
    const byTwo = Float64Array.from({ length: states }, (_, s) => this.byTwo(s));
    const step = new Float64Array(states);
    const columns = this.scores.columns;
    for (let t = 0; t < this.length; t++) {
      for (let s = 0; s < states; s++) {
        const entry = this.opening[s];
        let best = s > 0 ? either[s - 1] : -Infinity;
        if (entry >= 0) best = joint[graph.firstJoint[entry]] - graph.firstCost[entry];
        if (s > 1) best = Math.max(best, either[s - 2] + byTwo[s]);
        step[s] = best;
      }
      const words = this.words.subarray(t * states, (t + 1) * states);
      const others = this.others.subarray(t * states, (t + 1) * states);
      for (let s = 0; s < states; s++) {
        const changed = this.spoken(s) ? step[s] - costs.wrong : -Infinity;
        others[s] = Math.max(other[s], changed) + this.wrong[t];
        const score = this.scores.values[t * columns + graph.column[s]];
        words[s] = Math.max(now[s], step[s]) + score;
        either[s] = Math.max(words[s], others[s]);
      }
      now = words;
      other = others;
      const blank = this.scores.values[t * columns + BLANK];
      const pauses = this.pauses.subarray(t * joints, (t + 1) * joints);
      const extras = this.extras.subarray(t * joints, (t + 1) * joints);
      for (let j = 0; j < joints; j++) {
        pauses[j] = Math.max(pause[j], joint[j]) + blank;
        extras[j] = Math.max(extra[j], joint[j] - costs.extra) + this.free[t];
      }
      pause = pauses;
      extra = extras;
      const arriving = this.arrivals(either, pauses, extras);
      joint = this.reached.subarray(t * joints, (t + 1) * joints);
      joint.set(this.behind(arriving));
    }
  }

  /** Best value of what ends at each joint. */
  private arrivals(
    either: Float64Array,
    pauses: Float64Array,
    extras: Float64Array,
  ): Float64Array {
    const { graph, costs } = this;
    const arriving = Float64Array.from(pauses, (pause, j) => Math.max(pause, extras[j]));
    for (let w = 0; w < graph.words; w++) {
      for (const end of graph.ends[w]) arriving[w + 1] = Math.max(arriving[w + 1], either[end]);
      let within = -Infinity;
      for (let s = graph.bounds[w]; s < graph.bounds[w + 1]; s++) {
        within = Math.max(within, either[s]);
      }
      arriving[w] = Math.max(arriving[w], within - costs.restart);
    }
    return arriving;
  }

  /** Best value at each joint, after words were skipped or gone back behind. */
  private behind(arriving: Float64Array): Float64Array {
    const found = this.skipping(arriving);
    for (let back = 1; back <= Math.min(WORDS_BACK, this.graph.words); back++) {
      for (let j = 0; j + back < this.joints; j++) {
        found[j] = Math.max(found[j], arriving[j + back] - this.back(back));
      }
    }
    return found;
  }

  private skipping(arriving: Float64Array): Float64Array {
    let best = -Infinity;
    return arriving.map((value, j) => {
      best = Math.max(best, value + this.skipped[j]);
      return best - this.skipped[j];
    });
  }

  private back(words: number): number {
    return this.costs.back + this.costs.backWord * words;
  }

  private either(t: number, state: number): number {
    const at = t * this.states + state;
    return Math.max(this.words[at], this.others[at]);
  }

  /** The path, from its end at the last joint to its beginning at the first. */
  private backward(): Pass[] {
    const passes: Pass[] = [];
    let t = this.length - 1;
    let joint = this.graph.words;
    while (t >= 0) {
      const arrived = this.arrived(t, joint);
      joint = arrived.joint;
      let first: number;
      if (arrived.state < 0) {
        first = this.stayed(t, joint, arrived.extra);
        passes.push({ joint, first, past: t + 1, states: [], extra: arrived.extra });
      } else {
        const states = this.within(t, arrived.state);
        first = t + 1 - states.length;
        joint = 0;
        while (this.graph.bounds[joint + 1] <= arrived.state) joint++;
        passes.push({ joint, first, past: t + 1, states, extra: false });
      }
      t = first - 1;
    }
    return passes.reverse();
  }

  /** What came to `joint` behind frame t. */
  private arrived(t: number, joint: number): { joint: number; state: number; extra: boolean } {
    const { graph, joints } = this;
    const either = Float64Array.from({ length: this.states }, (_, s) => this.either(t, s));
    const pauses = this.pauses.subarray(t * joints, (t + 1) * joints);
    const extras = this.extras.subarray(t * joints, (t + 1) * joints);
    const arriving = this.arrivals(either, pauses, extras);
    let source = 0;
    for (let j = 1; j <= joint; j++) {
      if (arriving[j] + this.skipped[j] > arriving[source] + this.skipped[source]) source = j;
    }
    let best = arriving[source] + this.skipped[source] - this.skipped[joint];
    for (let back = 1; back <= Math.min(WORDS_BACK, graph.words - joint); back++) {
      const value = arriving[joint + back] - this.back(back);
      if (value > best) {
        source = joint + back;
        best = value;
      }
    }
    const value = arriving[source];
    if (pauses[source] === value) return { joint: source, state: -1, extra: false };
    if (extras[source] === value) return { joint: source, state: -1, extra: true };
    if (source > 0) {
      const ends = graph.ends[source - 1];
      const end = ends[argmax(ends.map((s) => either[s]))];
      if (either[end] === value) return { joint: source, state: end, extra: false };
    }
    const state = argmax(either, graph.bounds[source], graph.bounds[source + 1]);
    return { joint: source, state, extra: false };
  }

  /** The first frame of a pause, or of other speech, that lasts at frame t. */
  private stayed(t: number, joint: number, extra: boolean): number {
    const cost = extra ? this.costs.extra : 0;
    const values = extra ? this.extras : this.pauses;
    while (t > 0) {
      const at = (t - 1) * this.joints + joint;
      if (this.reached[at] - cost > values[at]) break;
      t--;
    }
    return t;
  }

  /** States of one pass through a word that is in `state` at frame t. */
  private within(t: number, state: number): number[] {
    const { graph, states } = this;
    let wrong = this.others[t * states + state] > this.words[t * states + state];
    const found = [state];
    while (t > 0) {
      const at = (t - 1) * states;
      const entry = this.opening[state];
      let stay = (wrong ? this.others : this.words)[at + state];
      // Leaving a wrong phone for itself costs what it did to enter it, as in the twin.
      if (wrong) stay += this.spoken(state) ? this.costs.wrong : Infinity;
      if (entry >= 0) {
        const joint = this.reached[(t - 1) * this.joints + graph.firstJoint[entry]];
        if (joint - graph.firstCost[entry] > stay) break;
      } else {
        const step = this.either(t - 1, state - 1);
        const leap = (state > 1 ? this.either(t - 1, state - 2) : -Infinity) + this.byTwo(state);
        if (Math.max(step, leap) > stay) {
          state -= step >= leap ? 1 : 2;
          wrong = this.others[at + state] > this.words[at + state];
        }
      }
      found.push(state);
      t--;
    }
    return found.reverse();
  }
}
