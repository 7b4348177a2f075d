/** What the service knows of the session, and the places in this browser: who reads, what was skipped. */

import { blob, call, get, post, remove } from "../api.js";
import { lasting } from "../remembered.js";

const SPEAKER = "nativeear-record-speaker";
const SKIPPED = "nativeear-record-skipped";

/** The session as the service told it last. */
export let session = null;

export const speakerId = () => lasting.getItem(SPEAKER);

export async function refresh() {
  const id = speakerId();
  session = await get(id ? `recording?speaker=${encodeURIComponent(id)}` : "recording");
  if (id && !session.speaker) leave();
  return session;
}

export async function enter(name, sex) {
  const speaker = await post("recording/speakers", { name, sex, agrees: true });
  lasting.setItem(SPEAKER, speaker.id);
  return refresh();
}

export function leave() {
  lasting.removeItem(SPEAKER);
  lasting.removeItem(SKIPPED);
}

const skipped = () => new Set(JSON.parse(lasting.getItem(SKIPPED) ?? "[]"));

export function skip(line) {
  lasting.setItem(SKIPPED, JSON.stringify([...skipped().add(line)]));
}

/** The next line that is open after one; what was skipped comes last. Null when all are read. */
export function nextOpen(after = 0) {
  const open = session.lines.filter(({ state }) => state === "open");
  const passed = skipped();
  const fresh = open.filter(({ line }) => !passed.has(line));
  const among = fresh.length > 0 ? fresh : open;
  return (among.find(({ line }) => line > after) ?? among[0])?.line ?? null;
}

const takeOf = (line) => `recording/speakers/${encodeURIComponent(speakerId())}/takes/${line}`;

export async function send(line, file) {
  const body = new FormData();
  body.set("audio", file, file.name);
  return (await call(takeOf(line), { method: "POST", body })).json();
}

export const take = (line) => blob(`${takeOf(line)}/audio`);

export const drop = (line) => remove(takeOf(line));

export const add = () => post("recording/addition");
