/** Where a reader may pause, by punctuation and words. Twin of `speech/prosody/phrasing.py`. */

import type { AlignedPhone } from "../alignment";
import type { Span } from "./intensity";

const LONG_PHRASE = 7;
const LETTERS = /[\p{L}\p{N}_]/u;
const STOP = /[.;:!?…][^\p{L}\p{N}_]*$/u;
const MARK = /[.,;:!?…–—-][^\p{L}\p{N}_]*$/u;

export interface PlacedPause {
  readonly afterWord: number;
  readonly span: Span;
  /** Whether the word goes on behind it. */
  readonly inside: boolean;
}

export type Judged = readonly ["expected" | "unexpected", "punctuation" | "words"];

export type WordSets = Readonly<Record<string, readonly string[]>>;

export class Phrasing {
  private constructor(
    private readonly words: readonly string[],
    readonly marks: ReadonlySet<number>,
    readonly stops: ReadonlySet<number>,
    private readonly leaning: ReadonlySet<string>,
    private readonly openers: ReadonlySet<string>,
  ) {}

  /** The phrasing of a text; null where it has another number of words than were read. */
  static of(text: string, words: readonly string[], sets: WordSets): Phrasing | null {
    const tokens = text.split(/\s+/).filter(Boolean);
    const written = tokens.map((_, i) => i).filter((i) => LETTERS.test(tokens[i]));
    if (written.length !== words.length) return null;
    const marks = new Set<number>();
    const stops = new Set<number>();
    written.forEach((at, word) => {
      const token = tokens.slice(at, written[word + 1]).join(" "); // with a dash that stands alone
      if (MARK.test(token)) marks.add(word);
      if (STOP.test(token)) stops.add(word);
    });
    const set = (name: string) => new Set(sets[name] ?? []);
    return new Phrasing(words, marks, stops, set("leaning-words"), set("phrase-openers"));
  }

  /** Whether a native would pause there; `before` is the last word that a pause was due after. */
  judged(pause: PlacedPause, before: number): Judged | null {
    if (this.marks.has(pause.afterWord) && !pause.inside) return ["expected", "punctuation"];
    if (!this.leaning.size || pause.afterWord + 1 >= this.words.length) return null;
    const [word, following] = [pause.afterWord, pause.afterWord + 1].map((i) => bare(this.words[i]));
    if (pause.inside || this.leaning.has(word)) return ["unexpected", "words"];
    const due = this.openers.has(following) || pause.afterWord - before >= LONG_PHRASE;
    return [due ? "expected" : "unexpected", "words"];
  }
}

/** Pauses, each after a word; those before the first phone or behind the last are none. */
export function place(pauses: readonly Span[], said: readonly AlignedPhone[]): PlacedPause[] {
  return pauses.flatMap((span): PlacedPause[] => {
    const middle = (span[0] + span[1]) / 2;
    const before = said.filter((phone) => phone.endS <= middle);
    const after = said.find((phone) => phone.startS >= middle);
    if (!before.length || !after) return [];
    const word = before[before.length - 1].wordIndex;
    return [{ afterWord: word, span, inside: after.wordIndex === word }];
  });
}

/** Half-open ranges of words that end at a stop, of those of which a word was said. */
export function parts(
  count: number,
  stops: ReadonlySet<number>,
  said: ReadonlySet<number>,
): [number, number][] {
  const within = [...stops].filter((stop) => stop < count).map((stop) => stop + 1);
  const ends = [...new Set([...within, count])].sort((a, b) => a - b);
  const ranges = ends.map((end, i): [number, number] => [ends[i - 1] ?? 0, end]);
  return ranges.filter(([a, b]) => [...said].some((word) => a <= word && word < b));
}

function bare(word: string): string {
  return word.toLowerCase().replace(/^['’]+|['’]+$/gu, "");
}
