/** A teacher's ear: what he heard of each sound, beside what was judged; saved as it is told. */

import { get, put } from "./api.js";
import { el, say, trouble } from "./dom.js";
import { heardOf } from "./remarks.js";
import { meaning } from "./scale.js";
import { t } from "./texts.js";

const VERDICTS = ["correct", "accented", "substituted", "deleted"];

/** Where the sounds of a result are, counted through all its words; those that were said alone. */
function placesOf({ words }) {
  const places = new Map();
  let position = 0;
  for (const word of words) {
    for (const phone of word.phones) {
      if (!word.omitted && word.start_s !== null) places.set(phone, position);
      position += 1;
    }
  }
  return places;
}

/** One radio button. */
function choice(name, value, text, chosen, tell) {
  const input = el("input", { type: "radio", name, value, checked: chosen });
  input.addEventListener("change", tell);
  return el("label", { class: "check" }, input, text);
}

/**
 * The card that tells what a teacher heard; `take.beside(phone)` asks it of a sound from then on.
 * Null where nobody knows which sounds were meant.
 */
export async function labellingOf(take, sounds) {
  const { assessment } = take;
  if (assessment.transcript || assessment.reading?.matches === false) return null;
  const path = `assessments/${assessment.id}/labels`;
  const places = placesOf(assessment);
  const given = new Map();
  const list = el("ul", {});
  const count = el("p", { class: "soft", role: "status" });
  const others = () => [...places].filter(([phone, place]) => !given.has(place) && phone.verdict !== "uncertain");

  function keep(items) {
    given.clear();
    for (const { position, verdict, heard } of items) given.set(position, { position, verdict, heard });
  }

  function show(items) {
    keep(items);
    list.replaceChildren(...items.filter(({ judged, verdict }) => judged !== verdict).map((label) => heardOf(label, sounds)));
    count.textContent = t("labels.count", { count: items.length, all: places.size });
    rest.hidden = others().length === 0;
    none.hidden = items.length === 0;
  }

  let saved = Promise.resolve(); // one after the other, each on what the service has by then

  function save(change) {
    saved = saved.then(async () => {
      try {
        keep((await get(path)).items);
        change();
        show((await put(path, { labels: [...given.values()] })).items);
        say(t("labels.saved"));
      } catch (error) {
        trouble(error);
      }
    });
  }

  const rest = el("button", { type: "button", class: "quiet" }, t("labels.rest"));
  rest.addEventListener("click", () => save(() => others().forEach(([{ verdict }, position]) => given.set(position, { position, verdict, heard: null }))));
  const none = el("button", { type: "button", class: "quiet" }, t("labels.none"));
  none.addEventListener("click", () => save(() => given.clear()));

  take.beside = (phone) => {
    const position = places.get(phone);
    if (position === undefined) return null;
    const now = given.get(position);
    const other = el("select", {}, el("option", { value: "" }, t("labels.unknown")), [...sounds.values()].filter((sound) => sound.phone !== phone.phone).map((sound) => el("option", { value: sound.phone, selected: sound.phone === now?.heard }, sound.example ? `${sound.ipa} (${sound.example})` : sound.ipa)));
    const which = el("label", { hidden: now?.verdict !== "substituted" }, t("labels.which"), other);
    const name = `heard-${position}`;
    const tell = () => {
      const verdict = box.querySelector("input:checked").value;
      which.hidden = verdict !== "substituted";
      const heard = (verdict === "substituted" && other.value) || null;
      save(() => (verdict ? given.set(position, { position, verdict, heard }) : given.delete(position)));
    };
    other.addEventListener("change", tell);
    const box = el(
      "fieldset",
      { class: "ear" },
      el("legend", {}, t("labels.ask")),
      choice(name, "", t("labels.untold"), !now, tell),
      VERDICTS.map((verdict) => choice(name, verdict, meaning(verdict), now?.verdict === verdict, tell)),
      which,
    );
    return box;
  };

  show((await get(path)).items);
  return el(
    "section",
    { class: "card ear-card" },
    el("h3", {}, t("labels.title")),
    el("p", { class: "soft off-paper" }, t("labels.about")),
    list,
    count,
    el("p", { class: "row off-paper" }, rest, none),
  );
}
