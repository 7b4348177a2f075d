/** Whether the melody ends as the punctuation asks for. Twin of `scoring/prosody/intonation.py`. */

import type { Intonation } from "../../assessment";
import { quantile } from "../../matrix";
import { FINAL_S, type SentenceType } from "../../speech/prosody/contour";
import { MIN_NATIVES, type NativeProsody } from "./natives";

export const GLISSANDO_THRESHOLD = 0.32 / FINAL_S ** 2;
const HIGH_SEMITONES = 1.0;
const END_POINTS = 3;
const UNFIT_SHARE = 0.05;
const MIN_VOICES = 3;

type Movement = NonNullable<Intonation["observed"]>;

/** What the end of the melody of an English text does, and whether it fits; null without a text. */
export function judgeEnding(
  finalSlope: number | null,
  contour: readonly number[],
  text: string,
  sentence: SentenceType | null,
  natives: NativeProsody,
): Intonation | null {
  if (!text || sentence === null) return null;
  const observed = movement(finalSlope);
  const nothing = { expected: null, observed, fits: null, judged_by: null };
  if (observed === null || finalSlope === null) return nothing;
  if (!/[.!?…？؟]["'»”)\s]*$/u.test(text)) return nothing;
  const expected = sentence === "yes_no_question" ? "rise" : "fall";
  // the sign turns what is worse downwards: rises where a fall is due, falls where a rise is
  const sign = expected === "rise" ? 1 : -1;
  const { slopes, voices } = natives.endings(sentence);
  if (slopes.length >= MIN_NATIVES && voices >= MIN_VOICES) {
    const edge = quantile(slopes.map((slope) => sign * slope), UNFIT_SHARE);
    return { expected, observed, fits: sign * finalSlope >= edge, judged_by: "natives" };
  }
  const high = quantile(contour.slice(-END_POINTS), 0.5) >= HIGH_SEMITONES;
  const fits = fitsByRule(sentence, observed, high);
  return { expected, observed, fits, judged_by: fits === null ? null : "rule" };
}

function movement(finalSlope: number | null): Movement | null {
  if (finalSlope === null) return null;
  if (Math.abs(finalSlope) < GLISSANDO_THRESHOLD) return "level";
  return finalSlope > 0 ? "rise" : "fall";
}

function fitsByRule(sentence: SentenceType, observed: Movement, high: boolean): boolean | null {
  if (sentence === "yes_no_question") return observed === "rise" || (observed === "level" && high);
  if (sentence === "wh_question") return observed === "rise" ? null : true;
  return !(observed === "rise" && high);
}
