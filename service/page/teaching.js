/** A teacher's view: his groups, one of them, a learner, a result; each has an address of its own. */

import { get, post } from "./api.js";
import { byId, el, refill, trouble, when } from "./dom.js";
import { saveButton } from "./progress.js";
import { t, tn } from "./texts.js";

/** Where one is, as links that lead back. */
export function trail(...steps) {
  const way = [[t("teach.title"), "#group"], ...steps];
  const last = way.length - 1;
  return el(
    "nav",
    { class: "trail", "aria-label": t("teach.trail") },
    el("ol", {}, way.map(([name, address], i) => el("li", {}, i === last ? el("span", { "aria-current": "page" }, name) : el("a", { href: address }, name)))),
  );
}

function groupsCard(items) {
  const field = el("input", { autocomplete: "off", required: true, maxlength: 100, dir: "auto" });
  const form = el(
    "form",
    { class: "row fields" },
    el("label", {}, t("group.new"), field),
    el("button", { type: "submit", class: "quiet" }, t("group.make")),
  );
  when(form, "submit", async () => {
    const made = await post("groups", { name: field.value.trim() });
    location.hash = `#group/${made.id}`;
  });
  return el(
    "section",
    { class: "card" },
    el("h2", {}, t("group.yours")),
    items.length === 0
      ? el("p", { class: "soft" }, t("group.none"))
      : el("ul", { class: "lines" }, items.map((group) => el("li", {}, el("a", { href: `#group/${group.id}` }, group.name), el("span", { class: "soft" }, tn("group.members", group.members))))),
    form,
  );
}

/** What is told where an address leads to nothing any more. */
export const gone = () => el("p", { class: "card", role: "status" }, t("fault.gone"));

const home = async (groups) => [
  groupsCard(groups),
  el(
    "section",
    { class: "card" },
    el("h2", {}, t("sets.title")),
    el("p", { class: "soft" }, t("sets.about")),
    el("p", {}, el("a", { href: "#group/sets" }, t("sets.open"))),
  ),
  el(
    "section",
    { class: "card" },
    el("h2", {}, t("labels.corpus")),
    el("p", { class: "soft" }, t("labels.corpusAbout")),
    el("p", {}, saveButton("labels/export", "labels.zip", t("labels.save"))),
  ),
];

/** What an address asks for, as the nodes of the view. */
async function pageOf(group, person, result) {
  if (group === "sets") return (await import("./sets.js")).setsPage(person);
  const { items } = await get("groups");
  const known = items.find(({ id }) => id === group);
  if (!known) return [group ? gone() : null, ...await home(items)].filter(Boolean);
  if (!person) return (await import("./members.js")).groupPage(known);
  return (await import("./pupil.js")).pupilPage(known, person, result);
}

let asked = 0;

/** Show what the rest of an address asks for: a group, a learner of it, a result of his. */
export async function showTeaching(...rest) {
  const sheet = new URL("teaching.css", import.meta.url).href;
  if (!document.querySelector(`link[href="${sheet}"]`)) document.head.append(el("link", { rel: "stylesheet", href: sheet }));
  const node = byId("group");
  asked += 1;
  const mine = asked;
  refill(node, el("p", { class: "soft" }, t("loading")));
  try {
    const shown = await pageOf(...rest);
    if (mine === asked) refill(node, ...shown);
  } catch (error) {
    if (mine === asked) refill(node, trail());
    trouble(error);
  }
}

/** Show the same address again: something of it has changed. */
export const again = () => showTeaching(...location.hash.slice(1).split("/").slice(1));
