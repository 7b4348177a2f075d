/** Was a word read, or left out? Twin of `speech/reading/omission.py`. */

import type { Matrix } from "../../matrix";
import { forbidding, type Costs, type ReadingGraph } from "./graph";
import { bestColumns, bestReading, tolerant, weightedBy, type Pass } from "./path";

const CLEAR = -2.5;
export const LOUD_SHARE = 0.5;
const STRAY_BELOW = -3;
const OFFSET = 0.43;
const GAIN = 0.65;
const LOUD = 1.68;
const STRAY = 4.33;
const SHORT = 1.78;
const SHORTER = 1.5;
const FEW = 2;
const LEAST_GAIN = -15;

/**
 * What a recording is heard by; `loud` are the frames louder than `LOUD_SHARE`, and `behind` is how
 * far every column is behind the likeliest, at most 0.
 */
export interface Heard {
  readonly logProbs: Matrix;
  readonly distances: Matrix;
  readonly loud: readonly boolean[];
  readonly behind: Matrix;
}

export function heardBy(
  logProbs: Matrix,
  distances: Matrix,
  loud: readonly boolean[],
  costs: Costs,
): Heard {
  const scores = weightedBy(logProbs, costs);
  const best = bestColumns(scores);
  const found = tolerant(scores, distances, costs);
  const { columns } = scores;
  const values = found.values.map((value, i) => {
    const t = Math.floor(i / columns);
    return value - scores.values[t * columns + best[t]];
  });
  return { logProbs, distances, loud, behind: { ...found, values } };
}

/** Words of the text that were not read; `spellWords` spells some as if they were all of it. */
export function leftOut(
  graph: ReadingGraph,
  kept: readonly Pass[],
  heard: Heard,
  costs: Costs,
  spellWords: (words: readonly number[]) => ReadingGraph,
): Set<number> {
  const found = new Set<number>();
  if (!kept.length) return found;
  const clear = saidClearly(kept, graph, heard);
  const frames = kept.reduce((sum, one) => sum + one.past - one.first, 0);
  const pace = frames / kept.reduce((sum, one) => sum + graph.lengths[one.joint], 0);
  const strict = forbidding(costs);
  for (let word = 0; word < graph.words; word++) {
    const left = kept.filter((one) => one.joint < word).pop();
    const right = kept.find((one) => one.joint > word);
    if (clear.has(word) || !(left || right)) continue;
    const first = left?.first ?? 0;
    const part = between(heard, first, right?.past ?? heard.loud.length);
    const before = left ? [left.joint] : [];
    const after = right ? [right.joint] : [];
    const withWord = spellWords([...before, word, ...after]);
    const without = spellWords([...before, ...after]);
    const best = bestReading(withWord, part.logProbs, strict, part.distances);
    const bestWithout = bestReading(without, part.logProbs, strict, part.distances);
    const phones = graph.lengths[word];
    const gain = Math.max(LEAST_GAIN, (best.score - bestWithout.score) / phones);
    let loud = 0;
    for (const one of best.passes) {
      if (!one.states.length || one.joint !== before.length) continue;
      loud += part.loud.slice(one.first, one.past).filter(Boolean).length;
    }
    let stray = 0;
    for (const one of bestWithout.passes) {
      scoresOf(part, one, without).forEach((score, i) => {
        if (score < STRAY_BELOW && part.loud[one.first + i]) stray++;
      });
    }
    const places = graph.phones.filter((phone) => phone.word === word).map(({ place }) => place);
    const beside = left?.joint === word - 1 && right?.joint === word + 1;
    const small = Math.max(...places) < FEW && beside;
    const short = (phones <= FEW ? SHORT : 0) + (small ? SHORTER : 0);
    const speech = (LOUD * loud + STRAY * stray) / (pace * phones);
    if (OFFSET + GAIN * gain + speech + short < 0) found.add(word);
  }
  return found;
}

/** Words through which some passes are clear. */
export function saidClearly(
  passes: readonly Pass[],
  graph: ReadingGraph,
  heard: Heard,
): Set<number> {
  const clear = passes.filter((one) => {
    const nats = scoresOf(heard, one, graph).reduce((sum, score) => sum + score, 0);
    return nats > CLEAR * graph.lengths[one.joint];
  });
  return new Set(clear.map((one) => one.joint));
}

/** Frames `[first, past)` alone. */
function between({ logProbs, distances, loud, behind }: Heard, first: number, past: number): Heard {
  const rows = ({ columns, values }: Matrix): Matrix => ({
    rows: past - first,
    columns,
    values: values.subarray(first * columns, past * columns),
  });
  return {
    logProbs: rows(logProbs),
    distances,
    loud: loud.slice(first, past),
    behind: rows(behind),
  };
}

/** How far the states of a pass through a word are behind, frame by frame. */
export function scoresOf({ behind }: Heard, one: Pass, graph: ReadingGraph): number[] {
  return one.states.map((state, i) => {
    return behind.values[(one.first + i) * behind.columns + graph.column[state]];
  });
}
