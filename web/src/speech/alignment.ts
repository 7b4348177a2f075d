/** Phones laid on a recording. Twin of `speech/alignment.py`. */

export const SILENCE = "SIL";

export interface AlignedPhone {
  readonly phone: string;
  readonly startS: number;
  readonly endS: number;
  /** -1 for a silence. */
  readonly wordIndex: number;
}

export interface Alignment {
  readonly phones: readonly AlignedPhone[];
  /** Per word, which of its forms was taken. */
  readonly variants: readonly number[];
}

export function isSilence(phone: AlignedPhone): boolean {
  return phone.wordIndex < 0;
}

export function durationS(phone: AlignedPhone): number {
  return phone.endS - phone.startS;
}

export function spoken(alignment: Alignment): AlignedPhone[] {
  return alignment.phones.filter((phone) => !isSilence(phone));
}
