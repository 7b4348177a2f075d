/** What was read of a text, and where. Twin of `speech/reading/reading.py`. */

import type { Matrix } from "../../matrix";
import { SILENCE, isSilence, type AlignedPhone, type Alignment } from "../alignment";
import type { Pronunciation } from "../canonical";
import type { Posteriors } from "../frames";
import { borneOut } from "./beside";
import { BLANK, forbidding, spell, type Costs, type ReadingGraph } from "./graph";
import { likelihood, type Match } from "./match";
import { heardBy, leftOut, saidClearly } from "./omission";
import { bestColumns, bestReading, phoneOnsets, type Pass, type ReadingPath } from "./path";

const SHORTEST_PAUSE_S = 0.08;
export const LEAST_EXTRA = 2;
export const SHORTEST_EXTRA_S = 0.14;
export const SURE = 0.5;
const WHOLE_FROM = 2 / 3;

export type EventKind = "omitted" | "repeated" | "restart" | "extra";

export interface ReadingEvent {
  readonly kind: EventKind;
  readonly wordIndex: number;
  readonly phones: readonly string[];
  readonly startS: number | null;
  readonly endS: number | null;
}

export interface Reading {
  readonly alignment: Alignment;
  readonly events: readonly ReadingEvent[];
  readonly likelihood: number;
}

export function omittedWords(reading: Reading): Set<number> {
  return new Set(reading.events.filter((e) => e.kind === "omitted").map((e) => e.wordIndex));
}

/** Speech that is not judged: what was repeated, begun or added. */
export function asideS(reading: Reading): [number, number][] {
  return reading.events
    .filter((e) => e.startS !== null)
    .map((e) => [e.startS as number, e.endS as number]);
}

export function ordered(events: readonly ReadingEvent[]): ReadingEvent[] {
  return [...events].sort(
    (a, b) => a.wordIndex - b.wordIndex || (a.startS ?? 0) - (b.startS ?? 0),
  );
}

export interface TextOptions {
  readonly spelling: (phone: string) => readonly number[];
  readonly edgesS: Float64Array;
  readonly distances: Matrix;
  readonly costs: Costs;
  /** In which frames somebody speaks loudly: words that are not clear are then asked again. */
  readonly loud: readonly boolean[] | null;
}

/** Read a recording against its text. */
export function readText(
  pronunciation: Pronunciation,
  posteriors: Posteriors,
  { spelling, edgesS, distances, costs, loud }: TextOptions,
): Reading {
  const { logProbs } = posteriors;
  const sounds = new Sounds(posteriors, edgesS);
  let graph = spell(pronunciation, spelling, costs);
  let path = bestReading(graph, logProbs, costs, distances);
  let kept = keptPasses(path.passes, graph);
  const matching = likelihood(matchOf(path, kept, graph, sounds));
  let { passes } = path;
  if (loud && matching >= SURE) {
    const strict = forbidding(costs);
    const heard = heardBy(logProbs, distances, loud, costs);
    const spellWords = (words: readonly number[]) =>
      spell({ ...pronunciation, words: words.map((i) => pronunciation.words[i]) }, spelling, strict);
    const unsaid = leftOut(graph, kept, heard, costs, spellWords);
    const own = graph;
    const whole = passes.filter((one) => one.states.length && isWhole(one, own));
    for (const word of saidClearly(whole, graph, heard)) unsaid.delete(word);
    const read = new Set(kept.map((one) => one.joint));
    const skipped = pronunciation.words.map((_, i) => i).filter((i) => !read.has(i));
    if (unsaid.size !== skipped.length || skipped.some((i) => !unsaid.has(i))) {
      const said = new Set(skipped.filter((i) => !unsaid.has(i)));
      graph = spell(pronunciation, spelling, costs, said, unsaid);
      path = bestReading(graph, logProbs, costs, distances);
      kept = keptPasses(path.passes, graph);
      passes = path.passes;
    }
    const counts = kept;
    const beside = (one: Pass) => one.extra || (one.states.length > 0 && !counts.includes(one));
    if (kept.length && passes.some(beside)) {
      const plain = spellWords(kept.map((one) => one.joint));
      const once = bestReading(plain, logProbs, strict, distances);
      passes = borneOut(passes, kept, graph, heard, {
        without: { passes: once.passes, graph: plain },
        phones: (one) => sounds.phones(one.first, one.past).length,
      });
    }
  }
  const variants = new Array<number>(graph.words).fill(0);
  for (const one of kept) variants[one.joint] = graph.phones[graph.phone[one.states[0]]].form;
  return {
    alignment: { phones: aligned(kept, graph, edgesS), variants },
    events: eventsOf(passes, kept, graph, sounds),
    likelihood: matching,
  };
}

/** The reading of each word that counts: the last whole one. */
function keptPasses(passes: readonly Pass[], graph: ReadingGraph): Pass[] {
  const last = new Set(graph.ends.flat());
  const whole = passes.filter((one) => last.has(one.states[one.states.length - 1]));
  const rising = (of: readonly Pass[], follows: (joint: number, before: number) => boolean) => {
    const found: Pass[] = [];
    for (const one of of) {
      if (!found.length || follows(one.joint, found[found.length - 1].joint)) found.push(one);
    }
    return found;
  };
  const final = rising([...whole].reverse(), (joint, before) => joint < before);
  const words = new Set(whole.map((one) => one.joint)).size;
  // fewer where a word was skipped after going back
  return final.length < words ? rising(whole, (joint, before) => joint > before) : final.reverse();
}

