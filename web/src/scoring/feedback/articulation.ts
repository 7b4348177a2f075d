/** Advice that a learner can act on. Twin of `scoring/feedback/articulation.py`. */

import type { Advice } from "../../assessment";
import type { PhoneInventory } from "../../speech/inventory";

/** What the pack has worked out of phones and pairs of phones: numbers stand for cues. */
export interface AdvicePack {
  /** English texts by their keys. */
  readonly texts: Readonly<Record<string, string>>;
  readonly cues: readonly (readonly (readonly string[])[])[];
  readonly make: Readonly<Record<string, number>>;
  readonly change: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Under two phones: how much hangs on them, and pairs of words, that of the first one first. */
  readonly contrasts: Readonly<Record<string, readonly [number, readonly [string, string][]]>>;
  readonly first_languages: readonly FirstLanguage[];
}

export interface FirstLanguage {
  /** Its tag first. */
  readonly names: readonly string[];
  readonly tag: string;
  readonly name: string;
  readonly has: readonly string[];
  readonly lacks: readonly string[];
}

/** Where in a word or a text something was heard, or was not. */
export type Where = Pick<Advice, "place" | "words" | "more">;

export const NOWHERE: Where = { place: null, words: [], more: false };

export class Articulation {
  constructor(
    private readonly inventory: PhoneInventory,
    private readonly pack: AdvicePack,
  ) {}

  substituted(heard: string, meant: string, where: Where): Advice {
    return this.advice("substituted", meant, heard, where, this.pack.change[heard][meant]);
  }

  accented(meant: string, heard: string | null, where: Where): Advice {
    if (heard === null || this.inventory.ipa(heard) === this.inventory.ipa(meant)) {
      return this.advice("unlike", meant, null, where, this.pack.make[meant]);
    }
    return this.advice("close", meant, heard, where, this.pack.change[heard][meant]);
  }

  deleted(meant: string, where: Where): Advice {
    return this.advice("deleted", meant, null, where, this.pack.make[meant]);
  }

  inserted(phone: string, where: Where): Advice {
    const meant = this.inventory.ipa(phone);
    return { kind: "inserted", meant, heard: null, ...where, cues: [["next"]] };
  }

  private advice(
    kind: Advice["kind"],
    meant: string,
    heard: string | null,
    where: Where,
    told: number,
  ): Advice {
    return {
      kind,
      meant: this.inventory.ipa(meant),
      heard: heard && this.inventory.ipa(heard),
      ...where,
      cues: this.pack.cues[told].map((cue) => [...cue]),
    };
  }
}
