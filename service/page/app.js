/** The page's frame: which view is seen, who practises, and the key. */

import { rememberKey, whenKeyIsWanted } from "./api.js";
import { byId, say } from "./dom.js";
import { learner, rememberLearner } from "./learner.js";
import { stop } from "./player.js";
import { leavePractice, startPractice } from "./practice.js";
import { showGroup } from "./group.js";
import { showProgress } from "./progress.js";

const VIEWS = { practice: null, progress: showProgress, group: showGroup };

function show() {
  const wanted = location.hash.slice(1);
  if (wanted === "main") return; // the skip link
  const view = wanted in VIEWS ? wanted : "practice";
  stop();
  say("");
  const leaves = Object.keys(VIEWS).some((name) => name !== view && byId(`view-${name}`).contains(document.activeElement));
  for (const name of Object.keys(VIEWS)) {
    byId(`view-${name}`).hidden = name !== view;
    const link = byId(`to-${name}`);
    if (name === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view !== "practice") leavePractice();
  document.title = view === "practice" ? "NativeEar" : `${byId(`to-${view}`).textContent} – NativeEar`;
  if (leaves) byId("main").focus({ preventScroll: true });
  VIEWS[view]?.();
}

function greet() {
  const { name } = learner();
  byId("you").querySelector(".label").textContent = name || "You";
}

function startLearner() {
  const dialog = byId("learner");
  const form = dialog.querySelector("form");
  byId("you").addEventListener("click", () => {
    const known = learner();
    for (const field of ["name", "group", "l1"]) form.elements[field].value = known[field];
    form.elements.keep.checked = known.keep !== "";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "save") return;
    const values = Object.fromEntries(new FormData(form));
    rememberLearner(values);
    greet();
    show();
  });
}

/** One question at a time, however many calls wait for the key. */
function startKey() {
  const dialog = byId("key");
  const field = byId("secret");
  let asked = null;
  whenKeyIsWanted((refused) => {
    asked ??= new Promise((answer) => {
      byId("refused").hidden = !refused;
      field.value = "";
      dialog.returnValue = "";
      dialog.showModal();
      dialog.addEventListener(
        "close",
        () => {
          asked = null;
          const given = dialog.returnValue === "save" && field.value.trim() !== "";
          if (given) rememberKey(field.value.trim());
          answer(given);
        },
        { once: true },
      );
    });
    return asked;
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

startLearner();
startKey();
clearFaults();
greet();
window.addEventListener("hashchange", show);
show();
startPractice();
