/** The microphone: samples as they come, and a WAV file in the end. */

import { t } from "./texts.js";

export const SAMPLE_RATE = 16000; // what the service works at
export const MAX_S = 60;

const OPENS_MS = 5000; // where no device plays, Firefox never begins, and says nothing

const CLIPPED = 0.985;
const QUIET = 0.03;

const trouble = (key, values) => Object.assign(new Error(t(`mic.${key}`, values)), { fix: t(`mic.${key}.fix`) });

function plain(error) {
  const key = { NotAllowedError: "notAllowed", NotFoundError: "notFound", NotReadableError: "notReadable" }[error.name] ?? "fails";
  return trouble(key, { reason: error.message });
}

/** Samples of a recording at 16 kHz, one channel. */
export async function resampled(buffer) {
  const length = Math.max(1, Math.ceil(buffer.duration * SAMPLE_RATE));
  const offline = new OfflineAudioContext(1, length, SAMPLE_RATE);
  const source = offline.createBufferSource();
  source.buffer = buffer;
  source.connect(offline.destination);
  source.start();
  return (await offline.startRendering()).getChannelData(0);
}

/** A 16-bit WAV file of one channel. */
export function wav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, sample))), true));
  return new File([view], "recording.wav", { type: "audio/wav" });
}

/** A microphone at 16 kHz, or at its own rate where the browser cannot resample it. */
async function listenTo(stream) {
  for (const options of [{ sampleRate: SAMPLE_RATE }, {}]) {
    const context = new AudioContext(options);
    try {
      return [context, context.createMediaStreamSource(stream)];
    } catch (error) {
      await context.close();
      if (!options.sampleRate) throw plain(error);
    }
  }
  return null;
}

/** Begin; `onBlock(samples, rate)` hears every block, `onFull()` that time is up. */
export async function record({ onBlock, onFull }) {
  if (!navigator.mediaDevices?.getUserMedia) throw trouble("insecure");
  let stream;
  try {
    // What tidies calls up also alters the sounds that are to be judged.
    stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
  } catch (error) {
    throw plain(error);
  }
  const [context, source] = await listenTo(stream);
  const rate = context.sampleRate;
  const blocks = [];
  let count = 0;
  let peak = 0;
  let open = true;
  const close = async () => {
    open = false;
    stream.getTracks().forEach((track) => track.stop());
    if (context.state !== "closed") context.close(); // not waited for: what never began may never end
  };
  try {
    await context.audioWorklet.addModule(new URL("recorder-worklet.js", import.meta.url));
  } catch (error) {
    await close();
    throw plain(error);
  }
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  node.port.onmessage = ({ data }) => {
    if (!open) return;
    blocks.push(data);
    count += data.length;
    peak = data.reduce((most, sample) => Math.max(most, Math.abs(sample)), peak);
    onBlock(data, rate);
    if (count / rate >= MAX_S) onFull();
  };
  source.connect(node);
  const late = new Promise((done) => { setTimeout(done, OPENS_MS, "late"); });
  if ((await Promise.race([context.resume(), late])) === "late") {
    await close();
    throw trouble("nothing");
  }

  return {
    rate,
    /** Stop and hand over the file, what was heard and a word about its level. */
    async stop() {
      await close();
      if (count === 0) throw trouble("nothing");
      const buffer = new AudioBuffer({ length: count, sampleRate: rate, numberOfChannels: 1 });
      let at = 0;
      for (const block of blocks) {
        buffer.copyToChannel(block, 0, at);
        at += block.length;
      }
      const file = wav(rate === SAMPLE_RATE ? buffer.getChannelData(0) : await resampled(buffer), SAMPLE_RATE);
      let note = "";
      if (peak > CLIPPED) note = t("mic.loud");
      if (peak < QUIET) note = t("mic.quiet");
      return { file, buffer, note };
    },
    cancel: close,
  };
}
