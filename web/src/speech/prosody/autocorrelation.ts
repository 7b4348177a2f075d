/**
 * Fundamental frequency by autocorrelation, after Boersma, Proceedings of the Institute of Phonetic
 * Sciences 17 (1993), with the settings of Praat, which the twin of `pitch.ts` asks.
 */

import { Fourier, powerOfTwo } from "./fourier";
import { SAMPLE_RATE } from "../log_mel";

const PERIODS = 3;
const MOST_CANDIDATES = 15;
const SILENCE = 0.03;
const VOICING = 0.45;
const OCTAVE_COST = 0.01;
const JUMP_COST = 0.35;
const VOICE_COST = 0.14;
const DEPTH = 70;

/** Frames of a hop in the middle of samples: how many fit a window, and when the first one is. */
export function framing(
  samples: number,
  windowS: number,
  hopS: number,
): { frames: number; firstS: number } {
  const durationS = samples * (1 / SAMPLE_RATE); // so divided, halves of samples fall as Praat's
  const frames = Math.max(Math.floor((durationS - windowS) / hopS) + 1, 0);
  return { frames, firstS: durationS / 2 - (frames * hopS) / 2 + hopS / 2 };
}

interface Candidates {
  /** Hz; 0 is no voice, and comes first. */
  readonly hz: number[];
  readonly strength: number[];
}

/** F0 of every frame, 0 where unvoiced, and when each is. */
export function searched(
  samples: Float32Array,
  hopS: number,
  floorHz: number,
  ceilingHz: number,
): { tS: Float64Array; f0Hz: Float64Array } {
  const search = new Search(samples, floorHz, ceilingHz);
  const { frames, firstS } = framing(samples.length, PERIODS / floorHz, hopS);
  const tS = Float64Array.from({ length: frames }, (_, i) => firstS + i * hopS);
  const found: Candidates[] = [];
  for (let i = 0; i < frames; i += 2) found.push(...search.pair(tS[i], tS[i + 1]));
  found.length = frames;
  return { tS, f0Hz: likeliest(found, ceilingHz, 0.01 / hopS) };
}

class Search {
  private readonly period: number;
  private readonly window: Float64Array;
  private readonly ofWindow: Float64Array;
  private readonly reach: number;
  private readonly longest: number;
  private readonly most: number;
  private readonly loudest: number;
  private readonly fourier: Fourier;
  private readonly one: Float64Array;
  private readonly other: Float64Array;

  constructor(
    private readonly samples: Float32Array,
    floorHz: number,
    private readonly ceilingHz: number,
  ) {
    this.period = Math.floor(SAMPLE_RATE / floorHz);
    const half = Math.floor(Math.floor((PERIODS * SAMPLE_RATE) / floorHz) / 2) - 1;
    const size = 2 * half;
    this.window = Float64Array.from(
      { length: size },
      (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / (size + 1)),
    );
    this.reach = half;
    this.longest = Math.min(Math.floor(size / PERIODS) + 2, size);
    this.most = Math.max(MOST_CANDIDATES, Math.floor(ceilingHz / floorHz));
    this.fourier = new Fourier(powerOfTwo(1.5 * size));
    this.one = new Float64Array(this.fourier.size);
    this.other = new Float64Array(this.fourier.size);
    this.one.set(this.window);
    this.fourier.autocorrelate(this.one, this.other);
    this.ofWindow = this.one.slice(0, half + 1).map((value) => value / this.one[0]);
    const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
    this.loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value - mean)), 0);
  }

  /** Candidates of two frames, of which the transforms are one. */
  pair(firstS: number, secondS: number | undefined): Candidates[] {
    const peaks = [this.cut(firstS, this.one), this.cut(secondS ?? firstS, this.other)];
    this.fourier.autocorrelate(this.one, this.other);
    return [this.one, this.other].map((sums, i) => this.candidates(sums, peaks[i]));
  }

  /** Put the windowed frame about a time into a place; its highest peak beside the loudest. */
  private cut(atS: number, into: Float64Array): number {
    const { samples, window, period } = this;
    const right = Math.floor(atS * SAMPLE_RATE - 0.5) + 1;
    let sum = 0;
    for (let i = right - period; i < right + period; i++) sum += samples[i] ?? 0;
    const mean = sum / (2 * period);
    const half = window.length / 2;
    const near = Math.floor(period / 2) + 1;
    let peak = 0;
    into.fill(0);
    for (let i = 0; i < window.length; i++) {
      into[i] = ((samples[right - half + i] ?? 0) - mean) * window[i];
      if (i >= half - near && i < half + near) peak = Math.max(peak, Math.abs(into[i]));
    }
    return this.loudest > 0 ? Math.min(peak / this.loudest, 1) : 0;
  }

  private candidates(sums: Float64Array, peak: number): Candidates {
    const silence = Math.max(0, 2 - peak / (SILENCE / (1 + VOICING)));
    const hz = [0];
    const strength = [VOICING + silence];
    if (peak === 0) return { hz, strength };
    const { ofWindow, reach, ceilingHz } = this;
    const r = ofWindow.map((value, i) => sums[i] / (sums[0] * value));
    for (let i = 2; i < this.longest && i < reach; i++) {
      if (r[i] <= 0.5 * VOICING || r[i] <= r[i - 1] || r[i] < r[i + 1]) continue;
      if (SAMPLE_RATE / (i + 1) >= ceilingHz) continue; // above the voice, as good as none
      const slope = (r[i + 1] - r[i - 1]) / 2;
      const bend = 2 * r[i] - r[i - 1] - r[i + 1];
      const top = highest(r, i + slope / bend);
      if (SAMPLE_RATE / top.lag >= ceilingHz) continue;
      hz.push(SAMPLE_RATE / top.lag);
      // a value above 1, of a short window, is as far from certain as its inverse
      strength.push(top.value > 1 ? 1 / top.value : top.value);
    }
    const worth = strength.map((value, i) =>
      i ? value - OCTAVE_COST * Math.log2(ceilingHz / hz[i]) : value,
    );
    const kept = worth.map((_, i) => i).sort((a, b) => (a && b ? worth[b] - worth[a] : a - b));
    const chosen = kept.slice(0, this.most);
    return { hz: chosen.map((i) => hz[i]), strength: chosen.map((i) => worth[i]) };
  }
}

