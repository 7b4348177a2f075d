/** Plays stretches of recordings one after the other without clicks at the cuts, slowly, or by voice. */

import { wav } from "./recorder.js";

const GAP_S = 0.3; // between the sounds of a comparison
const FADE_S = 0.006; // at both ends of a cut
const PEAK = 0.7; // so that learner and natives are about equally loud
const MAX_GAIN = 8;
const SLOW = 0.6; // of the usual speed

let context = null;
let playing = null;
const kept = new Map(); // name of a clip → promise of its AudioBuffer

/** The one audio context; browsers let it sound only after somebody pressed something. */
export function audioContext() {
  context ??= new AudioContext();
  return context;
}

/** Decode what a clip's name stands for, once. */
export function clip(name, fetchBytes) {
  if (!kept.has(name)) {
    const decoded = fetchBytes().then((data) => audioContext().decodeAudioData(data));
    decoded.catch(() => kept.delete(name));
    kept.set(name, decoded);
  }
  return kept.get(name);
}

export function stop() {
  if (!playing) return;
  const { button, sources, ended } = playing;
  playing = null;
  for (const source of sources) source.stop();
  button.classList.remove("playing");
  button.setAttribute("aria-pressed", "false");
  ended();
}

/** What sounds from now on, of a button; null where its second press stops what sounds. */
function begin(button, ended = () => {}) {
  const again = playing?.button === button;
  stop();
  if (again) return null;
  playing = { button, sources: [], ended };
  button.classList.add("playing");
  button.setAttribute("aria-pressed", "true");
  return playing;
}

function loudness(buffer, start, length) {
  const samples = buffer.getChannelData(0);
  const rate = buffer.sampleRate;
  let peak = 0;
  for (let i = Math.floor(start * rate); i < Math.min(samples.length, (start + length) * rate); i += 1) {
    peak = Math.max(peak, Math.abs(samples[i]));
  }
  return Math.min(MAX_GAIN, PEAK / Math.max(peak, 1e-4));
}

const startOf = (part) => Math.max(0, part.start ?? 0);
const lengthOf = (part, sound) => Math.max(2 * FADE_S, Math.min(part.end ?? Infinity, sound.duration) - startOf(part));

/**
 * Play parts in turn; a second press of the same button stops.
 *
 * Each part has a `load()` that promises an AudioBuffer, and `start` and `end` in its seconds
 * (all of it where absent). `follow(part, seconds)` is called on every frame, `ended()` at last.
 */
export async function play(button, parts, { follow = () => {}, ended = () => {} } = {}) {
  const mine = begin(button, ended);
  if (!mine) return;
  try {
    await audioContext().resume();
    const sounds = await Promise.all(parts.map((part) => part.load()));
    if (playing !== mine) return;
    let at = context.currentTime + 0.05;
    const plan = parts.map((part, i) => {
      const start = startOf(part);
      const length = lengthOf(part, sounds[i]);
      const source = context.createBufferSource();
      const gain = context.createGain();
      const level = loudness(sounds[i], start, length);
      source.buffer = sounds[i];
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(level, at + FADE_S);
      gain.gain.setValueAtTime(level, at + length - FADE_S);
      gain.gain.linearRampToValueAtTime(0, at + length);
      source.connect(gain).connect(context.destination);
      source.start(at, start, length);
      mine.sources.push(source);
      const timed = { part, start, at, end: at + length };
      at += length + GAP_S;
      return timed;
    });
    mine.sources.at(-1).onended = () => playing === mine && stop();
    const frame = () => {
      if (playing !== mine) return;
      const now = context.currentTime;
      const current = plan.find((timed) => timed.at <= now && now < timed.end);
      follow(current?.part ?? null, current ? current.start + now - current.at : null);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  } catch (error) {
    if (playing === mine) stop();
    throw error;
  }
}

/** Play one part slowly, at its own pitch, which only media elements keep. */
export async function playSlowly(button, part) {
  const mine = begin(button);
  if (!mine) return;
  try {
    const sound = await part.load();
    if (playing !== mine) return;
    const rate = sound.sampleRate;
    const first = Math.round(startOf(part) * rate);
    const samples = sound.getChannelData(0).subarray(first, first + Math.round(lengthOf(part, sound) * rate));
    const media = new Audio(URL.createObjectURL(wav(samples, rate)));
    media.preservesPitch = true;
    media.playbackRate = SLOW;
    media.onended = () => playing === mine && stop();
    mine.sources.push({ stop() {
      media.pause();
      URL.revokeObjectURL(media.src);
    } });
    await media.play();
  } catch (error) {
    if (playing !== mine) return; // stopped meanwhile
    stop();
    throw error;
  }
}

/** A voice of this very device for a language; others would send the text elsewhere. */
export function voiceOf(tag) {
  const voices = globalThis.speechSynthesis?.getVoices() ?? [];
  const own = voices.filter(({ lang, localService }) => localService && lang.split(/[-_]/)[0] === tag.split("-")[0]);
  return own.find(({ lang }) => lang.replace("_", "-") === tag) ?? own[0] ?? null;
}

/** Let the device's voice say a text. */
export function speak(button, text, voice, slowly = false) {
  const mine = begin(button);
  if (!mine) return;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.voice = voice;
  utterance.lang = voice.lang;
  utterance.rate = slowly ? SLOW : 1;
  utterance.onend = () => playing === mine && stop();
  utterance.onerror = utterance.onend;
  mine.sources.push({ stop: () => speechSynthesis.cancel() });
  speechSynthesis.speak(utterance);
}
