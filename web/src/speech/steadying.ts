/** A recording as it is heard. Twin of `speech/steadying.py`. */

import { SAMPLE_RATE } from "./log_mel";

const WINDOW = Math.round(0.05 * SAMPLE_RATE);
const SOUND_DB = -35;
const MARGIN = Math.round(0.3 * SAMPLE_RATE);
const LOUDEST_DB = -12;

export interface Steadied {
  readonly samples: Float32Array;
  /** Where in the recording they begin, in seconds; below 0 if filled. */
  readonly startS: number;
}

/** Cut a recording to the sound in it, and bring it to one level. */
export function steadied(samples: Float32Array): Steadied {
  const length = samples.length;
  const energy = new Float64Array(length + 1);
  for (let i = 0; i < length; i++) energy[i + 1] = energy[i] + samples[i] * samples[i];
  const sums = new Float64Array(length + WINDOW - 1);
  let highest = 0;
  for (let i = 0; i < sums.length; i++) {
    const past = energy[Math.min(i + 1, length)];
    sums[i] = i >= WINDOW ? past - energy[i - WINDOW + 1] : past;
    if (sums[i] > highest) highest = sums[i];
  }
  const loudest = highest / WINDOW;
  if (loudest === 0) return { samples: samples.slice(), startS: 0 };
  const least = loudest * WINDOW * 10 ** (SOUND_DB / 10);
  let from = 0;
  while (sums[from] < least) from++;
  let to = sums.length - 1;
  while (sums[to] < least) to--;
  const first = from - (WINDOW >> 1) - MARGIN;
  const past = to - (WINDOW >> 1) + MARGIN;
  const gain = Math.fround(Math.sqrt(10 ** (LOUDEST_DB / 10) / loudest));
  const heard = new Float32Array(past - first);
  for (let i = Math.max(first, 0); i < Math.min(past, length); i++) {
    heard[i - first] = samples[i] * gain;
  }
  return { samples: heard, startS: first / SAMPLE_RATE };
}
