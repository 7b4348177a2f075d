/** Which letters of a word each of its phones is written with. Twin of `speech/spelling.py`. */

import type { PhoneSequence } from "./canonical";
import type { PhoneInventory } from "./inventory";

const MOST_LETTERS = 60;
const LONGEST = 4;
const UNKNOWN = 12;
const FURTHER_LETTER = 4;
const UNWRITTEN = 10;
const SILENT = 4;

/** Of one phone or two, with a space between, what it costs in nats that some letters write them. */
export type Costs = Readonly<Record<string, Readonly<Record<string, number>>>>;

const NONE: Readonly<Record<string, number>> = {};

/** The letters of a word that write each phone of a form; null where they do not tell. */
export function graphemes(
  word: string,
  form: PhoneSequence,
  inventory: PhoneInventory,
  costs: Costs,
): string[] | null {
  if (form.source === "given" && namesPhones(word, form.phones, inventory)) return null;
  const pieces = piecesOf(word);
  if (!form.phones.length || !pieces.length) return null;
  if (pieces.length > MOST_LETTERS || form.phones.length > MOST_LETTERS) return null;
  const ends = cheapest(pieces.map(folded), form.phones, costs);
  return ends.map((end, i) => pieces.slice(ends[i - 1] ?? 0, end).join(""));
}

/** Whether a word is the labels or the IPA of its phones, as where phones alone were given. */
function namesPhones(word: string, phones: readonly string[], inventory: PhoneInventory): boolean {
  if (word === phones.map((phone) => inventory.ipa(phone)).join("")) return true;
  const labels = word.split(/\s+/).filter(Boolean);
  return (
    labels.length === phones.length &&
    labels.every((label, i) => label.toUpperCase().replace(/\d$/, "") === phones[i])
  );
}

/** A word as its letters, each with the marks and signs behind it, or before the first. */
function piecesOf(word: string): string[] {
  const pieces: string[] = [];
  let before = "";
  for (const char of word) {
    if (/\p{L}/u.test(char)) {
      pieces.push(before + char);
      before = "";
    } else if (pieces.length) pieces[pieces.length - 1] += char;
    else before += char;
  }
  return pieces;
}

/** The letter of a piece in lower case, without signs; accents stay. */
function folded(piece: string): string {
  return piece.toLowerCase().normalize("NFC").match(/\p{L}/gu)?.join("") ?? piece;
}

/** How many letters are written when each phone is, by the cheapest way to part them in order. */
export function cheapest(
  letters: readonly string[],
  phones: readonly string[],
  costs: Costs,
): number[] {
  const count = letters.length;
  const last = phones.length;
  const best = phones.concat("").map(() => new Float64Array(count + 1).fill(Infinity));
  const came = best.map(() => new Array<readonly [number, number]>(count + 1).fill([0, 0]));
  best[0][0] = 0;
  const longest = Math.max(LONGEST, count - last + 1);
  const reach = (phone: number, letter: number, cost: number, of: number, at: number) => {
    if (cost < best[phone][letter]) {
      best[phone][letter] = cost;
      came[phone][letter] = [of, at];
    }
  };
  for (let i = 0; i < last; i++) {
    const alone = costs[phones[i]] ?? NONE;
    const pair = (i + 1 < last && costs[`${phones[i]} ${phones[i + 1]}`]) || NONE;
    for (let j = 0; j <= count; j++) {
      const soFar = best[i][j];
      if (soFar === Infinity) continue;
      if (i) reach(i + 1, j, soFar + UNWRITTEN, i, j);
      for (let k = j + 1; k <= Math.min(count, j + longest); k++) {
        const chunk = letters.slice(j, k).join("");
        reach(i + 1, k, soFar + (alone[chunk] ?? unlisted(letters.slice(j, k), alone)), i, j);
        if (chunk in pair) reach(i + 2, k, soFar + pair[chunk], i, j);
      }
    }
  }
  const ends = new Array<number>(last).fill(count);
  for (let [i, j] = [last, count]; i; ) {
    const [of, at] = came[i][j];
    ends.fill(j, of, i); // the first of two phones has the letters of both
    [i, j] = [of, at];
  }
  return ends;
}

/** One of the letters writes the phone, and the others, best of their kind, are silent. */
function unlisted(letters: readonly string[], alone: Readonly<Record<string, number>>): number {
  const each = letters.map((letter) => alone[letter] ?? UNKNOWN);
  const least = Math.min(...each);
  const silent = each.reduce((sum, cost) => sum + cost, 0) - least;
  return least + FURTHER_LETTER * (each.length - 1) + silent / SILENT;
}
