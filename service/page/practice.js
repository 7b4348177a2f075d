/** The way: a sentence, its model, one button; it is heard while it is said, and comes back in colours. */

import { assess, newKey, Problem } from "./api.js";
import { findIndexes, offer, openChooser, OWN, setOf, startChooser } from "./chooser.js";
import { hearHere, hearsHere } from "./device.js";
import { byId, el, saidBy, say, trouble } from "./dom.js";
import { Endpoint, patience } from "./endpoint.js";
import { learner } from "./learner.js";
import { putAside } from "./outbox.js";
import { audioContext, stop } from "./player.js";
import { record } from "./recorder.js";
import { lasting } from "./remembered.js";
import { addRemarks, showResult } from "./result.js";
import { scaleOf, spoken } from "./scale.js";
import { asksElsewhere } from "./session.js";
import { addressOf, AT, backFrom, firstAddress, goTo, heardWords, isOnStage, now, practise, sayable, SEEN, showAgain, showStage, step } from "./stage.js";
import { openStream } from "./stream.js";
import { findTake, keepNew, soundOf } from "./takes.js";
import { t } from "./texts.js";

const TREMOR_MS = 600; // a press so soon after another means nothing
const LOUD_DB = -15;
const QUIET_DB = -55;

let phase = "idle"; // "opening", "speaking", "waiting"
let since = -TREMOR_MS;
let recording = null;
let stream = null;
let abort = null;

const atPractice = () => !byId("view-practice").hidden;

function enter(next) {
  phase = next;
  since = performance.now();
  const button = byId("speak");
  button.classList.toggle("on", phase === "speaking");
  button.classList.toggle("waiting", phase === "waiting");
  button.querySelector(".label").textContent = t({ idle: "say.speak", opening: "say.speak", speaking: "say.stop", waiting: "cancel" }[phase]);
  button.style.setProperty("--level", "0");
  byId("stage").classList.toggle("recording", phase === "speaking");
  byId("progress-bar").hidden = phase !== "waiting";
  byId("hint").textContent = t({ idle: "say.hint", opening: "say.opening", speaking: "say.speaking", waiting: "wait.comparing" }[phase]);
}

/* Saying it */

const fieldsOf = (text) => {
  const { id, group: told, l1, keep, here } = learner();
  const group = setOf(now.set)?.group ?? (id && told); // homework is done in the group that has it
  const forbidden = here && asksElsewhere().length > 0 ? "false" : "";
  const fields = { text, index: offer.index.name, l1, learner_id: id, group, keep_audio: Boolean(keep), second_ear: forbidden, language_use: text === null && forbidden };
  if (!byId("topic").hidden && !forbidden) fields.topic = byId("topic").querySelector("input").value.trim();
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
};

/** Whether a take stays on this device; homework is for the teacher to hear. */
const isHeardHere = async (text, { index }, set) => text !== null && !setOf(set)?.group && hearsHere(index);

async function begin() {
  stop();
  enter("opening");
  const ear = new Endpoint();
  const words = heardWords();
  const fields = fieldsOf(now.text);
  const here = await isHeardHere(now.text, fields, now.set);
  const hear = (samples, rate) => {
    if (phase !== "speaking") return;
    const level = Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length);
    byId("speak").style.setProperty("--level", String(Math.max(0, Math.min(1, (20 * Math.log10(level + 1e-9) - QUIET_DB) / (LOUD_DB - QUIET_DB)))));
    const told = ear.hear(level, samples.length / rate, patience(words.unheard));
    stream?.send(samples, ear.paused);
    if (told === "ended") {
      performance.mark("speech-ended", { startTime: performance.now() - 1000 * ear.silentS });
      finish();
    } else if (told === "nobody") giveUp();
  };
  const opened = await record({ onBlock: hear, onFull: () => phase === "speaking" && finish() });
  if (!atPractice() || phase !== "opening") { // somebody went elsewhere before the microphone was allowed
    await opened.cancel();
    enter("idle");
    return;
  }
  recording = opened;
  stream = now.text === null || here ? null : openStream(opened.rate, fields, (place) => words.told(place));
  enter("speaking");
  say(t("say.announce"), { unseen: true });
}

async function giveUp() {
  const { cancel } = recording;
  stream?.cancel();
  recording = null;
  enter("idle");
  await cancel();
  say(t("say.nobody"), { isTrouble: true });
}

async function finish() {
  const open = recording;
  const take = { text: now.text, fields: fieldsOf(now.text), stream, set: now.set, place: now.place };
  recording = null;
  stream = null;
  performance.mark("take-ended");
  enter("waiting");
  say(t("wait.comparing"), { unseen: true });
  const ended = take.stream?.end(); // while the file is made
  ended?.catch(() => {});
  const { file, buffer, note } = await open.stop();
  if (note) say(note);
  await submit({ ...take, ended, file, buffer });
}

/** What the service makes of a take: from the stream, else by sending it whole. */
async function heardOf({ text, fields, set, ended, file, buffer, once }, signal) {
  const aborted = new Promise((_, fail) => { signal.addEventListener("abort", () => fail(signal.reason)); });
  aborted.catch(() => {}); // it is told where it is waited for
  const onWait = (told) => { if (!signal.aborted) byId("hint").textContent = told; };
  if (await isHeardHere(text, fields, set)) return Promise.race([hearHere(buffer, fields, onWait, signal), aborted]);
  if (ended) {
    try {
      return await Promise.race([ended, aborted]);
    } catch (error) {
      if (!(error instanceof Problem) || ![0, 401, 429, 503].includes(error.status)) throw error;
    }
  }
  return assess(file, { ...fields, free: text === null && "true" }, onWait, { signal, once });
}

