/** A native reads: one sentence at a time, each take checked at once, and the index grows. */

import { byId, el, say, trouble, write } from "../dom.js";
import { record } from "../recorder.js";
import { recognise } from "../session.js";
import { addTexts, fillTexts, language, t, tn } from "../texts.js";
import { add, drop, enter, leave, nextOpen, refresh, send, session, skip, take } from "./session.js";

const LOOK_MS = 1000; // how often it is asked whether the index has grown

let line = 1;
let phase = "ready"; // or "recording", "checking"
let recording = null;
let heard = null; // what plays
let grows = 0; // the timer while the index grows
let faults = null; // of the last take of this line

const now = () => session.lines[line - 1];
const isRead = () => now().state !== "open";

function showTold() {
  const kept = { kept: "record.kept.before", added: "record.kept.added", open: null }[now().state];
  const texts = { recording: t("record.listening"), checking: t("record.checking") };
  const told = byId("told");
  told.textContent = texts[phase] ?? (faults?.length ? t("record.refused") : faults ? t("record.kept") : kept ? t(kept) : "");
  told.classList.toggle("poor", phase === "ready" && Boolean(faults?.length));
  told.classList.toggle("good", phase === "ready" && isRead() && !faults?.length);
  byId("faults").replaceChildren(...(phase === "ready" ? faults ?? [] : []).map(({ fault: kind, word }) => {
    const key = kind === "extra" && !word ? "record.fault.extra.first" : `record.fault.${kind}`;
    return el("li", {}, key === "record.fault.extra.first" ? t("record.fault.extra.first") : t(`record.fault.${kind}`, { word }));
  }));
}

function showLine() {
  const { lines } = session;
  const done = lines.filter(({ state }) => state !== "open").length;
  byId("place").textContent = t("record.place", { line, lines: lines.length, done });
  byId("done").max = lines.length;
  byId("done").value = done;
  byId("line").textContent = now().text;
  byId("line").lang = session.language;
  showTold();
  const button = byId("read");
  button.classList.toggle("on", phase === "recording");
  button.classList.toggle("waiting", phase === "checking");
  const next = phase === "ready" && isRead();
  button.querySelector(".label").textContent = phase === "recording" ? t("record.stop") : next ? t("record.next") : t("record.read");
  button.querySelector(".dot").hidden = next;
  button.disabled = phase === "checking" || (next && nextOpen(line) === null);
  for (const id of ["back", "skip"]) byId(id).disabled = phase !== "ready";
  byId("back").disabled ||= line === 1;
  byId("skip").disabled ||= line === lines.length && isRead();
  byId("hear").hidden = !next;
  for (const id of ["again", "drop"]) byId(id).hidden = !next || now().state !== "kept" || session.addition.state === "running";
}

function showGrowth() {
  const { addition, waiting, exemplars, revision, index } = session;
  byId("of").textContent = t("record.of", { index, revision });
  byId("held").textContent = tn("record.held", waiting, { exemplars: exemplars.toLocaleString(language) });
  const { state, added, reread, problem } = addition;
  const parts = {
    idle: [],
    running: [t("record.grows")],
    failed: [problem],
    done: [tn("record.grown", added, { revision }), ...(reread.length ? [tn("record.reread", reread.length)] : [])],
  }[state];
  const told = parts.join(" ");
  if (byId("grown").textContent !== told) write(byId("grown"), told, state === "failed" ? "en" : language);
  byId("grown").classList.toggle("trouble", state === "failed");
  byId("add").disabled = state === "running" || waiting === 0;
  if (state === "running" && !grows) grows = setTimeout(look, LOOK_MS);
}

async function look() {
  grows = 0;
  await refresh().catch(() => {}); // it is asked again
  if (phase === "ready") showLine();
  showGrowth();
}

function show() {
  const isIn = session.speaker !== null;
  byId("enter").hidden = isIn;
  for (const id of ["reading", "adding"]) byId(id).hidden = !isIn;
  byId("about").textContent = t("record.about", {
    lines: tn("record.lines", session.lines.length),
    minutes: tn("record.minutes", Math.ceil(session.seconds / 60)),
  });
  showGrowth();
  if (isIn) showLine();
}

function go(to) {
  if (phase !== "ready" || !to) return;
  heard?.pause();
  line = Math.min(Math.max(1, to), session.lines.length);
  faults = null;
  showLine();
}

function forward() {
  if (phase !== "ready") return;
  if (isRead()) go(line + 1);
  else {
    skip(line);
    go(nextOpen(line));
  }
}

async function begin() {
  heard?.pause();
  faults = null;
  phase = "recording";
  showLine();
  try {
    recording = await record({
      onBlock: (samples) => byId("read").style.setProperty("--level", Math.min(1, 3 * Math.max(...samples.map(Math.abs))).toFixed(2)),
      onFull: end,
    });
  } catch (error) {
    phase = "ready";
    showLine();
    throw error;
  }
}

async function end() {
  if (!recording) return; // the microphone is not open yet
  const { stop } = recording;
  recording = null;
  phase = "checking";
  showLine();
  try {
    const { file } = await stop();
    const sent = await send(line, file);
    await refresh();
    faults = sent.faults;
    if (nextOpen() === null) say(t("record.all"));
  } finally {
    phase = "ready";
    showLine();
    showGrowth();
  }
}

async function hear() {
  heard?.pause();
  const url = URL.createObjectURL(await take(line));
  heard = new Audio(url);
  heard.addEventListener("ended", () => URL.revokeObjectURL(url), { once: true });
  await heard.play();
}

async function dropTake() {
  heard?.pause();
  await drop(line);
  faults = null;
  await refresh();
  show();
}

const press = () => ({ ready: () => (isRead() ? go(nextOpen(line)) : begin()), recording: end, checking: () => {} })[phase]();

/** What is done fails in the open. */
const telling = (what) => async (...given) => {
  try {
    say("");
    await what(...given);
  } catch (error) {
    trouble(error);
  }
};

function onKey(event) {
  const isOwn = event.target.closest("input, select, textarea, a") || (event.key === " " && event.target.closest("button"));
  if (isOwn || byId("reading").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { " ": press, ArrowRight: forward, ArrowLeft: () => go(line - 1), l: () => !byId("hear").hidden && hear(), r: () => !byId("again").hidden && begin() };
  const done = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!done) return;
  event.preventDefault();
  telling(done)();
}

function wire() {
  byId("enter").addEventListener("submit", telling(async (event) => {
    event.preventDefault();
    await enter(byId("name").value.trim(), byId("sex").value);
    line = nextOpen() ?? 1;
    show();
    byId("line").focus();
  }));
  const presses = { read: press, again: begin, hear, drop: dropTake, back: () => go(line - 1), skip: forward };
  for (const [id, what] of Object.entries(presses)) byId(id).addEventListener("click", telling(what));
  byId("add").addEventListener("click", telling(async () => {
    await add();
    await refresh();
    show();
  }));
  byId("other").addEventListener("click", telling(async () => {
    leave();
    byId("enter").reset();
    await refresh();
    show();
    byId("name").focus();
  }));
  document.addEventListener("keydown", onKey);
}

await addTexts(new URL("texts/", import.meta.url));
fillTexts();
wire();
await recognise();
await telling(async () => {
  await refresh();
  line = nextOpen() ?? 1;
  show();
})();
