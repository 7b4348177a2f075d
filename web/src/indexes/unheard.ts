/** Evidence on natives who were not heard. Twin of `indexes/unheard.py`. */

import { logQuantile, type NativeMargins } from "./native_margins";

export interface UnheardNatives {
  readonly known: NativeMargins;
  readonly shift: number;
}

/** ln of the share of new natives' phones with no larger sum. */
export function logShare({ known, shift }: UnheardNatives, sum: number): number {
  const own = logQuantile(known, sum);
  return own + shift - Math.log1p(Math.expm1(shift) * Math.exp(own));
}