/** The maximum near a lag of an autocorrelation that is drawn through its points. */
function highest(r: Float64Array, near: number): { lag: number; value: number } {
  let lag = near;
  let value = drawn(r, lag);
  for (const step of [0.05, 0.005]) {
    const below = drawn(r, lag - step);
    const above = drawn(r, lag + step);
    const bend = 2 * value - below - above;
    if (bend <= 0) break;
    const moved = (step * (above - below)) / 2 / bend;
    lag += Math.min(Math.max(moved, -0.5), 0.5);
    value = drawn(r, lag);
  }
  return { lag, value };
}

/** An even function between its points: sin(x)/x under a window of Hann. */
function drawn(r: Float64Array, at: number): number {
  const left = Math.floor(at);
  const rest = at - left;
  if (rest === 0) return r[left];
  const depth = Math.min(DEPTH, r.length - 1 - left);
  let sum = 0;
  for (const [first, step, apart] of [
    [left, -1, rest],
    [left + 1, 1, 1 - rest],
  ]) {
    const width = Math.PI / (apart + depth);
    const [cosine, sine] = [Math.cos(width), Math.sin(width)];
    let c = Math.cos(width * apart);
    let s = Math.sin(width * apart);
    let height = 0.5 * Math.sin(Math.PI * apart);
    for (let k = 0; k < depth; k++) {
      const place = first + step * k;
      sum += (r[place < 0 ? -place : place] * height * (1 + c)) / (Math.PI * (apart + k));
      height = -height;
      [c, s] = [c * cosine - s * sine, s * cosine + c * sine];
    }
  }
  return sum;
}

/** The path of candidates that is worth most: a jump of voice or pitch costs something. */
function likeliest(
  frames: readonly Candidates[],
  ceilingHz: number,
  perStep: number,
): Float64Array {
  const jump = JUMP_COST * perStep;
  const change = VOICE_COST * perStep;
  const cameFrom: number[][] = [];
  let worth: number[] = frames.length ? [...frames[0].strength] : [];
  for (let t = 1; t < frames.length; t++) {
    const before = frames[t - 1].hz;
    const own = frames[t];
    const from: number[] = [];
    const next = own.hz.map((hz, i) => {
      let best = -Infinity;
      for (let j = 0; j < before.length; j++) {
        const voiceless = Number(hz === 0) + Number(before[j] === 0);
        const cost =
          voiceless === 2 ? 0 : voiceless ? change : jump * Math.abs(Math.log2(before[j] / hz));
        const value = worth[j] - cost + own.strength[i];
        if (value > best) [best, from[i]] = [value, j];
      }
      return best;
    });
    cameFrom.push(from);
    worth = next;
  }
  const f0Hz = new Float64Array(frames.length);
  let at = worth.indexOf(Math.max(...worth));
  for (let t = frames.length - 1; t >= 0; t--) {
    const hz = frames[t].hz[at];
    f0Hz[t] = hz < ceilingHz ? hz : 0;
    if (t) at = cameFrom[t - 1][at];
  }
  return f0Hz;
}
