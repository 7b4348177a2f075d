/** What ought to be heard. Twin of `speech/canonical.py`. */

import { NativeEarError } from "../errors";

export interface PhoneSequence {
  readonly phones: readonly string[];
  readonly stress: readonly (number | null)[];
  /** Spans of `phones` as `[first, past_last)`. */
  readonly syllables: readonly (readonly [number, number])[];
  readonly source: string;
}

export interface WordPronunciation {
  readonly word: string;
  readonly variants: readonly PhoneSequence[];
}

/** As `POST /v1/pronunciations` of a service answers. */
export interface Pronunciation {
  readonly words: readonly WordPronunciation[];
  readonly warnings: readonly string[];
  /** What is read, with its punctuation, where that is known. */
  readonly text?: string;
}

/** Refuse what is no pronunciation, or has sounds that the language of the pack has not. */
export function checkPronunciation(told: Pronunciation, has: (phone: string) => boolean): void {
  const isForm = ({ phones, stress, syllables }: PhoneSequence) =>
    phones.length > 0 &&
    stress.length === phones.length &&
    Array.isArray(syllables) &&
    phones.every(has);
  const isWord = ({ word, variants }: WordPronunciation) =>
    typeof word === "string" && variants.length > 0 && variants.every(isForm);
  try {
    if (told.words.length > 0 && told.words.every(isWord) && Array.isArray(told.warnings)) return;
  } catch {
    // It lacks a field.
  }
  throw new NativeEarError(
    "This is neither a text nor a pronunciation by the sounds of this pack.",
    "bad-input",
    "",
    "Give a text, or what `POST /v1/pronunciations` of a service answers for the pack's language.",
  );
}
