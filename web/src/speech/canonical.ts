/** What ought to be heard. Twin of `speech/canonical.py`. */

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
