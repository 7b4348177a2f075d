/** What is refused, warned of or put right in mono sound. Twin of `speech/sound_checks.py`. */

import { NativeEarError } from "../errors";

const SAMPLE_RATE = 16_000;
const MIN_DURATION_S = 0.1;
const SILENCE_PEAK = 1e-3;
const MAX_PEAK = 2 ** 32;
const FULL_SCALE = 0.975;
const CLIPPED_WARNING_SHARE = 0.01;
const CLIPPED_REFUSAL_SHARE = 1 / 3;
const LONGEST_S = 60;
const RESAVE = "Record it again.";

export interface Checked {
  readonly samples: Float32Array;
  readonly warnings: readonly string[];
}

const refused = (message: string, reason = "", fix = "") =>
  new NativeEarError(message, "bad-audio", reason, fix);

/** Refuse a rate at which no speech is recorded, and a recording that is too short or too long. */
export function checkLength(count: number, rate: number): void {
  if (!(rate >= 4_000 && rate <= 768_000)) {
    throw refused(
      `The recording is sampled at ${rate} Hz, at which no speech is recorded.`,
      "",
      "Record at 16000 Hz or more.",
    );
  }
  const durationS = count / rate;
  if (durationS < MIN_DURATION_S) {
    throw refused(
      `The recording is ${durationS.toFixed(3)} s long; at least ${MIN_DURATION_S} s are needed.`,
      "",
      "Record the whole utterance.",
    );
  }
  if (durationS > LONGEST_S) {
    throw refused(
      `The recording is longer than the limit of ${LONGEST_S} s.`,
      `It has ${durationS.toFixed(1)} s.`,
      "Cut it into shorter recordings.",
    );
  }
}

/** Refuse what is no speech; scale it and remove an offset, with a warning of each. */
export function checkedSpeech(samples: Float32Array): Checked {
  checkLength(samples.length, SAMPLE_RATE);
  let peak = 0;
  let full = 0;
  let sum = 0;
  for (const sample of samples) {
    const level = Math.abs(sample);
    if (!(level <= MAX_PEAK)) {
      throw refused(
        "The recording holds samples that are NaN, infinite or far out of range.",
        `A sample of ${sample} was found.`,
        RESAVE,
      );
    }
    if (level > peak) peak = level;
    if (level >= FULL_SCALE) full++;
    sum += sample;
  }
  const warnings: string[] = [];
  const scale = peak > 2 ? 1 / peak : 1;
  if (peak > 2) warnings.push(`The samples went up to ${shortened(peak)} and were scaled to 1.`);
  const clipped = peak > 2 ? 0 : full / samples.length; // beyond full scale is nothing to clip at
  const offset = (sum * scale) / samples.length;
  const scaled = peak > 2 ? samples.map((sample) => sample * scale) : samples;
  checkAudible(scaled, offset);
  if (clipped >= CLIPPED_REFUSAL_SHARE) {
    throw refused(
      "The recording is clipped to noise.",
      `${percent(clipped)} of its samples are at full scale.`,
      "Lower the recording level, or move away from the microphone, and record again.",
    );
  }
  if (clipped >= CLIPPED_WARNING_SHARE) {
    warnings.push(`${percent(clipped)} of the samples are clipped; lower the recording level.`);
  }
  if (Math.abs(offset) <= 0.01) return { samples: scaled, warnings };
  const sign = offset > 0 ? "+" : "";
  warnings.push(`A constant offset of ${sign}${percent(offset)} of full scale was removed.`);
  return { samples: scaled.map((sample) => sample - offset), warnings };
}

/** Mix channels down to one, without dead ones and those that would cancel each other. */
export function mixed(channels: readonly Float32Array[]): Float32Array {
  if (channels.length === 1) return channels[0];
  const power = (channel: Float32Array) => channel.reduce((sum, sample) => sum + sample ** 2, 0);
  const powers = channels.map(power);
  const most = Math.max(...powers);
  const live = channels.filter((_, i) => powers[i] >= most / 100);
  const mix = channels[0].map((_, i) => live.reduce((sum, own) => sum + own[i], 0) / live.length);
  return power(mix) < most / 16 ? channels[powers.indexOf(most)] : mix;
}

const percent = (share: number) => `${Math.round(100 * share)}%`;

/** Three digits of a number, as Python writes them by `.3g`. */
const shortened = (value: number) =>
  value
    .toPrecision(3)
    .replace(/\.?0+$/, "")
    .replace(/e\+(\d)$/, "e+0$1");

/** Refuse what swings for less than 50 ms: more than a click does. */
function checkAudible(samples: Float32Array, offset: number): void {
  const window = SAMPLE_RATE / 100;
  let swinging = 0;
  for (let first = 0; first + window <= samples.length; first += window) {
    const own = samples.subarray(first, first + window);
    if ((Math.max(...own) - Math.min(...own)) / 2 >= SILENCE_PEAK) swinging++;
  }
  if (swinging >= 5) return;
  if (Math.abs(offset) >= SILENCE_PEAK) {
    throw refused(
      "The recording holds a constant signal, no sound.",
      `All samples are about ${offset.toFixed(3)}.`,
      "Check the microphone and its cable.",
    );
  }
  throw refused(
    "The recording is silent.",
    "It hardly ever rises above -60 dBFS.",
    "Check that the microphone is on and that the page may use it.",
  );
}
