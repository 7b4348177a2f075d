/** Which word a run of phones is. Twin of `speech/reading/heard.py`. */

import type { Pronunciation } from "../canonical";
import type { PhoneInventory } from "../inventory";
import type { Pronouncer } from "../pronunciation";

const LEAST = 4;
const LEAST_RARE = 5;

/** Words whose phones, with spaces between, are one of some forms. */
type Words = (forms: ReadonlySet<string>) => Iterable<string>;

export class HeardWords {
  constructor(
    private readonly inventory: PhoneInventory,
    private readonly pronouncer: Pronouncer,
    /** The commonest short words by their phones. */
    private readonly common: Readonly<Record<string, string>>,
  ) {}

  /** A word that is said with these phones; null where none is, or where it may be several. */
  word(phones: readonly string[], text: Pronunciation): string | null {
    const said = new Set([phones.join(" ")]);
    const near = phones.length >= LEAST ? this.oneOff(phones) : new Set<string>();
    const own = valuesOf(formsOf(text));
    const common = valuesOf(new Map(Object.entries(this.common)));
    const rare: Words = (forms) =>
      phones.length >= LEAST_RARE ? this.pronouncer.wordsOf(forms) : [];
    const tried: readonly (readonly [Words, ReadonlySet<string>])[] = [
      [own, said],
      [common, said],
      [own, near],
      [common, near],
      [rare, said],
      [rare, near],
    ];
    for (const [source, forms] of tried) {
      const found = [...new Set(source(forms))];
      if (found.length) return found.length === 1 ? found[0] : null;
    }
    return null;
  }

  private oneOff(said: readonly string[]): Set<string> {
    const symbols = this.inventory.phones.map(({ symbol }) => symbol);
    const forms = new Set<string>();
    const put = (from: number, past: number, more: readonly string[]) =>
      forms.add([...said.slice(0, from), ...more, ...said.slice(past)].join(" "));
    for (let i = 0; i <= said.length; i++) {
      for (const symbol of symbols) put(i, i, [symbol]);
      if (i === said.length) break;
      for (const symbol of symbols) put(i, i + 1, [symbol]);
      put(i, i + 1, []);
    }
    return forms;
  }
}

/** Words of a text by their phones, of several the first. */
function formsOf({ words }: Pronunciation): Map<string, string> {
  const forms = new Map<string, string>();
  for (const { word, variants } of words) {
    for (const { phones } of variants) {
      const form = phones.join(" ");
      if (!forms.has(form)) forms.set(form, word);
    }
  }
  return forms;
}

const valuesOf =
  (words: ReadonlyMap<string, string>): Words =>
  (forms) =>
    [...forms].flatMap((form) => words.get(form) ?? []);
