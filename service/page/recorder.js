/** The microphone: samples as they are, a level while they come, and a WAV file in the end. */

export const SAMPLE_RATE = 16000; // what the service works at
export const MAX_S = 60;

const FLOOR_DB = -60;
const CLIPPED = 0.985;
const QUIET = 0.03;

function plain(error) {
  const told = {
    NotAllowedError: ["The microphone is not allowed.", "Allow it for this page in the browser’s settings, or choose a file."],
    NotFoundError: ["No microphone was found.", "Connect one, or choose a file."],
    NotReadableError: ["Another program holds the microphone.", "Close it, or choose a file."],
  }[error.name] ?? [`The microphone cannot be used: ${error.message}`, "Choose a file instead."];
  const fault = new Error(told[0]);
  fault.fix = told[1];
  return fault;
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

/** Begin; `onLevel(share, seconds)` tells the level from 0 to 1, `onFull()` that time is up. */
export async function record({ onLevel, onFull }) {
  if (!navigator.mediaDevices?.getUserMedia) {
    const fault = new Error("This browser gives the microphone only to pages from this computer or over https.");
    fault.fix = "Open the page through https or localhost, or choose a file.";
    throw fault;
  }
  let stream;
  try {
    // What tidies calls up also alters the sounds that are to be judged.
    stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
  } catch (error) {
    throw plain(error);
  }
  const context = new AudioContext();
  const blocks = [];
  let count = 0;
  let peak = 0;
  let open = true;
  const close = async () => {
    open = false;
    stream.getTracks().forEach((track) => track.stop());
    if (context.state !== "closed") await context.close();
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
    const loudest = data.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    peak = Math.max(peak, loudest);
    const db = 20 * Math.log10(Math.max(loudest, 1e-6));
    const seconds = count / context.sampleRate;
    onLevel(Math.max(0, 1 - db / FLOOR_DB), seconds);
    if (seconds >= MAX_S) onFull();
  };
  context.createMediaStreamSource(stream).connect(node);
  await context.resume();

  return {
    /** Stop and hand over the file, what was heard and a word about its level. */
    async stop() {
      const rate = context.sampleRate;
      await close();
      if (count === 0) throw Object.assign(new Error("The microphone gave no sound."), { fix: "Check that it is on, and record again." });
      const buffer = new AudioBuffer({ length: count, sampleRate: rate, numberOfChannels: 1 });
      let at = 0;
      for (const block of blocks) {
        buffer.copyToChannel(block, 0, at);
        at += block.length;
      }
      const file = wav(await resampled(buffer), SAMPLE_RATE);
      let note = "";
      if (peak > CLIPPED) note = "It was very loud: move back a little from the microphone.";
      if (peak < QUIET) note = "It was very quiet: come closer to the microphone.";
      return { file, buffer, note };
    },
    cancel: close,
  };
}
