/** Rhythm from vocalic and consonantal intervals. Twin of `speech/prosody/rhythm.py`. */

import { deviation, mean } from "../../matrix";
import { durationS, isSilence, type AlignedPhone } from "../alignment";
import type { PhoneInventory } from "../inventory";

const MIN_INTERVALS = 5;

export interface Rhythm {
  readonly npvi_v: number | null;
  readonly rpvi_c: number | null;
  readonly percent_v: number | null;
  readonly varco_v: number | null;
  readonly varco_c: number | null;
  readonly delta_c: number | null;
}

const NONE: Rhythm = {
  npvi_v: null,
  rpvi_c: null,
  percent_v: null,
  varco_v: null,
  varco_c: null,
  delta_c: null,
};

interface Interval {
  readonly vowel: boolean;
  seconds: number;
}

/** Rhythm of phones and silences in order; `breaks` are times of pauses inside phones. */
export function measureRhythm(
  phones: readonly AlignedPhone[],
  inventory: PhoneInventory,
  breaks: readonly number[],
): Rhythm {
  const stretches = intervals(phones, inventory, breaks);
  const all = stretches.flat();
  const vowels = all.filter(({ vowel }) => vowel).map(({ seconds }) => seconds);
  const consonants = all.filter(({ vowel }) => !vowel).map(({ seconds }) => seconds);
  if (Math.min(vowels.length, consonants.length) < MIN_INTERVALS) return NONE;
  const relative = pairs(stretches, true).map(([a, b]) => (2 * Math.abs(a - b)) / (a + b));
  const absolute = pairs(stretches, false).map(([a, b]) => Math.abs(a - b));
  const vocalic = vowels.reduce((sum, seconds) => sum + seconds, 0);
  const other = consonants.reduce((sum, seconds) => sum + seconds, 0);
  return {
    npvi_v: relative.length ? 100 * mean(relative) : null,
    rpvi_c: absolute.length ? 1000 * mean(absolute) : null,
    percent_v: (100 * vocalic) / (vocalic + other),
    varco_v: (100 * deviation(vowels, 1)) / mean(vowels),
    varco_c: (100 * deviation(consonants, 1)) / mean(consonants),
    delta_c: 1000 * deviation(consonants, 1),
  };
}

/** Stretches between silences, each as intervals. */
function intervals(
  phones: readonly AlignedPhone[],
  inventory: PhoneInventory,
  breaks: readonly number[],
): Interval[][] {
  const stretches: Interval[][] = [[]];
  for (const phone of phones) {
    // a phone with a hesitation inside has a length that says nothing
    if (isSilence(phone) || breaks.some((at) => phone.startS <= at && at < phone.endS)) {
      stretches.push([]);
      continue;
    }
    const vowel = inventory.isSyllabic(phone.phone);
    const stretch = stretches[stretches.length - 1];
    const last = stretch[stretch.length - 1];
    if (last && last.vowel === vowel) last.seconds += durationS(phone);
    else stretch.push({ vowel, seconds: durationS(phone) });
  }
  return stretches;
}

function pairs(stretches: readonly (readonly Interval[])[], vowel: boolean): [number, number][] {
  return stretches.flatMap((stretch) => {
    const own = stretch.filter((each) => each.vowel === vowel && each.seconds > 0);
    return own.slice(1).map(({ seconds }, i): [number, number] => [own[i].seconds, seconds]);
  });
}
