/** Fundamental frequency, limits from the speaker's own voice. Twin of `speech/prosody/pitch.py`. */

import { known, quantile, rounded } from "../../matrix";
import { SAMPLE_RATE } from "../log_mel";
import { searched } from "./autocorrelation";

export const HOP_S = 0.01;
const WIDEST_HZ = [60, 700] as const;
const LOWER_QUARTILE_FACTOR = 0.6;
const UPPER_QUARTILE_FACTOR = 1.9;
const JUMP_SEMITONES = 9;
const JUMP_WINDOW_S = 0.25;
const SHORTEST_VOICING_FRAMES = 3;

/** F0 of T frames; NaN where unvoiced. */
export class Pitch {
  readonly voiced: Uint8Array;
  readonly voicedFrames: number;
  readonly medianHz: number;
  /** Above the median; NaN where unvoiced. */
  readonly semitones: Float64Array;

  constructor(
    readonly tS: Float64Array,
    readonly f0Hz: Float64Array,
  ) {
    this.voiced = Uint8Array.from(f0Hz, (hz) => Number(!Number.isNaN(hz)));
    this.voicedFrames = known(f0Hz).length;
    this.medianHz = quantile(known(f0Hz), 0.5);
    this.semitones = f0Hz.map((hz) => 12 * Math.log2(hz / this.medianHz));
  }

  /** The frames whose centres lie in `[startS, endS)`, as a half-open range. */
  within(startS: number, endS: number): [number, number] {
    const first = place(this.tS, startS);
    return [first, Math.max(place(this.tS, endS), first)];
  }
}

/** How many of ascending times lie before one. */
export function place(times: Float64Array, at: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function trackPitch(samples: Float32Array): Pitch {
  const first = search(samples, ...WIDEST_HZ);
  const heard = known(first.f0Hz);
  if (!heard.length) return first;
  const floor = Math.max(WIDEST_HZ[0], LOWER_QUARTILE_FACTOR * quantile(heard, 0.25));
  const ceiling = Math.min(WIDEST_HZ[1], UPPER_QUARTILE_FACTOR * quantile(heard, 0.75));
  const second = search(samples, floor, ceiling);
  return new Pitch(second.tS, withoutJumps(second.f0Hz));
}

/** A track without octave jumps and without voicing of a frame or two. */
function withoutJumps(f0Hz: Float64Array): Float64Array {
  const reach = rounded(JUMP_WINDOW_S / HOP_S);
  const semitones = f0Hz.map((hz) => 12 * Math.log2(hz));
  const kept = f0Hz.map((hz, i) => {
    const around = known(semitones.subarray(Math.max(i - reach, 0), i + reach + 1));
    return Math.abs(semitones[i] - quantile(around, 0.5)) > JUMP_SEMITONES ? NaN : hz;
  });
  for (const [start, stop] of runs(kept, (hz) => !Number.isNaN(hz))) {
    if (stop - start < SHORTEST_VOICING_FRAMES) kept.fill(NaN, start, stop);
  }
  return kept;
}

/** Half-open ranges of values that something holds of, in order. */
export function runs(
  values: Float64Array | Uint8Array,
  holds: (value: number) => boolean,
): [number, number][] {
  const found: [number, number][] = [];
  let start = -1;
  for (let i = 0; i <= values.length; i++) {
    const inside = i < values.length && holds(values[i]);
    if (inside && start < 0) start = i;
    if (!inside && start >= 0) {
      found.push([start, i]);
      start = -1;
    }
  }
  return found;
}

function search(samples: Float32Array, floorHz: number, ceilingHz: number): Pitch {
  if (samples.length / SAMPLE_RATE < 3 / floorHz + 2 * HOP_S) {
    return new Pitch(new Float64Array(0), new Float64Array(0));
  }
  const { tS, f0Hz } = searched(samples, HOP_S, floorHz, ceilingHz);
  return new Pitch(
    tS,
    f0Hz.map((hz) => (hz > 0 ? hz : NaN)),
  );
}
