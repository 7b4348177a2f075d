/**
 * What a text sounds like. Twin of `speech/pronunciation.py` and `speech/english.py`, for words
 * that the dictionary has: what it lacks is refused, and may be asked of a service instead.
 */

import { NativeEarError } from "../errors";
import type { PhoneSequence, Pronunciation } from "./canonical";
import type { Merger } from "./forms";
import { formsOf, type HomographRules } from "./homographs";
import { syllabify } from "./syllables";

export interface ReadingRules extends HomographRules {
  readonly onsets: readonly string[];
  readonly mergers: readonly Merger[];
}

const APOSTROPHES = /[’‘ʼ＇′`´]/gu;
const DASHES = /[‐‑]/gu;
/** Words as the dictionary may have them, or anything else that is not space or punctuation. */
const TOKENS = /'?\p{L}\p{M}*(?:['-]?\p{L}\p{M}*)*'?|[\p{N}\p{S}]+/gu;
const STEM = /^(.+[^\Ws])('?s)$|^(.+s)'s?$/iu;
const MISSING = "No pronunciation is known for ";

export class Pronouncer {
  private readonly lines: ReadonlyMap<string, string>;
  private readonly onsets: ReadonlySet<string>;

  constructor(
    lexicon: string,
    private readonly rules: ReadingRules,
    private readonly isSyllabic: (phone: string) => boolean,
  ) {
    const lines = lexicon.split("\n").map((line) => line.split("\t") as [string, string]);
    this.lines = new Map(lines);
    this.onsets = new Set(rules.onsets);
  }

  /** The words of a text with all their pronunciations. */
  pronounce(text: string): Pronunciation {
    const words = this.words(text);
    const small = words.map((word) => word.toLowerCase());
    if (!words.length) {
      throw new NativeEarError(
        "The text has no words.",
        "no-pronunciation",
        "",
        "Give the words that are read in the recording.",
      );
    }
    const found = words.map((word, i) => ({ word, variants: this.asRead(small, i) }));
    const missing = new Set(found.filter((w) => !w.variants.length).map((w) => `"${w.word}"`));
    if (missing.size) {
      throw new NativeEarError(
        `${MISSING}${[...missing].join(", ")}.`,
        "no-pronunciation",
        "The dictionary of this page does not have it, and numbers and signs are not read here.",
        "Write it as words, or give what `POST /v1/pronunciations` of a service answers.",
      );
    }
    return { words: found, warnings: [] };
  }

  /**
   * For each of some runs of phones, without stress, a word that is said so: of several the
   * shortest, and the first of these in the alphabet. Twin of `words_by_phones`.
   */
  wordsOf(runs: ReadonlySet<string>): Iterable<string> {
    const found = new Map<string, string>();
    for (const [word, forms] of this.lines) {
      if (!/^\p{L}+$/u.test(word)) continue;
      for (const form of forms.replace(/\d/g, "").split("|")) {
        const known = found.get(form);
        if (runs.has(form) && (known === undefined || word.length < known.length)) {
          found.set(form, word); // the lines are in the order of the alphabet
        }
      }
    }
    return found.values();
  }

  /** The words as they are written, quotation marks and unknown hyphens off. */
  private words(text: string): string[] {
    const plain = text.normalize("NFC").replace(APOSTROPHES, "'").replace(DASHES, "-");
    return (plain.match(TOKENS) ?? []).flatMap((token) => {
      const trimmed = this.trimmed(token);
      if (!trimmed.includes("-") || this.knows(trimmed)) return [trimmed];
      const joined = trimmed.replaceAll("-", "");
      if (this.knows(joined)) return [joined];
      return trimmed.split("-").map((part) => this.trimmed(part));
    });
  }

  private trimmed(token: string): string {
    const forms = [token, token.replace(/^'/, ""), token.replace(/'$/, "")];
    return forms.find((form) => this.knows(form)) ?? token.replace(/^'+|'+$/g, "");
  }

  private knows(word: string): boolean {
    return this.variants(word.toLowerCase()).length > 0;
  }

  /** A homograph with the forms that its sentence calls for; any other word with all. */
  private asRead(words: readonly string[], i: number): readonly PhoneSequence[] {
    const variants = this.variants(words[i]);
    const chosen = formsOf(this.rules, words, i);
    if (!chosen.length || !variants.length) return variants;
    const forms = chosen.map((form) => this.sequence(form, "homographs"));
    const readings = this.rules.homographs[words[i]].flatMap((reading) => reading.forms);
    const told = new Set(readings.map((form) => form.replace(/\d/g, "")));
    return [...forms, ...variants.filter((form) => !told.has(form.phones.join(" ")))];
  }

  /** Every pronunciation of a word, also without its accents or as a stem with an s. */
  private variants(word: string): PhoneSequence[] {
    const plain = word.normalize("NFD").replace(/\p{Mn}/gu, "");
    for (const form of new Set([word, plain])) {
      const line = this.lines.get(form);
      if (line) return line.split("|").map((phones) => this.sequence(phones, "cmudict"));
    }
    const stem = STEM.exec(word);
    const line = stem && this.lines.get(stem[1] ?? stem[3]);
    if (!line) return [];
    const forms = line.split("|").map((phones) => this.sequence(phones, "cmudict"));
    const unchanged = stem[3] !== undefined && !word.endsWith("'s"); // users' sounds like users
    return unchanged ? forms : forms.map((form) => this.withS(form));
  }

  private withS(form: PhoneSequence): PhoneSequence {
    const last = form.phones[form.phones.length - 1];
    const ending = ["S", "Z", "SH", "ZH", "CH", "JH"].includes(last)
      ? ["IH", "Z"]
      : [["P", "T", "K", "F", "TH"].includes(last) ? "S" : "Z"];
    const phones = [...form.phones, ...ending];
    const stress = [...form.stress, ...(ending.length > 1 ? [0, null] : [null])];
    const syllables = syllabify(phones, this.isSyllabic, this.onsets);
    return { phones, stress, syllables, source: form.source };
  }

  private sequence(labels: string, source: string): PhoneSequence {
    const parts = labels.split(" ");
    const phones = parts.map((label) => label.replace(/\d$/, ""));
    const stress = parts.map((label) => (/\d$/.test(label) ? Number(label.slice(-1)) : null));
    return { phones, stress, syllables: syllabify(phones, this.isSyllabic, this.onsets), source };
  }
}

