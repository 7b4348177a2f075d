/** A teacher's own sentences: sets of them, written one a line. */

import { post, put, remove, get } from "./api.js";
import { findIndexes, offer, validate } from "./chooser.js";
import { el, fault, say, when, write } from "./dom.js";
import { languageName } from "./scale.js";
import { again, gone, trail } from "./teaching.js";
import { t, tn } from "./texts.js";

function line(set) {
  const button = el("button", { type: "button", class: "link", "aria-label": t("sets.deleteOf", { title: set.title }) }, t("progress.delete"));
  when(button, "click", async () => {
    if (!window.confirm(t("sets.deleteAsk", { title: set.title }))) return;
    await remove(`sets/${set.id}`);
    again();
  });
  return el(
    "li",
    {},
    el("a", { href: `#group/sets/${set.id}` }, set.title),
    el("span", { class: "soft" }, `${languageName(set.language)} · ${tn("group.sentences", set.sentences.length)}`),
    button,
  );
}

/** The form of a new set, or of one that is to be changed. */
function editor(set) {
  const title = el("input", { required: true, maxlength: 100, autocomplete: "off", dir: "auto", value: set?.title });
  const tags = [...new Set([...offer.indexes.map((index) => index.language), ...(set ? [set.language] : [])])];
  const language = el("select", {}, tags.map((tag) => el("option", { value: tag, selected: tag === (set?.language ?? tags[0]) }, languageName(tag))));
  const sentences = el("textarea", { rows: 8, required: true, dir: "auto" });
  sentences.value = (set?.sentences ?? []).join("\n");
  const unknown = el("p", { class: "trouble", role: "status" });
  const form = el(
    "form",
    { class: "card result" },
    el("h2", {}, t(set ? "sets.change" : "sets.new")),
    el("label", {}, t("sets.name"), title),
    tags.length > 1 ? el("label", {}, t("sets.language"), language) : null,
    el("label", {}, t("sets.sentences"), sentences),
    unknown,
    el("p", { class: "row" }, el("button", { type: "submit", class: "main" }, t("save")), set ? el("a", { href: "#group/sets" }, t("cancel")) : null),
  );
  sentences.addEventListener("change", async () => {
    const index = offer.indexes.find((each) => each.language === language.value);
    if (!index || !sentences.value.trim()) return;
    try {
      write(unknown, (await validate(sentences.value, index.name)).unknown);
    } catch (error) {
      write(unknown, fault(error), error.lang);
    }
  });
  when(form, "submit", async () => {
    const sent = {
      title: title.value.trim(),
      language: language.value,
      sentences: sentences.value.split("\n").map((each) => each.trim()).filter(Boolean),
    };
    await (set ? put(`sets/${set.id}`, sent) : post("sets", sent));
    say(t("sets.saved"));
    if (set) location.hash = "#group/sets";
    else again();
  });
  return form;
}

/** The page of one's sets, or of one that is changed, as nodes. */
export async function setsPage(id) {
  if (!offer.index) await findIndexes();
  const { items } = await get("sets");
  const set = items.find((each) => each.id === id);
  if (set) return [trail([t("sets.title"), "#group/sets"], [set.title, ""]), editor(set)];
  return [
    trail([t("sets.title"), ""]),
    ...(id ? [gone()] : []),
    el(
      "section",
      { class: "card" },
      el("h2", {}, t("sets.title")),
      el("p", { class: "soft" }, t("sets.about")),
      items.length > 0 ? el("ul", { class: "lines" }, items.map(line)) : null,
    ),
    editor(null),
  ];
}
