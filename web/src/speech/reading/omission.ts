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
const FEW = 2;
const LEAST_GAIN = -15;

/** What a recording is heard by; `loud` are the frames louder than `LOUD_SHARE`. */
export interface Heard {
  readonly logProbs: Matrix;
  readonly distances: Matrix;
  readonly loud: readonly boolean[];
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
  const behind = behindBest(heard, costs);
  const clear = new Set(
    kept
      .filter((one) => {
        const nats = scoresOf(behind, one, graph, 0).reduce((sum, score) => sum + score, 0);
        return nats > CLEAR * graph.lengths[one.joint];
      })
      .map((one) => one.joint),
  );
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
      scoresOf(behind, one, without, first).forEach((score, i) => {
        if (score < STRAY_BELOW && part.loud[one.first + i]) stray++;
      });
    }
    const short = phones <= FEW ? SHORT : 0;
    const speech = (LOUD * loud + STRAY * stray) / (pace * phones);
    if (OFFSET + GAIN * gain + speech + short < 0) found.add(word);
  }
  return found;
}

/** Frames `[first, past)` alone. */
function between({ logProbs, distances, loud }: Heard, first: number, past: number): Heard {
  const { columns, values } = logProbs;
  return {
    logProbs: {
      rows: past - first,
      columns,
      values: values.subarray(first * columns, past * columns),
    },
    distances,
    loud: loud.slice(first, past),
  };
}

/** How far every column is behind the likeliest, at most 0, `[T, C]`. */
function behindBest({ logProbs, distances }: Heard, costs: Costs): Matrix {
  const scores = weightedBy(logProbs, costs);
  const best = bestColumns(scores);
  const found = tolerant(scores, distances, costs);
  const { columns } = scores;
  const values = found.values.map((value, i) => {
    const t = Math.floor(i / columns);
    return value - scores.values[t * columns + best[t]];
  });
  return { ...found, values };
}

/** The same of the states of a pass that begins `first` frames later, frame by frame. */
function scoresOf(behind: Matrix, one: Pass, graph: ReadingGraph, first: number): number[] {
  return one.states.map((state, i) => {
    return behind.values[(first + one.first + i) * behind.columns + graph.column[state]];
  });
}
