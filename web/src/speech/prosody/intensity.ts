/** Intensity, and what of it is quiet. Twin of `speech/prosody/intensity.py`. */

import { interpolated, mean, quantile } from "../../matrix";
import { SAMPLE_RATE } from "../log_mel";
import { framing } from "./autocorrelation";
import { place } from "./pitch";

export const HOP_S = 0.005;
const SHARPEST_HZ = 200;
const QUIET_DB = 25;
const ABOVE_NOISE_DB = 6;
const MIN_NOISE_S = 0.1;
const EDGE_S = 0.03;
/** As Praat counts: periods in a window, the square of 20 µPa, and what silence has. */
const PERIODS = 6.4;
const REFERENCE = 4e-10;
const SILENT_DB = -300;
const STEP_S = 1 / SAMPLE_RATE;

export type Span = readonly [number, number];

export class Intensity {
  /** Below this, a frame is quiet; -Infinity where loud and quiet cannot be told apart. */
  readonly quietDb: number;

  constructor(
    readonly tS: Float64Array,
    readonly db: Float64Array,
  ) {
    const noise = quantile(db, 0.02);
    const loud = quantile(db, 0.95);
    const threshold = Math.max(loud - QUIET_DB, noise + ABOVE_NOISE_DB);
    this.quietDb = threshold < loud - ABOVE_NOISE_DB ? threshold : -Infinity;
  }

  /** The values whose frames lie in `[startS, endS)`; the nearest one if none does. */
  within([startS, endS]: Span): Float64Array {
    const first = place(this.tS, startS);
    const past = place(this.tS, endS);
    if (first < past) return this.db.subarray(first, past);
    const nearest = Math.min(first, this.db.length - 1);
    return this.db.subarray(nearest, nearest + 1);
  }

  /** Interpolated at another time; NaN where nothing was measured. */
  at(tS: number): number {
    return this.tS.length ? interpolated(tS, this.tS, (i) => this.db[i]) : NaN;
  }
}

/** Too short a recording has no frames. */
export function trackIntensity(samples: Float32Array): Intensity {
  const windowS = PERIODS / SHARPEST_HZ;
  if (samples.length / SAMPLE_RATE < windowS + 2 * HOP_S) {
    return new Intensity(new Float64Array(0), new Float64Array(0));
  }
  const { frames, firstS } = framing(samples.length, windowS, HOP_S);
  const half = Math.floor((windowS / 2) * SAMPLE_RATE);
  const window = kaiser(half, (windowS / 2) * SAMPLE_RATE);
  const tS = Float64Array.from({ length: frames }, (_, i) => firstS + i * HOP_S);
  const db = tS.map((at) => {
    const middle = Math.round((at - STEP_S / 2) / STEP_S + 1) - 1;
    const first = Math.max(middle - half, 0);
    const past = Math.min(middle + half + 1, samples.length);
    const centre = mean(samples.subarray(first, past));
    let power = 0;
    let weight = 0;
    for (let i = first; i < past; i++) {
      const heavy = window[i - middle + half];
      power += heavy * (samples[i] - centre) ** 2;
      weight += heavy;
    }
    const level = power / weight / REFERENCE;
    return level < 1e-30 ? SILENT_DB : 10 * Math.log10(level);
  });
  return new Intensity(tS, db);
}

/** Kaiser's window whose side lobes are below -190 dB. */
function kaiser(half: number, width: number): Float64Array {
  return Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const root = 1 - ((i - half) / width) ** 2;
    return root <= 0 ? 0 : bessel((2 * Math.PI ** 2 + 0.5) * Math.sqrt(root));
  });
}

/** The modified function of Bessel of the first kind and order 0. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-16 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** Mean power of speech over that of the noise in its silences, dB; null where it is not known. */
export function signalToNoiseDb(
  intensity: Intensity,
  speech: readonly Span[],
  silences: readonly Span[],
): number | null {
  const noise = silences.flatMap(([startS, endS]) => {
    const first = place(intensity.tS, startS + EDGE_S);
    return [...intensity.db.subarray(first, Math.max(place(intensity.tS, endS - EDGE_S), first))];
  });
  if (noise.length * HOP_S < MIN_NOISE_S || !speech.length) return null;
  const voices = speech.flatMap((span) => [...intensity.within(span)]);
  return 10 * Math.log10(mean(voices.map((db) => 10 ** (db / 10)))) - quantile(noise, 0.5);
}
