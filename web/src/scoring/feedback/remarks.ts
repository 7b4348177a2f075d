/**
 * The sentences of an assessment: one per faulty phone, and the few that are worth most. Twin of
 * `scoring/feedback/remarks.py`.
 */

import type {
  Advice,
  Assessment,
  Insertion,
  NewSound,
  PhoneAssessment,
  Remark,
  WordAssessment,
} from "../../assessment";
import type { PhoneInventory } from "../../speech/inventory";
import { LIKELY, isFlagged } from "../grading";
import {
  Articulation,
  NOWHERE,
  type AdvicePack,
  type FirstLanguage,
  type Where,
} from "./articulation";
import { sentence } from "./sentences";

const MAX_REMARKS = 3;
const LOAD_FLOOR = 0.1;
const MAX_WORDS = 3;
const MAX_NAMED = 40;

/** The phone that a deleted phone is heard as. */
const NOTHING = "";

interface PhoneError {
  readonly place: [number, number];
  readonly word: string;
  readonly phone: PhoneAssessment;
  readonly heard: string | null;
}

export class Feedback {
  private readonly articulation: Articulation;

  constructor(
    private readonly inventory: PhoneInventory,
    private readonly pack: AdvicePack,
  ) {
    this.articulation = new Articulation(inventory, pack);
  }

  /** Put an assessment into words; `l1` is the learner's first language, a tag or an English name. */
  of(result: Assessment, l1: string | null): Assessment {
    const first = l1 === null ? null : this.firstLanguage(l1);
    const unknown = l1 !== null && first === null ? [this.notKnown(l1)] : [];
    return {
      ...result,
      words: result.words.map((word) => this.withSentences(word)),
      insertions: result.insertions.map((extra) => this.withSentence(extra, result.words)),
      remarks: this.remarks(result.words, first),
      warnings: [...result.warnings, ...unknown],
    };
  }

  private firstLanguage(name: string): FirstLanguage | null {
    const wanted = name.trim().toLowerCase();
    const known = this.pack.first_languages;
    const called = (by: string) => known.find(({ names }) => names.includes(by));
    return called(wanted) ?? called(wanted.split(/[-_]/)[0]) ?? null;
  }

  private notKnown(name: string): string {
    const tags = this.pack.first_languages.map(({ names }) => names[0]).sort();
    const listed = `${tags.slice(0, MAX_NAMED).join(", ")}${tags.length > MAX_NAMED ? " …" : ""}`;
    return (
      `No sounds are known of the first language '${name}', so no remark says which sounds are ` +
      `new to its speakers. Known: ${listed}.`
    );
  }

  private withSentences(word: WordAssessment): WordAssessment {
    const { phones } = word;
    const told = phones.map((phone, i) => {
      if (word.omitted || !needsWork(phone)) return phone;
      // what was said can be heard in its place; what was left out cannot
      const where = phone.verdict === "deleted" ? position(i, phones.length) : NOWHERE;
      const advice = this.advice(phone, heardAs(phone), where);
      return { ...phone, feedback: sentence(advice, this.pack.texts), advice };
    });
    return { ...word, phones: told };
  }

  private withSentence(extra: Insertion, words: readonly WordAssessment[]): Insertion {
    const after = extra.after_word_index;
    const where: Where =
      after >= 0
        ? { ...NOWHERE, place: "after", words: [words[after].word] }
        : { ...NOWHERE, place: "before" };
    const advice = this.articulation.inserted(extra.phone, where);
    return { ...extra, feedback: sentence(advice, this.pack.texts) };
  }

  private advice(phone: PhoneAssessment, heard: string | null, where: Where): Advice {
    if (phone.verdict === "deleted") return this.articulation.deleted(phone.phone, where);
    if (heard === null || phone.verdict === "accented") {
      return this.articulation.accented(phone.phone, heard, where);
    }
    return this.articulation.substituted(heard, phone.phone, where);
  }

  private remarks(words: readonly WordAssessment[], first: FirstLanguage | null): Remark[] {
    const byPhone = new Map<string, PhoneError[]>();
    for (const error of errorsOf(words)) {
      const { phone } = error.phone;
      byPhone.set(phone, [...(byPhone.get(phone) ?? []), error]);
    }
    const worth = (errors: readonly PhoneError[]) =>
      errors.reduce((sum, error) => sum + this.worth(error), 0);
    const ranked = [...byPhone.values()].sort((one, other) => worth(other) - worth(one));
    return ranked.slice(0, MAX_REMARKS).map((errors) => this.remark(errors, first));
  }

