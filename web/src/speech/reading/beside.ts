/** Was something said beside the text? Twin of `speech/reading/beside.py`. */

import { BLANK, type ReadingGraph } from "./graph";
import { scoresOf, type Heard } from "./omission";
import type { Pass } from "./path";

const OFFSET = -7.4;
const GAIN = 1.3;
const PHONES = 3.2;
const AGAIN = 4;
const LEAST_SCORE = -7;

/** The best path that reads the same words once each. */
export interface Without {
  readonly passes: readonly Pass[];
  readonly graph: ReadingGraph;
}

/** The passes of a path, less those beside the text that are not likely enough. */
export function borneOut(
  passes: readonly Pass[],
  kept: readonly Pass[],
  graph: ReadingGraph,
  heard: Heard,
  { without, phones }: { without: Without; phones: (one: Pass) => number },
): Pass[] {
  const plain = scores(without.passes, without.graph, heard);
  const gain = scores(passes, graph, heard).map((score, t) => score - plain[t]);
  return passes.filter((one) => {
    if (kept.includes(one) || !(one.extra || one.states.length)) return true;
    const before = kept.filter((word) => word.past <= one.first).map((word) => word.first);
    const after = kept.filter((word) => word.first >= one.past).map((word) => word.past);
    const first = Math.max(0, ...before);
    const past = Math.min(gain.length, ...after);
    const nats = gain.slice(first, past).reduce((sum, more) => sum + more, 0);
    const told = GAIN * Math.log1p(Math.max(0, nats)) + PHONES * Math.log(phones(one) + 0.5);
    return OFFSET + told + (one.extra ? 0 : AGAIN) > 0;
  });
}

/** How far the path is behind the likeliest phones in every frame, at most 0. */
function scores(passes: readonly Pass[], graph: ReadingGraph, heard: Heard): Float64Array {
  const { rows, columns, values } = heard.behind;
  const found = new Float64Array(rows);
  for (const one of passes) {
    const own = scoresOf(heard, one, graph);
    for (let t = one.first; t < one.past; t++) {
      if (own.length) found[t] = own[t - one.first];
      else if (!one.extra) found[t] = values[t * columns + BLANK];
    }
  }
  return found.map((score) => Math.max(score, LEAST_SCORE));
}
