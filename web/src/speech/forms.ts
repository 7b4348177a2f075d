/** Phones that are as right as those of the form that was read. Twin of `speech/forms.py`. */

import type { Pronunciation } from "./canonical";
import { replaced } from "./sequence_matcher";

export interface Merger {
  readonly phone: string;
  readonly also: string;
  readonly not_before: string;
}

/** Phones that are as right as each canonical one, of the forms that were taken. */
export function acceptedPhones(
  pronunciation: Pronunciation,
  variants: readonly number[],
  mergers: readonly Merger[],
): string[][] {
  return pronunciation.words.flatMap((word, w) => {
    const taken = word.variants[variants[w] ?? 0];
    const others = taken.phones.map(() => new Set<string>());
    for (const form of word.variants) {
      for (const [i, phone] of replaced(taken.phones, form.phones)) others[i].add(phone);
    }
    if (taken.source !== "given") {
      taken.phones.forEach((phone, i) => {
        for (const merger of mergers) {
          if (merger.phone === phone && taken.phones[i + 1] !== merger.not_before) {
            others[i].add(merger.also);
          }
        }
      });
    }
    return others.map((each) => [...each]);
  });
}