/** The phones that are heard when nothing is expected. */
class Sounds {
  private readonly best: Int32Array;

  constructor(
    private readonly posteriors: Posteriors,
    private readonly edgesS: Float64Array,
  ) {
    this.best = bestColumns(posteriors.logProbs);
  }

  phones(first: number, past: number): string[] {
    const best = this.best.subarray(first, past);
    const onsets = phoneOnsets(best);
    return [...best].filter((_, t) => onsets[t]).map((c) => this.posteriors.columns[c]);
  }

  /** Where the speech of some frames begins and ends, without the silence around it. */
  spanS(first: number, past: number): [number, number] {
    let from = first;
    while (from < past && this.best[from] === BLANK) from++;
    if (from < past) {
      while (this.best[past - 1] === BLANK) past--;
      first = from;
    }
    return [this.edgesS[first], this.edgesS[past]];
  }
}

function eventsOf(
  passes: readonly Pass[],
  kept: readonly Pass[],
  graph: ReadingGraph,
  heard: Sounds,
): ReadingEvent[] {
  const read = new Set(kept.map((one) => one.joint));
  const events: ReadingEvent[] = [];
  for (let word = 0; word < graph.words; word++) {
    if (!read.has(word)) {
      events.push({ kind: "omitted", wordIndex: word, phones: [], startS: null, endS: null });
    }
  }
  for (const one of passes) {
    const phones = heard.phones(one.first, one.past);
    const [startS, endS] = heard.spanS(one.first, one.past);
    if (one.extra && phones.length >= LEAST_EXTRA && endS - startS >= SHORTEST_EXTRA_S) {
      // Beside a word that was left out, a path may be in it before the word or behind: both cost
      // the same, so that it is told behind the last word that was read.
      const wordIndex = Math.max(-1, ...[...read].filter((word) => word < one.joint));
      events.push({ kind: "extra", wordIndex, phones, startS, endS });
    } else if (one.states.length && !kept.includes(one)) {
      const kind = isWhole(one, graph) ? "repeated" : "restart";
      events.push({ kind, wordIndex: one.joint, phones, startS, endS });
    }
  }
  return ordered(events);
}

/** Whether a pass through a word has come to most of its phones. */
function isWhole(one: Pass, graph: ReadingGraph): boolean {
  const at = graph.phones[graph.phone[one.states[one.states.length - 1]]];
  const length = graph.phones.filter((p) => p.word === one.joint && p.form === at.form).length;
  return (at.place + 1) / length > WHOLE_FROM;
}

/** The phones of the words that count, and silence wherever nothing of them is said. */
function aligned(
  kept: readonly Pass[],
  graph: ReadingGraph,
  edgesS: Float64Array,
): AlignedPhone[] {
  const found: AlignedPhone[] = [];
  const silence = (startS: number, endS: number) =>
    found.push({ phone: SILENCE, startS, endS, wordIndex: -1 });
  let atS = 0;
  for (const { phone, word, beginS, endS } of spansOf(kept, graph, edgesS)) {
    let startS = beginS;
    const before = found[found.length - 1];
    if (before && !isSilence(before) && startS > atS) {
      if (before.wordIndex === word || startS - atS < SHORTEST_PAUSE_S) {
        startS = atS = (atS + startS) / 2;
        found[found.length - 1] = { ...before, endS: atS };
      }
    }
    if (startS > atS) silence(atS, startS);
    found.push({ phone, startS, endS, wordIndex: word });
    atS = endS;
  }
  const lastS = edgesS[edgesS.length - 1];
  if (lastS > atS) silence(atS, lastS);
  return found;
}

/** Where the labels of every phone of the words that count were heard, in seconds. */
function spansOf(kept: readonly Pass[], graph: ReadingGraph, edgesS: Float64Array) {
  return kept.flatMap((one) => {
    const spans = new Map<number, [number, number]>();
    one.states.forEach((state, i) => {
      if (graph.column[state] === BLANK) return;
      const phone = graph.phone[state];
      const begun = spans.get(phone)?.[0] ?? one.first + i;
      spans.set(phone, [begun, one.first + i + 1]);
    });
    return [...spans].map(([phone, [a, b]]) => ({
      phone: graph.phones[phone].phone,
      word: graph.phones[phone].word,
      beginS: edgesS[a],
      endS: edgesS[b],
    }));
  });
}

function matchOf(
  path: ReadingPath,
  kept: readonly Pass[],
  graph: ReadingGraph,
  heard: Sounds,
): Match {
  const { passes } = path;
  const phones = heard.phones(0, passes[passes.length - 1].past).length;
  const unmeant = passes
    .filter((p) => p.extra)
    .reduce((sum, p) => sum + heard.phones(p.first, p.past).length, 0);
  const words = new Set(kept.map((one) => one.joint));
  const sum = (values: ArrayLike<number>, of: (i: number) => boolean) =>
    Array.from(values).reduce((total, value, i) => (of(i) ? total + value : total), 0);
  const again = passes.filter((p) => p.states.length && !kept.includes(p)).length;
  return {
    nats: path.freeScore - path.score,
    skipped: sum(graph.skips, (i) => !words.has(i)),
    text: sum(graph.lengths, () => true),
    read: sum(graph.lengths, (i) => words.has(i)),
    heard: phones,
    unmeant: Math.min(1, unmeant / Math.max(phones, 1)),
    reread: again / graph.words,
  };
}
