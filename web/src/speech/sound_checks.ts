/** What is refused in the sound of a recording. Twin of `speech/sound_checks.py`, in short. */

import { NativeEarError } from "../errors";
import { SAMPLE_RATE } from "./log_mel";

const MIN_DURATION_S = 0.1;
const SILENCE_PEAK = 1e-3;
const LONGEST_S = 60;

/** Refuse what is no speech: mono float samples at 16 kHz, -1 to 1. */
export function checkSpeech(samples: Float32Array): void {
  const durationS = samples.length / SAMPLE_RATE;
  if (durationS < MIN_DURATION_S) {
    throw new NativeEarError(
      `The recording is ${durationS.toFixed(3)} s long; at least ${MIN_DURATION_S} s are needed.`,
      "bad-audio",
      "",
      "Record the whole utterance.",
    );
  }
  if (durationS > LONGEST_S) {
    throw new NativeEarError(
      `The recording is longer than the limit of ${LONGEST_S} s.`,
      "bad-audio",
      `It has ${durationS.toFixed(1)} s.`,
      "Cut it into shorter recordings.",
    );
  }
  if (!samples.every(Number.isFinite)) {
    throw new NativeEarError("The recording holds samples that are no numbers.", "bad-audio");
  }
  if (!isAudible(samples)) {
    throw new NativeEarError(
      "The recording is silent.",
      "bad-audio",
      "It hardly ever rises above -60 dBFS.",
      "Check that the microphone is on and that the page may use it.",
    );
  }
}

/** Whether 50 ms or more swing: more than a click has. */
function isAudible(samples: Float32Array): boolean {
  const window = SAMPLE_RATE / 100;
  let swinging = 0;
  for (let first = 0; first + window <= samples.length; first += window) {
    const own = samples.subarray(first, first + window);
    if ((Math.max(...own) - Math.min(...own)) / 2 >= SILENCE_PEAK) swinging++;
  }
  return swinging >= 5;
}
