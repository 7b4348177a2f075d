/** All readings of a text as one graph. Twin of `speech/reading/graph.py`. */

import type { Pronunciation } from "../canonical";

export const BLANK = 0;
export const WORDS_BACK = 4;

/** Nats of what no path does. */
const NEVER = 1e9;

export interface Costs {
  readonly floor: number;
  readonly other: number;
  readonly distance: number;
  readonly wrong: number;
  readonly wrongPhone: number;
  readonly form: number;
  readonly skip: number;
  readonly skipPhone: number;
  readonly back: number;
  readonly backWord: number;
  readonly restart: number;
  readonly extra: number;
  readonly extraPhone: number;
  readonly weight: number;
}

export const COSTS: Costs = {
  floor: -7,
  other: 1,
  distance: 20,
  wrong: 7,
  wrongPhone: 4,
  form: 1,
  skip: 5,
  skipPhone: 1,
  back: 2,
  backWord: 0.3,
  restart: 3,
  extra: 8,
  extraPhone: 1.5,
  weight: 1,
};

/** The same where the text was read as it stands, whatever it sounds like. */
export function forbidding(costs: Costs): Costs {
  return { ...costs, skip: NEVER, back: NEVER, restart: NEVER, extra: NEVER };
}

export interface SpelledPhone {
  readonly phone: string;
  readonly word: number;
  readonly form: number;
  readonly place: number;
}

/** S states of the words of a text, word by word; the fields as in the twin. */
export interface ReadingGraph {
  readonly words: number;
  readonly column: Int32Array;
  readonly phone: Int32Array;
  readonly bounds: Int32Array;
  readonly first: Int32Array;
  readonly firstJoint: Int32Array;
  readonly firstCost: Float64Array;
  /** Last states of the forms of each word. */
  readonly ends: readonly (readonly number[])[];
  readonly skips: Float64Array;
  readonly lengths: Int32Array;
  readonly phones: readonly SpelledPhone[];
}

/** Spell a text in columns of log posteriors; no path leaves out words `said`, or reads `unsaid`. */
export function spell(
  pronunciation: Pronunciation,
  spelling: (phone: string) => readonly number[],
  costs: Costs,
  said: ReadonlySet<number> = new Set(),
  unsaid: ReadonlySet<number> = new Set(),
): ReadingGraph {
  const column: number[] = [];
  const owner: number[] = [];
  const phones: SpelledPhone[] = [];
  const bounds = [0];
  const first: number[] = [];
  const firstJoint: number[] = [];
  const firstCost: number[] = [];
  const ends: number[][] = [];
  const lengths: number[] = [];
  pronunciation.words.forEach((word, number) => {
    const taken = new Set<string>();
    const own: number[] = [];
    word.variants.forEach((sequence, form) => {
      const key = sequence.phones.join(" ");
      if (taken.has(key)) return;
      taken.add(key);
      const begin = column.length;
      first.push(begin);
      firstJoint.push(number);
      firstCost.push(unsaid.has(number) ? NEVER : form ? costs.form : 0);
      sequence.phones.forEach((phone, place) => {
        phones.push({ phone, word: number, form, place });
        for (const label of spelling(phone)) {
          if (column.length > begin) {
            column.push(BLANK);
            owner.push(owner[owner.length - 1]);
          }
          column.push(label);
          owner.push(phones.length - 1);
        }
      });
      own.push(column.length - 1);
    });
    ends.push(own);
    bounds.push(column.length);
    lengths.push(Math.min(...word.variants.map((form) => form.phones.length)));
  });
  return {
    words: pronunciation.words.length,
    column: Int32Array.from(column),
    phone: Int32Array.from(owner),
    bounds: Int32Array.from(bounds),
    first: Int32Array.from(first),
    firstJoint: Int32Array.from(firstJoint),
    firstCost: Float64Array.from(firstCost),
    ends,
    skips: Float64Array.from(lengths, (length, i) =>
      said.has(i) ? NEVER : costs.skip + costs.skipPhone * length,
    ),
    lengths: Int32Array.from(lengths),
    phones,
  };
}