/** A sentence of homework is done once it was said. */
function noteHomework({ set, place }, { score }) {
  const { said, sentences } = setOf(set) ?? {};
  if (!said || score.overall === null || said.has(place)) return;
  said.add(place);
  if (said.size === sentences.length) say(t("homework.allSaid"));
}

async function submit(said) {
  const take = { ...said, once: newKey() };
  abort = new AbortController();
  const { signal } = abort;
  try {
    const assessment = await heardOf(take, signal);
    performance.mark("answered");
    await keepNew(take, assessment);
    noteHomework(take, assessment);
    lasting.setItem(SEEN, "yes");
    enter("idle");
    since = -TREMOR_MS; // where the result is, nobody presses the button by a trembling hand
    if (atPractice()) {
      if (byId("status").textContent === t("wait.comparing")) say("");
      location.hash = `#result/${assessment.id}`;
    } else {
      lasting.setItem(AT, `#result/${assessment.id}`);
      say(t("wait.ready", { text: spoken({ ...assessment, text: take.text }) }));
    }
  } catch (error) {
    enter("idle");
    if (error.name === "AbortError") say(t("wait.cancelled"));
    else if (error.status === 0 && (await putAside({ text: take.text, file: take.file, fields: { ...take.fields, free: take.text === null && "true" }, once: take.once }))) say(t("wait.aside"));
    else trouble(error);
  }
}

/** The one button: speak, stop, cancel. It is never disabled meanwhile, and so keeps the focus. */
async function press() {
  if (performance.now() - since < TREMOR_MS || phase === "opening") return;
  try {
    if (phase === "idle") await begin();
    else if (phase === "speaking") await finish();
    else abort?.abort();
  } catch (error) {
    recording = null;
    stream?.cancel();
    stream = null;
    enter("idle");
    trouble(error);
  }
}

async function takeFile(file) {
  if (!file || phase !== "idle") return;
  if (!sayable()) {
    say(t("say.write"));
    return;
  }
  enter("waiting");
  say(t("wait.comparing"), { unseen: true });
  let buffer = null;
  try {
    buffer = await audioContext().decodeAudioData(await file.arrayBuffer());
  } catch {
    // The service reads more formats than browsers do; it says so where it cannot.
  }
  await submit({ text: now.text, fields: fieldsOf(now.text), set: now.set, place: now.place, ended: null, file, buffer });
}

/* The result */

async function showResultOf(id, word) {
  const take = await findTake(id);
  let sound = null;
  try {
    await soundOf(take);
    sound = () => soundOf(take);
  } catch {
    // It was not kept: the result says so.
  }
  if (location.hash.split("/")[1] !== id) return;
  stop();
  byId("stage").hidden = true;
  byId("how").hidden = true;
  byId("result").hidden = false;
  const title = showResult(byId("result"), { ...take, sound, opened: word }, {
    again: (text) => sayAgain(text === undefined ? take.text : text),
    next: () => step(1),
    practise,
    back: backFrom(take),
  });
  performance.mark("sentence-shown");
  addRemarks(byId("result"), take.assessment);
  title.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Back to the stage with a text, speaking at once. */
function sayAgain(text) {
  const start = () => {
    byId("speak").focus({ preventScroll: true });
    since = -TREMOR_MS; // another button was pressed
    press();
  };
  if (text === now.text) {
    location.hash = addressOf(now);
    showAgain();
  } else {
    location.hash = `#say/${OWN}/${encodeURIComponent(text)}`;
    showStage(OWN, text);
  }
  start();
}

/** Show what an address asks for: something to say, or a result. */
export async function showPractice(kind, ...rest) {
  if (!offer.index) return;
  try {
    if (kind === "result" && rest[0]) await showResultOf(rest[0], rest[1]);
    else if (kind === "say") {
      const text = saidBy(rest.slice(1).join("/"));
      if (!isOnStage(rest[0], text)) await showStage(rest[0], text);
    } else location.replace(await firstAddress());
  } catch (error) {
    trouble(error);
    if (kind === "result") location.replace(`#say/${offer.sets[0]?.id ?? OWN}/0`);
  }
}

/** Stop recording, where somebody goes to another view meanwhile. */
export function leavePractice() {
  if (phase === "speaking") {
    recording.cancel();
    stream?.cancel();
    recording = null;
    stream = null;
    enter("idle");
  }
}

function acceptDrops() {
  const stage = byId("stage");
  const over = (on) => (event) => {
    event.preventDefault();
    stage.classList.toggle("over", on);
  };
  stage.addEventListener("dragover", over(true));
  stage.addEventListener("dragleave", over(false));
  stage.addEventListener("drop", (event) => {
    over(false)(event);
    takeFile(event.dataTransfer.files[0]);
  });
}

/** Wire the practice view and fill it. */
export async function startPractice() {
  enter("idle");
  since = -TREMOR_MS;
  byId("how-scale").replaceChildren(...scaleOf().map(([name, text]) => el("li", {}, el("span", { class: `letters ${name}` }, "abc"), ` ${text}`)));
  byId("speak").addEventListener("click", press);
  byId("before").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("other").addEventListener("click", () => openChooser(now));
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && phase === "waiting" && !document.querySelector("dialog[open]")) abort?.abort();
  });
  startChooser(goTo, takeFile);
  globalThis.speechSynthesis?.addEventListener?.("voiceschanged", () => !byId("stage").hidden && now.set && phase === "idle" && showAgain());
  acceptDrops();
  if (!(await findIndexes())) say(t("say.noIndex"), { isTrouble: true });
}
