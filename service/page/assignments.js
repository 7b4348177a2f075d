/** Homework, as its teacher sets it and sees who has done it. */

import { get, post, remove } from "./api.js";
import { el, say, when } from "./dom.js";
import { day } from "./scale.js";
import { t, tn } from "./texts.js";

const dueText = ({ due }) => (due ? t("homework.until", { day: day(`${due}T12:00`) }) : t("homework.open"));

function assignment(item, changed) {
  const { sentences, learners } = item;
  const done = learners.filter(({ said }) => said.length === sentences.length).length;
  const back = el("button", { type: "button", class: "link", "aria-label": t("homework.removeOf", { title: item.title }) }, t("homework.remove"));
  when(back, "click", async () => {
    if (!window.confirm(t("homework.removeAsk", { title: item.title }))) return;
    await remove(`groups/${item.group}/homework/${item.id}`);
    changed();
  });
  return el(
    "li",
    {},
    el(
      "details",
      {},
      el("summary", {}, el("b", {}, item.title), ` · ${dueText(item)} · ${tn("homework.done", learners.length, { done })}`),
      el("ul", { class: "lines" }, learners.map(({ id, name, said }) => el("li", {}, el("a", { href: `#group/${item.group}/${id}` }, name), el("span", { class: "soft" }, t("homework.saidOf", { said: said.length, count: sentences.length }), said.length === sentences.length ? " ✓" : "")))),
      back,
    ),
  );
}

function form(group, sets, changed) {
  const which = el("select", {}, sets.map(({ id, title }) => el("option", { value: id }, title)));
  const due = el("input", { type: "date" });
  const node = el(
    "form",
    { class: "row fields" },
    el("label", {}, t("homework.which"), which),
    el("label", {}, t("homework.due"), due),
    el("button", { type: "submit", class: "quiet" }, t("homework.give")),
  );
  return when(node, "submit", async () => {
    await post(`groups/${group.id}/homework`, { set: which.value, due: due.value || null });
    say(t("homework.given"));
    changed();
  });
}

/** The card of a group's homework; `changed` is called when there is more or less of it. */
export async function assignments(group, changed) {
  const [{ items }, { items: sets }] = await Promise.all([get("homework"), get("sets")]);
  const own = items.filter((item) => item.group === group.id);
  return el(
    "section",
    { class: "card" },
    el("h3", {}, t("homework.title")),
    own.length > 0 ? el("ul", { class: "homework" }, own.map((item) => assignment(item, changed))) : el("p", { class: "soft" }, t("homework.none")),
    sets.length > 0 ? form(group, sets, changed) : null,
    el("p", {}, el("a", { href: "#group/sets" }, t("sets.open"))),
  );
}
