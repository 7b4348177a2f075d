/** The page's frame: which view is seen, and who practises. */

import { unreachable } from "./api.js";
import { byId, el, say, trouble } from "./dom.js";
import { learner, rememberLearner } from "./learner.js";
import { watchOutbox } from "./outbox.js";
import { setRespells, respells } from "./phones.js";
import { stop } from "./player.js";
import { startPeople, tellWhoIsIn } from "./people.js";
import { leavePractice, showPractice, startPractice } from "./practice.js";
import { languageName, spoken } from "./scale.js";
import { asksElsewhere, isTold, recognise, whoIsIn } from "./session.js";
import { chooseLanguage, fillTexts, language, LANGUAGES, t } from "./texts.js";

const VIEWS = { // what is not needed at once is fetched when it is
  practice: null,
  progress: async () => (await import("./progress.js")).showProgress(),
  group: async (...rest) => {
    byId("group-form").hidden = whoIsIn() !== null;
    if (whoIsIn()?.role === "teacher") (await import("./teaching.js")).showTeaching(...rest);
    else (await import("./group.js")).showGroup();
  },
};
const PRACTICE = ["practice", "say", "result"]; // what begins an address of the practice view

function show() {
  const [wanted, ...rest] = location.hash.slice(1).split("/");
  if (wanted === "main") return; // the skip link
  const view = PRACTICE.includes(wanted) || !Object.hasOwn(VIEWS, wanted) ? "practice" : wanted;
  stop();
  const leaves = Object.keys(VIEWS).some((name) => name !== view && byId(`view-${name}`).contains(document.activeElement));
  for (const name of Object.keys(VIEWS)) {
    byId(`view-${name}`).hidden = name !== view;
    const link = byId(`to-${name}`);
    if (name === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view !== "practice") leavePractice();
  document.title = view === "practice" ? t("title") : `${byId(`to-${view}`).textContent} – ${t("title")}`;
  if (leaves) byId("main").focus({ preventScroll: true });
  if (!isTold()) comeBack();
  if (view === "practice") showPractice(wanted, ...rest);
  else if (isTold() || view === "progress") VIEWS[view](...rest); // what was heard here is here
  else {
    byId("group-form").hidden = true;
    trouble(unreachable());
  }
}

function greet() {
  const { name } = learner();
  byId("you").querySelector(".label").textContent = name || t("you");
  const me = whoIsIn();
  byId("to-group").hidden = me !== null && me.role !== "teacher";
  byId("to-group").textContent = t(me ? "nav.teach" : "nav.group");
  byId("group-title").textContent = t(me ? "teach.title" : "nav.group");
}

/** First languages in the words of the page, and the languages that it speaks in their own. */
function fillLanguages({ l1, language: own }) {
  const [none, ...known] = l1.options;
  for (const option of known) option.textContent = languageName(option.value);
  l1.replaceChildren(none, ...known.sort((one, other) => one.text.localeCompare(other.text, language)));
  own.replaceChildren(...Object.entries(LANGUAGES).map(([tag, name]) => el("option", { value: tag, lang: tag, selected: tag === language }, name)));
}

/** Ask again who is in, where the service could not be reached before. */
async function comeBack() {
  await recognise();
  if (!isTold()) return;
  say("");
  greet();
  if (byId("view-practice").hidden) show();
}

function startLearner() {
  const dialog = byId("learner");
  const form = dialog.querySelector("form");
  fillLanguages(form.elements);
  byId("you").addEventListener("click", () => {
    const known = learner();
    form.elements.language.value = language;
    for (const field of ["name", "group", "l1"]) form.elements[field].value = known[field];
    form.elements.keep.checked = known.keep !== "";
    form.elements.here.checked = known.here !== "";
    byId("here").hidden = asksElsewhere().length === 0;
    byId("here").querySelector("span").textContent = t("learner.here", { hosts: asksElsewhere().join(", ") });
    form.elements.respell.checked = respells();
    tellWhoIsIn();
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "save") return;
    const values = Object.fromEntries(new FormData(form));
    rememberLearner(values);
    setRespells("respell" in values);
    if (values.language !== language) {
      chooseLanguage(values.language);
      location.reload();
      return;
    }
    greet();
    show();
  });
}

/** A fault stands until somebody goes on. */
function clearFaults() {
  document.addEventListener(
    "click",
    () => byId("status").classList.contains("trouble") && say(""),
    { capture: true },
  );
}

fillTexts();
startLearner();
clearFaults();
await recognise();
greet();
await startPeople(() => {
  greet();
  show();
});
await startPractice().catch(trouble);
window.addEventListener("hashchange", show);
window.addEventListener("online", () => isTold() || comeBack());
show();
watchOutbox(({ id, text, assessment }) => {
  say(t("wait.sent", { text: spoken({ ...assessment, text }) }));
  byId("to-practice").href = `#result/${id}`;
}, trouble);
navigator.serviceWorker?.addEventListener("controllerchange", () => {
  // What was asked for before, and came past the worker, is kept from now on, too.
  const keep = ({ name, workerStart }) => workerStart === 0 && /\/v1\/(?:practice|indexes)\b/.test(name) && fetch(name).catch(() => {});
  new PerformanceObserver((seen) => seen.getEntries().forEach(keep)).observe({ type: "resource", buffered: true });
}, { once: true });
navigator.serviceWorker?.register(new URL(`sw.js?language=${language}`, import.meta.url)).catch(() => {}); // the page works without
