/** The phones of a language. Twin of `speech/inventory.py`. */

import type { Matrix } from "../matrix";

export interface Phone {
  readonly symbol: string;
  readonly ipa: string;
  readonly vowel: boolean;
  readonly syllabic: boolean;
}

export class PhoneInventory {
  private readonly bySymbol: ReadonlyMap<string, Phone>;

  constructor(
    readonly phones: readonly Phone[],
    /** Phones and other columns, and how far each is from each. */
    private readonly columns: readonly string[],
    readonly distances: Matrix,
  ) {
    this.bySymbol = new Map(phones.map((phone) => [phone.symbol, phone]));
  }

  has(symbol: string): boolean {
    return this.bySymbol.has(symbol);
  }

  ipa(symbol: string): string {
    return this.bySymbol.get(symbol)!.ipa;
  }

  isVowel(symbol: string): boolean {
    return this.bySymbol.get(symbol)!.vowel;
  }

  isSyllabic(symbol: string): boolean {
    return this.bySymbol.get(symbol)!.syllabic;
  }

  /** Feature distance of two phones; NaN where one is none. */
  distance(one: string, other: string): number {
    if (!this.has(one) || !this.has(other)) return NaN;
    const row = this.columns.indexOf(one);
    const place = this.columns.indexOf(other);
    return this.distances.values[row * this.distances.columns + place];
  }
}
