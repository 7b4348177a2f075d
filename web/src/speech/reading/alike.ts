/** Was a stretch of speech said before? Twin of `speech/reading/alike.py`. */

import type { Matrix32 } from "../../matrix";
import { spoken, type Alignment } from "../alignment";
import { LEAST_EXTRA, SHORTEST_EXTRA_S, ordered, type ReadingEvent } from "./reading";

const ALIKE = 0.6;
const UNLIKE = 0.5;
const BEGUN_ALIKE = 0.7;
const SHORTEST_AGAIN = 0.55;
const LONGEST_AGAIN = 3;

/** Frames `[first, past)` of a recording. */
type Span = readonly [first: number, past: number];

/** Events, those of speech beside the text called by what they are alike to. */
export function retold(
  events: readonly ReadingEvent[],
  alignment: Alignment,
  vectors: Matrix32,
  timeOf: (frame: number) => number,
): ReadingEvent[] {
  const spanOf = (startS: number, endS: number): Span => {
    let first = 0;
    while (first < vectors.rows && timeOf(first) < startS) first++;
    let past = first;
    while (past < vectors.rows && timeOf(past) < endS) past++;
    return [first, past];
  };
  const words = new Map<number, Span>();
  const begins = new Map<number, number>();
  const said = spoken(alignment);
  for (const word of new Set(said.map((phone) => phone.wordIndex))) {
    const own = said.filter((phone) => phone.wordIndex === word);
    words.set(word, spanOf(own[0].startS, own[own.length - 1].endS));
    begins.set(word, own[0].startS);
  }
  const told = (event: ReadingEvent, startS: number, endS: number): ReadingEvent | null => {
    const found = toldOf(event, spanOf(startS, endS), words, vectors);
    const short = endS - startS < SHORTEST_EXTRA_S || event.phones.length < LEAST_EXTRA;
    return found.kind === "extra" && event.kind !== "extra" && short ? null : found;
  };
  const found = events.filter((event) => event.startS === null);
  const timed = events.filter((event) => event.startS !== null);
  let last: ReadingEvent | null = null;
  for (const event of timed.sort((a, b) => a.startS! - b.startS!)) {
    let one = told(event, event.startS!, event.endS!);
    if (!one) continue;
    if (last && areOne(last, one, [...begins.values()])) {
      found.pop();
      const startS: number = last.startS!;
      const endS = event.endS!;
      const earlier = [...begins].filter(([, at]) => at < startS).map(([word]) => word);
      const whole: ReadingEvent = {
        kind: "extra",
        wordIndex: Math.max(-1, ...earlier),
        phones: [...last.phones, ...one.phones],
        startS,
        endS,
      };
      one = told(whole, startS, endS) ?? whole;
    }
    found.push(one);
    last = one;
  }
  return ordered(found);
}

/** Whether two events are of one stretch of speech that is no word of the text as a whole. */
function areOne(one: ReadingEvent, other: ReadingEvent, begins: readonly number[]): boolean {
  const kinds = [one.kind, other.kind];
  const between = begins.some((at) => one.startS! < at && at <= other.startS!);
  return kinds.includes("extra") && !kinds.includes("repeated") && !between;
}

/** One event by what its frames are alike to: the word that it is of, or those around it. */
function toldOf(
  event: ReadingEvent,
  own: Span,
  words: ReadonlyMap<number, Span>,
  vectors: Matrix32,
): ReadingEvent {
  const at = event.wordIndex;
  const length = ([first, past]: Span) => past - first;
  const behind = Math.min(...[...words.keys()].filter((i) => i > at)); // one between may be left out
  const near = (event.kind === "extra" ? [at, behind] : [at]).filter(
    (i) => words.has(i) && length(own) && length(words.get(i)!),
  );
  if (!near.length) return event;
  const likeness = new Map(near.map((i) => [i, alike(vectors, own, words.get(i)!)]));
  const most = (part: 0 | 1) =>
    near.reduce((best, i) => (likeness.get(i)![part] > likeness.get(best)![part] ? i : best));
  const again = most(0);
  const ratio = length(own) / length(words.get(again)!);
  if (likeness.get(again)![0] >= ALIKE && ratio >= SHORTEST_AGAIN && ratio <= LONGEST_AGAIN) {
    return { ...event, kind: "repeated", wordIndex: again };
  }
  if (event.kind !== "extra") {
    const unlike = Math.max(...likeness.get(at)!) < UNLIKE;
    return unlike ? { ...event, kind: "extra", wordIndex: at - 1 } : event;
  }
  const begun = most(1);
  const shorter = length(own) < SHORTEST_AGAIN * length(words.get(begun)!);
  if (likeness.get(begun)![1] >= BEGUN_ALIKE && shorter) {
    return { ...event, kind: "restart", wordIndex: begun };
  }
  return event;
}

/** How alike two stretches are, and the first to the beginning of the second. */
function alike(vectors: Matrix32, one: Span, other: Span): [number, number] {
  const length = other[1] - other[0];
  let best = new Float64Array(length + 1).fill(Infinity);
  best[0] = 0;
  for (let a = one[0]; a < one[1]; a++) {
    const next = new Float64Array(length + 1).fill(Infinity);
    for (let j = 1; j <= length; j++) {
      const far = 1 - cosine(vectors, a, other[0] + j - 1);
      next[j] = Math.min(best[j] + far, next[j - 1] + far, best[j - 1] + 2 * far);
    }
    best = next;
  }
  const rows = one[1] - one[0];
  const shares = best.slice(1).map((worth, j) => 1 - worth / (rows + j + 1));
  return [shares[length - 1], Math.max(...shares)];
}

function cosine({ values, columns }: Matrix32, a: number, b: number): number {
  let sum = 0;
  for (let d = 0; d < columns; d++) sum += values[a * columns + d] * values[b * columns + d];
  return sum;
}
