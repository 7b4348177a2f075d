/** Choosing what to say, hearing it from a native, saying it, and sending it. */

import { all, assess, bytes, get, post } from "./api.js";
import { byId, el, fault, say } from "./dom.js";
import { learner } from "./learner.js";
import { audioContext, clip, play, stop } from "./player.js";
import { record } from "./recorder.js";
import { showResult } from "./result.js";
import { languageName, spoken } from "./scale.js";

const OWN = "own";
const FREE = "free";
const HEARD = "heard";
const HEARD_WORDS = [3, 12]; // how long the native recordings are that are offered to repeat
const MOST_HEARD = 200;
const MOST_NATIVES = 2000;
const TYPING_MS = 600;
const ABOUT = {
  [HEARD]: "Sentences that natives of this index were recorded with.",
  [FREE]: "Without a text, what you said is written down as it was heard. How native your sounds and your flow are can be told; sounds that were replaced or left out are hard to notice.",
};

const state = {
  indexes: [],
  index: null,
  sets: [],
  natives: [], // whole recordings that the index keeps
  text: "", // null where it is spoken freely
  take: null, // { file, buffer }
  recording: null,
  busy: false, // while the microphone opens or closes
  hint: [], // what stands in the place of a result
};

const wordsIn = (text) => text.toLowerCase().match(/[\p{L}\p{M}\p{N}’'-]+/gu) ?? [];
const sayable = () => state.text === null || state.text.trim() !== "";
const plain = (text) => wordsIn(text).join(" ");
const trouble = (error) => say(fault(error), { trouble: true });
const path = (index) => `indexes/${encodeURIComponent(index)}`;

/* What to say */

function offerSets() {
  const choice = byId("set");
  const options = state.sets.map((set, i) => el("option", { value: String(i) }, set.title));
  if (repeatable().length > 0) options.push(el("option", { value: HEARD }, "Repeat after a native"));
  options.push(el("option", { value: OWN }, "My own text"), el("option", { value: FREE }, "Speak freely"));
  choice.replaceChildren(...options);
}

function repeatable() {
  const [least, most] = HEARD_WORDS;
  const short = state.natives.filter(({ text }) => {
    const count = wordsIn(text).length;
    return count >= least && count <= most;
  });
  return [...new Map(short.map((native) => [plain(native.text), native])).values()].slice(0, MOST_HEARD);
}

function showSet() {
  const chosen = byId("set").value;
  const own = chosen === OWN;
  const free = chosen === FREE;
  const set = state.sets[Number(chosen)];
  const sentences = chosen === HEARD ? repeatable().map(({ text }) => text[0].toLocaleUpperCase() + text.slice(1)) : (set?.sentences ?? []);
  byId("own").hidden = !own;
  byId("sentences").hidden = own || free;
  byId("about").hidden = own;
  byId("about").textContent = ABOUT[chosen] ?? set?.about ?? "";
  byId("sentences").replaceChildren(
    ...sentences.map((text) =>
      el("li", {}, el("button", { type: "button", lang: state.index.language, dir: "auto", onclick: () => choose(text) }, text)),
    ),
  );
  if (free) choose(null);
  else if (own) choose(byId("text").value);
  else choose(sentences[0] ?? "");
}

/** The shortest native recording that holds a word. */
function nativeWith(word) {
  const holding = state.natives.filter(({ text }) => wordsIn(text).includes(word));
  return holding.sort((one, other) => one.text.length - other.text.length)[0];
}

function nativeButton(native, attributes, ...children) {
  const button = el("button", { type: "button", ...attributes }, ...children);
  button.addEventListener("click", () => {
    const where = `${path(state.index.name)}/utterances/${encodeURIComponent(native.utterance)}/audio?corpus=${encodeURIComponent(native.corpus)}`;
    say(`Native ${native.speaker}: “${native.text}”`);
    play(button, [{ load: () => clip(where, () => bytes(where)) }]).catch(trouble);
  });
  return button;
}

/** Take a text to be said; null for whatever comes to mind. */
function choose(text) {
  if (text !== state.text) {
    discard();
    byId("result").replaceChildren(...state.hint);
  }
  state.text = text;
  for (const button of byId("sentences").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.textContent === text));
  }
  const target = byId("target");
  target.lang = state.index.language;
  target.replaceChildren();
  for (const piece of (text ?? "").split(/(\s+)/u).filter(Boolean)) {
    const native = nativeWith(plain(piece));
    target.append(
      native
        ? nativeButton(native, { class: "say", "aria-label": `${piece}: hear a native say it in “${native.text}”` }, piece)
        : piece,
    );
  }
  if (!text) target.append(el("span", { class: "soft" }, text === null ? "Say whatever you like." : "Write what you want to say."));
  const whole = text && state.natives.find((native) => plain(native.text) === plain(text));
  byId("native").replaceChildren(
    whole
      ? nativeButton(whole, { class: "play" }, el("span", { class: "sign", "aria-hidden": "true" }, "▶"), " Hear a native")
      : el("span", { class: "soft" }, text && target.querySelector("button") ? "Underlined words: press to hear a native." : ""),
  );
  byId("record").disabled = !sayable();
  byId("choose").disabled = !sayable();
  byId("unknown").textContent = "";
  byId("reading").textContent = "";
}

/** Which words of an own text nobody can pronounce yet, and what is read in a way that may surprise. */
async function validate(text) {
  if (!text.trim()) return;
  try {
    const { words, warnings } = await post("validate", { text, index: state.index.name });
    if (text !== state.text) return;
    const unknown = words.filter(({ known }) => !known).map(({ word }) => `“${word}”`);
    byId("unknown").textContent =
      unknown.length > 0 ? `No pronunciation is known for ${unknown.join(", ")}. Check the spelling, or say something else.` : "";
    byId("reading").textContent = warnings.join(" ");
  } catch (error) {
    byId("unknown").textContent = fault(error);
  }
}

