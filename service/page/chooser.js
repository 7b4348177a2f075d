/** The drawer in which one chooses what to say: sets, natives' sentences, an own text, or none. */

import { all, get, post } from "./api.js";
import { byId, el, fault, trouble, write } from "./dom.js";
import { plain } from "./model.js";
import { lasting } from "./remembered.js";
import { languageName } from "./scale.js";
import { whoIsIn } from "./session.js";
import { known, t } from "./texts.js";

export const OWN = "own";
export const FREE = "free";
const INDEX = "nativeear-index"; // the one that was chosen last
const HEARD = "heard";
const HEARD_WORDS = [3, 12]; // how long the native recordings are that are offered to repeat
const MOST_HEARD = 200;
const MOST_NATIVES = 2000;
const TYPING_MS = 600;

const path = (index) => `indexes/${encodeURIComponent(index)}`;

/** What there is to say: indexes, and the sets of the chosen one, each with its sentences. */
export const offer = { indexes: [], index: null, sets: [] };

const choices = () => [
  ...offer.sets,
  { id: OWN, title: t("choose.ownText"), about: "", sentences: [] },
  { id: FREE, title: t("choose.free"), about: t("choose.freeAbout"), sentences: [] },
];

export const setOf = (id) => choices().find((set) => set.id === id) ?? null;

function repeatable(natives) {
  const [least, most] = HEARD_WORDS;
  const short = natives.filter(({ text }) => {
    const count = plain(text).split(" ").length;
    return count >= least && count <= most;
  });
  const each = [...new Map(short.map(({ text }) => [plain(text), text])).values()].slice(0, MOST_HEARD);
  return each.map((text) => text[0].toLocaleUpperCase() + text.slice(1));
}

async function homework(language) {
  const { homeworkSets } = await import("./homework.js");
  return homeworkSets(language).catch(() => []);
}

/** Take an index, and find what can be said of its language. */
export async function takeIndex(name) {
  const index = offer.indexes.find((each) => each.name === name);
  const { sets } = await get(`practice?language=${encodeURIComponent(index.language)}`);
  const due = whoIsIn()?.role === "learner" ? await homework(index.language) : [];
  offer.index = index;
  const own = sets.map((set) => ({ ...set, title: known(`set.${set.id}`) ?? set.title, about: known(`set.${set.id}.about`) ?? set.about }));
  offer.sets = [...due, ...own];
  all(`${path(name)}/sentences?limit=${MOST_NATIVES}`, MOST_NATIVES).then((natives) => {
    const sentences = repeatable(natives);
    if (offer.index !== index || sentences.length === 0) return;
    offer.sets = [...due, ...own, { id: HEARD, title: t("choose.heard"), about: t("choose.heardAbout"), sentences }];
    if (byId("chooser").open) showSets(byId("set").value);
  }, () => {});
}

/** Find the indexes, and take the one that was chosen last, else the first. */
export async function findIndexes() {
  offer.indexes = (await all("indexes")).filter(({ problem }) => !problem);
  const first = offer.indexes.find(({ name }) => name === lasting.getItem(INDEX)) ?? offer.indexes[0];
  if (first) await takeIndex(first.name);
  return offer.index;
}

function showSets(chosen) {
  byId("set").replaceChildren(...choices().map(({ id, title }) => el("option", { value: id, selected: id === chosen }, title)));
  showSet();
}

let choose = () => {};
let current = null; // what is on the stage: { set, place, text }

function showSet() {
  const { id, about, sentences, said } = setOf(byId("set").value);
  byId("own").hidden = id !== OWN;
  byId("about").textContent = about;
  byId("about").hidden = !about;
  byId("sentences").hidden = sentences.length === 0;
  byId("sentences").replaceChildren(
    ...sentences.map((text, place) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", lang: offer.index.language, dir: "auto", "aria-pressed": String(current.set === id && current.place === place), onclick: () => take(id, place) },
          text,
          said?.has(place) ? el("span", { class: "soft" }, ` ✓ ${t("homework.said")}`) : null,
        ),
      ),
    ),
  );
  if (id === FREE && current.set !== FREE) take(FREE, 0);
}

function take(set, place) {
  byId("chooser").close();
  choose(set, place);
}

/** Which words nobody can pronounce yet, and what is read in a way that may surprise. */
export async function validate(text, index = offer.index.name) {
  const { words, warnings } = await post("validate", { text, index });
  const unknown = words.filter(({ known }) => !known).map(({ word }) => t("quoted", { text: word }));
  return {
    unknown: unknown.length > 0 ? t("choose.unknown", { words: unknown.join(", ") }) : "",
    reading: warnings.join(" "),
  };
}

async function showValidity(text) {
  if (!text.trim()) return;
  try {
    const { unknown, reading } = await validate(text);
    if (text !== byId("text").value) return;
    write(byId("own-unknown"), unknown);
    byId("reading").textContent = reading;
  } catch (error) {
    write(byId("own-unknown"), fault(error), error.lang);
  }
}

/** Open the drawer at what is on the stage. */
export function openChooser(now) {
  current = now;
  byId("index-label").hidden = offer.indexes.length < 2;
  byId("index").replaceChildren(
    ...offer.indexes.map(({ name, language }) => {
      const called = languageName(language);
      return el("option", { value: name, selected: name === offer.index.name }, name === language ? called : `${called}: ${name}`);
    }),
  );
  byId("text").lang = offer.index.language;
  if (now.set === OWN) byId("text").value = now.text;
  showSets(now.set);
  byId("chooser").showModal();
}

/** Wire it; `choose(set, place or text)` is called with what was chosen, `onFile(file)` with a recording. */
export function startChooser(chosen, onFile) {
  let typing = 0;
  choose = chosen;
  byId("set").addEventListener("change", showSet);
  byId("index").addEventListener("change", async ({ target }) => {
    try {
      await takeIndex(target.value);
      lasting.setItem(INDEX, target.value);
      take(offer.sets[0]?.id ?? OWN, 0);
    } catch (error) {
      trouble(error);
    }
  });
  byId("text").addEventListener("input", ({ target }) => {
    byId("own-unknown").textContent = "";
    byId("reading").textContent = "";
    clearTimeout(typing);
    typing = setTimeout(() => showValidity(target.value), TYPING_MS);
  });
  byId("take-text").addEventListener("click", () => {
    const text = byId("text").value.trim();
    if (text) take(OWN, text);
    else byId("text").focus();
  });
  byId("choose").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (!file) return;
    const text = byId("text").value.trim();
    if (byId("chooser").open && byId("set").value === OWN && text) take(OWN, text);
    else byId("chooser").close();
    onFile(file);
  });
}
