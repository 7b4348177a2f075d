/** The shipped encoder's front end: Whisper's log-mel. Twin of `speech/encoders/log_mel.py`. */

import { NativeEarError } from "../errors";
import type { Matrix32 } from "../matrix";

export const SAMPLE_RATE = 16_000;
const N_FFT = 400;
const MEL_HOP = 160;
const N_MELS = 80;
const BINS = N_FFT / 2 + 1;

/** float32 `[80, S / 160]`; `samples` at 16 kHz. */
export function logMel(samples: Float32Array): Matrix32 {
  if (samples.length < 2 * MEL_HOP) {
    throw new NativeEarError("The recording is too short to be heard.", "bad-audio");
  }
  const frames = Math.floor(samples.length / MEL_HOP);
  const { cosines, sines, window } = transform();
  const filters = melFilters();
  const power = new Float64Array(BINS);
  const even = new Float64Array(BINS);
  const odd = new Float64Array(BINS);
  const mel = new Float64Array(frames * N_MELS);
  let highest = -Infinity;
  for (let t = 0; t < frames; t++) {
    // A real signal's transform is that of its even part, real, and of its odd part, imaginary.
    const first = t * MEL_HOP - N_FFT / 2;
    even[0] = window[0] * mirrored(samples, first);
    even[BINS - 1] = window[BINS - 1] * mirrored(samples, first + BINS - 1);
    for (let n = 1; n < BINS - 1; n++) {
      const before = window[n] * mirrored(samples, first + n);
      const behind = window[N_FFT - n] * mirrored(samples, first + N_FFT - n);
      even[n] = before + behind;
      odd[n] = before - behind;
    }
    // Bins from both ends meet in the middle: their waves differ in the sign of every other sample.
    for (let k = 0; k <= (BINS - 1) / 2; k++) {
      let real = even[BINS - 1] * cosines[k * BINS + BINS - 1];
      let imaginary = 0;
      let otherReal = 0;
      let otherImaginary = 0;
      for (let n = 0, at = k * BINS; n < BINS - 1; n += 2, at += 2) {
        real += even[n] * cosines[at];
        imaginary += odd[n] * sines[at];
        otherReal += even[n + 1] * cosines[at + 1];
        otherImaginary += odd[n + 1] * sines[at + 1];
      }
      power[k] = (real + otherReal) ** 2 + (imaginary + otherImaginary) ** 2;
      power[BINS - 1 - k] = (real - otherReal) ** 2 + (imaginary - otherImaginary) ** 2;
    }
    for (let m = 0; m < N_MELS; m++) {
      let sum = 0;
      const { from, weights } = filters[m];
      for (let i = 0; i < weights.length; i++) sum += power[from + i] * weights[i];
      const level = Math.log10(Math.max(sum, 1e-10));
      mel[m * frames + t] = level;
      if (level > highest) highest = level;
    }
  }
  const values = Float32Array.from(mel, (level) => (Math.max(level, highest - 8) + 4) / 4);
  return { rows: N_MELS, columns: frames, values };
}

/** A sample; beyond the ends the signal is mirrored about its first and last one. */
function mirrored(samples: Float32Array, i: number): number {
  const last = samples.length - 1;
  return samples[i < 0 ? -i : i > last ? 2 * last - i : i];
}

interface Transform {
  cosines: Float64Array;
  sines: Float64Array;
  window: Float64Array;
}

let made: Transform | undefined;

function transform(): Transform {
  if (made) return made;
  const cosines = new Float64Array(BINS * BINS);
  const sines = new Float64Array(BINS * BINS);
  for (let k = 0; k < BINS; k++) {
    for (let n = 0; n < BINS; n++) {
      const angle = (2 * Math.PI * ((k * n) % N_FFT)) / N_FFT;
      cosines[k * BINS + n] = Math.cos(angle);
      sines[k * BINS + n] = Math.sin(angle);
    }
  }
  const window = new Float64Array(N_FFT);
  for (let n = 0; n < N_FFT; n++) window[n] = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / N_FFT);
  made = { cosines, sines, window };
  return made;
}

interface Filter {
  from: number;
  weights: Float64Array;
}

let filters: Filter[] | undefined;

/** Slaney's triangles, each of unit area, from their first bin on. */
function melFilters(): Filter[] {
  if (filters) return filters;
  const top = hzToMel(SAMPLE_RATE / 2);
  const edges = Array.from({ length: N_MELS + 2 }, (_, i) => melToHz((top * i) / (N_MELS + 1)));
  filters = Array.from({ length: N_MELS }, (_, m) => {
    const [low, centre, high] = edges.slice(m, m + 3);
    const all = Float64Array.from({ length: BINS }, (_, k) => {
      const hz = (k * SAMPLE_RATE) / N_FFT;
      const height = Math.min((hz - low) / (centre - low), (high - hz) / (high - centre));
      return (Math.max(0, height) * 2) / (high - low);
    });
    const from = all.findIndex((weight) => weight > 0);
    let past = BINS;
    while (past > from && all[past - 1] === 0) past--;
    return from < 0
      ? { from: 0, weights: new Float64Array(0) }
      : { from, weights: all.slice(from, past) };
  });
  return filters;
}

function hzToMel(hz: number): number {
  return hz < 1000 ? (hz * 3) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4);
}

function melToHz(mel: number): number {
  return mel < 15 ? (mel * 200) / 3 : 1000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27);
}