  private worth(error: PhoneError): number {
    const other = confusedWith(error);
    const contrast = other === null ? undefined : this.pack.contrasts[contrastOf(error, other)];
    return (LOAD_FLOOR + (contrast?.[0] ?? 0)) * confidence(error);
  }

  /** All errors on one phone; what is said is that of the worst one and of those like it. */
  private remark(errors: readonly PhoneError[], first: FirstLanguage | null): Remark {
    const worst = errors.reduce((so, error) => (this.worth(error) > this.worth(so) ? error : so));
    const { phone } = worst.phone;
    const alike = errors.filter(
      ({ phone, heard }) => phone.verdict === worst.phone.verdict && heard === worst.heard,
    );
    const confused = confusedWith(worst);
    const contrast = confused === null ? undefined : this.pack.contrasts[contrastOf(worst, confused)];
    const advice = this.advice(
      worst.phone,
      worst.heard,
      inWords(alike.map(({ word }) => word)),
    );
    return {
      text: sentence(advice, this.pack.texts),
      phone,
      ipa: this.inventory.ipa(phone),
      heard: worst.heard,
      heard_ipa: worst.heard === null ? null : this.inventory.ipa(worst.heard),
      places: errors.map(({ place }) => place),
      minimal_pairs: [...(contrast?.[1] ?? [])],
      l1_note: first && this.note(first, phone, worst.heard),
      advice,
      new_sound: first && newSound(first, phone, worst.heard),
    };
  }

  private note(first: FirstLanguage, meant: string, heard: string | null): string | null {
    const told = newSound(first, meant, heard);
    if (told === null) return null;
    const wanted = this.inventory.ipa(meant);
    if (heard !== null && told.has_heard) {
      return `${first.name} has /${this.inventory.ipa(heard)}/ but no /${wanted}/.`;
    }
    return `${first.name} has no /${wanted}/.`;
  }
}

/** Whether the learner is told to work on it: flagged, and as likely as not wrong. */
function needsWork({ verdict, probability_mispronounced: probability }: PhoneAssessment): boolean {
  return isFlagged(verdict) && (probability === null || probability >= LIKELY);
}

/** The other phone that the sound resembles most; null where there is none. */
function heardAs(phone: PhoneAssessment): string | null {
  if (phone.verdict === "deleted") return null;
  return phone.sounds_like.find((each) => each.phone !== phone.phone)?.phone ?? null;
}

function errorsOf(words: readonly WordAssessment[]): PhoneError[] {
  return words.flatMap(({ word, omitted, phones }, i) =>
    phones.flatMap((phone, j): PhoneError[] =>
      omitted || !needsWork(phone) ? [] : [{ place: [i, j], word, phone, heard: heardAs(phone) }],
    ),
  );
}

/** Probability of an error; where none is known, how far the score falls short. */
function confidence({ phone }: PhoneError): number {
  return phone.probability_mispronounced ?? 1 - (phone.score ?? 0) / 100;
}

function confusedWith({ phone, heard }: PhoneError): string | null {
  return phone.verdict === "deleted" ? NOTHING : heard;
}

function contrastOf({ phone }: PhoneError, other: string): string {
  return `${phone.phone} ${other}`;
}

/** A sound that is new to speakers of a first language; null where it is not, or not certain. */
function newSound(first: FirstLanguage, meant: string, heard: string | null): NewSound | null {
  if (!first.lacks.includes(meant)) return null;
  const hasHeard = heard !== null && first.has.includes(heard);
  return { language: first.tag || first.name, has_heard: hasHeard };
}

function position(i: number, phones: number): Where {
  if (phones === 1) return NOWHERE;
  const place = i === 0 ? "beginning" : i === phones - 1 ? "end" : "middle";
  return { ...NOWHERE, place };
}

function inWords(words: readonly string[]): Where {
  const named = [...new Set(words)];
  return { place: "in", words: named.slice(0, MAX_WORDS), more: named.length > MAX_WORDS };
}
