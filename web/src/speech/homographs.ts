/** Words that are written alike and said in several ways. Twin of `speech/homographs.py`. */

const REACH = 3;
const OTHERWISE = "otherwise";

export interface HomographReading {
  readonly kinds: readonly string[];
  readonly forms: readonly string[];
  readonly beside: readonly string[];
}

export interface HomographRules {
  readonly homographs: Readonly<Record<string, readonly HomographReading[]>>;
  readonly word_sets: Readonly<Record<string, readonly string[]>>;
}

/** Phones of the forms that the i-th word of a text has in it; none for a word that is no homograph. */
export function formsOf(rules: HomographRules, words: readonly string[], i: number): string[] {
  const known = Object.hasOwn(rules.homographs, words[i]) ? rules.homographs[words[i]] : [];
  if (!known.length) return [];
  const near = [...words.slice(Math.max(0, i - REACH), i), ...words.slice(i + 1, i + 1 + REACH)];
  let chosen = known.filter((reading) => reading.beside.some((word) => near.includes(word)));
  if (chosen.length !== 1) {
    const possible = new Set(known.flatMap((reading) => reading.kinds));
    const kind = new Sentence(rules, words).kind(i, possible) || OTHERWISE;
    chosen = known.filter((reading) => reading.kinds.includes(kind));
  }
  return [...new Set((chosen.length ? chosen : known).flatMap((reading) => reading.forms))];
}

class Sentence {
  constructor(
    private readonly rules: HomographRules,
    private readonly words: readonly string[],
  ) {}

  /** Noun, verb, adjective or past; empty where the words around do not tell. */
  kind(i: number, possible: ReadonlySet<string>): string {
    const before = this.before(i);
    const after = this.words[i + 1] ?? "";
    let kind = "";
    if (possible.has("past")) kind = this.tense(i, before);
    else if (this.is(before, "before-verb") || this.inverted(i)) kind = "verb";
    else if (
      this.is(before, "determiners") ||
      (before === "her" && !this.is(after, "objects"))
    ) {
      const attributive = after && !this.is(after, "breaks", "prepositions", "determiners");
      kind = attributive ? "adjective" : "noun";
      if (!possible.has(kind)) kind = possible.has("noun") ? "noun" : "";
    } else if (this.is(before, "copulas") && possible.has("adjective")) kind = "adjective";
    else if (this.is(before, "prepositions") && possible.has("noun")) kind = "noun";
    else if (
      this.subject(before) ||
      this.is(before, "causatives") ||
      this.is(after, "objects")
    ) {
      kind = "verb";
    } else if (this.is(after, "determiners") && !this.is(before, "copulas")) kind = "verb";
    else if (["of", "is", "was", "has"].includes(after)) kind = "noun";
    return possible.has(kind) ? kind : "";
  }

  private tense(i: number, before: string): string {
    if (this.is(before, "before-verb", "causatives") || this.inverted(i)) return "verb";
    const perfect = i >= 2 && this.is(this.words[i - 2], "perfects");
    if (this.is(before, "perfects", "passives") || perfect) return "past";
    if (this.is(before, "determiners", "prepositions")) return "noun";
    const past = this.words.some((word) => this.is(word, "past-times"));
    if (this.is(before, "singular-subjects") || past) return "past";
    const present = this.words.some((word) => this.is(word, "present-times"));
    return !before || (this.subject(before) && present) ? "verb" : "";
  }

  private is(word: string, ...sets: string[]): boolean {
    return sets.some((name) => this.rules.word_sets[name]?.includes(word));
  }

  private subject(word: string): boolean {
    return this.is(word, "subjects", "singular-subjects");
  }

  /** The word before, adverbs passed over. */
  private before(i: number): string {
    const earlier = this.words.slice(0, i).reverse();
    return earlier.find((word) => !this.is(word, "adverbs")) ?? "";
  }

  /** Whether an auxiliary stands before the subject: *did you read*. */
  private inverted(i: number): boolean {
    const auxiliary = i >= 2 ? this.words[i - 2] : "";
    return (
      this.is(auxiliary, "before-verb") && auxiliary !== "to" && this.subject(this.words[i - 1])
    );
  }
}