async function chooseIndex(name) {
  state.index = state.indexes.find((index) => index.name === name);
  byId("text").lang = state.index.language;
  state.natives = [];
  const { sets } = await get(`practice?language=${encodeURIComponent(state.index.language)}`);
  if (state.index.name !== name) return;
  state.sets = sets;
  offerSets();
  showSet();
  const natives = await all(`${path(name)}/sentences?limit=${MOST_NATIVES}`, MOST_NATIVES);
  if (state.index.name !== name) return;
  state.natives = natives;
  const chosen = byId("set").value;
  offerSets();
  byId("set").value = chosen;
  choose(state.text);
}

/* Saying it */

function discard() {
  stop();
  state.take = null;
  byId("taken").hidden = true;
  byId("level").value = 0;
  byId("clock").textContent = "0.0 s";
}

function offer(file, buffer, note) {
  state.take = { file, buffer };
  byId("takenote").textContent = note || `${file.name === "recording.wav" ? "Recorded" : file.name}${buffer ? `, ${buffer.duration.toFixed(1)} s` : ""}`;
  byId("listen").hidden = buffer === null;
  byId("taken").hidden = false;
  byId("send").focus();
}

function showRecording(on) {
  const button = byId("record");
  button.classList.toggle("on", on);
  button.querySelector(".label").textContent = on ? "Stop" : "Record";
  byId("stage").classList.toggle("recording", on);
}

async function start() {
  discard();
  const recording = await record({
    onLevel(level, seconds) {
      byId("level").value = level;
      byId("clock").textContent = `${seconds.toFixed(1)} s`;
    },
    onFull: () => state.recording && startOrStop(),
  });
  if (byId("view-practice").hidden) { // somebody went elsewhere before the microphone was allowed
    await recording.cancel();
    return;
  }
  state.recording = recording;
  showRecording(true);
  say("Recording. Press again to stop.", { unseen: true });
}

async function finish() {
  const { recording } = state;
  state.recording = null;
  showRecording(false);
  const { file, buffer, note } = await recording.stop();
  byId("level").value = 0;
  offer(file, buffer, note);
  say("Recorded. Listen to it, or send it.", { unseen: true });
}

/** The button is never disabled meanwhile: it would lose the focus, and with it whoever has no mouse. */
async function startOrStop() {
  if (state.busy) return;
  state.busy = true;
  try {
    await (state.recording ? finish() : start());
  } catch (error) {
    trouble(error);
  } finally {
    state.busy = false;
  }
}

async function takeFile(file) {
  if (!file) return;
  discard();
  let buffer = null;
  try {
    buffer = await audioContext().decodeAudioData(await file.arrayBuffer());
  } catch {
    // The service reads more formats than browsers do; it says so where it cannot.
  }
  offer(file, buffer, "");
}

async function send() {
  const form = byId("stage");
  if (form.hasAttribute("aria-busy")) return; // not disabled, so that it keeps the focus
  const { text } = state;
  const { file, buffer } = state.take;
  const { name, group, l1, keep } = learner();
  form.setAttribute("aria-busy", "true");
  byId("send").setAttribute("aria-disabled", "true");
  say("Listening to your sounds…");
  try {
    const assessment = await assess(
      file,
      { text, free: text === null && "true", index: state.index.name, l1, learner_id: name, group: name && group, keep_audio: keep && "true" },
      say,
    );
    const title = showResult(
      byId("result"),
      { assessment, sound: buffer ? async () => buffer : null },
      spoken({ ...assessment, text }),
    );
    const { overall } = assessment.score;
    const headline = overall === null ? "Nothing could be scored." : `${Math.round(overall)} of 100.`;
    say(`${headline} ${assessment.remarks[0]?.text ?? ""}`, { unseen: true });
    title.focus({ preventScroll: true });
    title.scrollIntoView({ block: "start" });
  } catch (error) {
    trouble(error);
  } finally {
    form.removeAttribute("aria-busy");
    byId("send").removeAttribute("aria-disabled");
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
    if (sayable()) takeFile(event.dataTransfer.files[0]);
  });
}

/** Stop recording, where somebody goes to another view meanwhile. */
export function leavePractice() {
  if (state.recording) startOrStop();
}

/** Wire the practice view and fill it. */
export async function startPractice() {
  let typing = 0;
  state.hint = [...byId("result").children];
  byId("index").addEventListener("change", ({ target }) => chooseIndex(target.value).catch(trouble));
  byId("set").addEventListener("change", showSet);
  byId("text").addEventListener("input", ({ target }) => {
    choose(target.value);
    clearTimeout(typing);
    typing = setTimeout(() => validate(target.value), TYPING_MS);
  });
  byId("record").addEventListener("click", startOrStop);
  byId("choose").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", ({ target }) => {
    takeFile(target.files[0]);
    target.value = "";
  });
  byId("listen").addEventListener("click", ({ currentTarget }) => {
    play(currentTarget, [{ load: async () => state.take.buffer }]).catch(trouble);
  });
  byId("send").addEventListener("click", send);
  acceptDrops();
  try {
    state.indexes = (await all("indexes")).filter(({ problem }) => !problem);
    byId("index").replaceChildren(
      ...state.indexes.map(({ name, language }) => {
        const called = languageName(language);
        return el("option", { value: name }, name === language ? called : `${called}: ${name}`);
      }),
    );
    if (state.indexes.length === 0) say("This service has no native reference yet.", { trouble: true });
    else await chooseIndex(state.indexes[0].name);
  } catch (error) {
    trouble(error);
  }
}
