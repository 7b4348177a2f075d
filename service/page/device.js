/** Hears what is read on this device, where the service allows it, so that no speech is sent. */

import { post } from "./api.js";
import { t } from "./texts.js";

const PLACE = new URL("in-browser/", import.meta.url);
const MOST_THREADS = 4;
const MARK = "device-"; // ids of what was heard here begin so

const ears = new Map();

const offered = fetch(new URL("offer.json", PLACE)).then((answer) => answer.json()).catch(() => ({ packs: {} }));

/** Whether recordings of texts are heard here, by this index. */
export const hearsHere = async (index) => index in (await offered).packs;

/** Whether a result was heard on a device, by its id. */
export const isOfDevice = (id) => id.startsWith(MARK);

/** The ear of an index, opened once; `told(share)` hears how much of it is there. */
export async function earOf(index, told = () => {}) {
  const { packs } = await offered;
  if (!ears.has(index)) {
    const { NativeEar } = await import(new URL("nativeear/nativeear.js", PLACE));
    const threads = Math.min(MOST_THREADS, navigator.hardwareConcurrency ?? 1);
    const listeners = new Set();
    const progress = (loaded, total) => listeners.forEach((listener) => listener(loaded / total));
    const ear = NativeEar.load(new URL(packs[index], PLACE).href, { threads, progress });
    ears.set(index, { ear, listeners });
    ear.catch(() => ears.delete(index));
  }
  const { ear, listeners } = ears.get(index);
  listeners.add(told);
  try {
    return await ear;
  } finally {
    listeners.delete(told);
  }
}

/** Assess a recording of a text; of a text with words that the device lacks, the text alone is asked. */
export async function hearHere(buffer, { text, index, l1 }, onWait, signal) {
  if (!buffer) throw Object.assign(new Error(t("device.unread")), { fix: t("device.unread.fix") });
  const ear = await earOf(index, (share) => onWait(t("device.loading", { share: Math.floor(100 * share) })));
  onWait(t("device.hearing"));
  const samples = buffer.getChannelData(0);
  const options = { signal, l1: l1 || undefined, sampleRate: buffer.sampleRate, id: `${MARK}${crypto.randomUUID()}` };
  try {
    return await ear.assess(samples, text, options);
  } catch (error) {
    if (error.code === "fault") ears.delete(index); // the next take opens it anew
    if (error.code !== "no-pronunciation") throw Object.assign(error, { lang: "en" });
    return ear.assess(samples, { ...(await post("pronunciations", { text, index })), text }, options);
  }
}
