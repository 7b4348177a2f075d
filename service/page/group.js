/** A teacher's view: who of a group says which sounds how well. */

import { get } from "./api.js";
import { byId, el, fault, refill, say } from "./dom.js";
import { backButton, cell, csvButton, phoneHead, scrolled, showHistory } from "./progress.js";
import { shareText } from "./scale.js";

const NAME = "nativeear-teacher-group";
const SOUNDS = 12; // columns: the hardest ones for the group

const nameOf = ({ language, phone }) => `${language} ${phone}`;

function personButton(name, group) {
  const back = backButton(group, () => load(group));
  return el("button", { type: "button", class: "link", onclick: () => showHistory(byId("group"), name, [back]) }, name);
}

function heat(summary) {
  const hardest = [...summary.phones]
    .filter(({ mean_score: mean }) => mean !== null)
    .sort((one, other) => one.mean_score - other.mean_score)
    .slice(0, SOUNDS);
  const rows = summary.learners.map((learner) => {
    const own = new Map(learner.phones.map((phone) => [nameOf(phone), phone.mean_score]));
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, personButton(learner.learner_id, summary.group), el("small", {}, `${learner.count} ${learner.count === 1 ? "sentence" : "sentences"}`)),
      el("td", {}, cell(learner.mean_score)),
      hardest.map((phone) => el("td", {}, own.has(nameOf(phone)) ? cell(own.get(nameOf(phone))) : "")),
    );
  });
  const whole = el(
    "tr",
    {},
    el("th", { scope: "row" }, "Flagged in the group"),
    el("td", {}),
    hardest.map(({ flagged_share: share }) => el("td", {}, shareText(share))),
  );
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, "Learner"),
    el("th", { scope: "col" }, "All"),
    hardest.map((phone) => phoneHead(phone, hardest, "col")),
  );
  const table = el("table", { class: "heat" }, el("thead", {}, head), el("tbody", {}, rows, whole));
  return scrolled("Learners and sounds", table);
}

async function load(group) {
  const node = byId("group");
  refill(node, el("p", { class: "soft" }, "Loading…"));
  const path = `groups/${encodeURIComponent(group)}/summary`;
  try {
    const summary = await get(path);
    localStorage.setItem(NAME, group);
    refill(
      node,
      summary.learners.length === 0
        ? el("section", { class: "card" }, el("p", {}, `Nobody has practised in “${group}” yet.`))
        : el(
            "section",
            { class: "card" },
            el("div", { class: "row" }, el("h2", {}, group), csvButton(`${path}?format=csv`, "group.csv")),
            el("p", { class: "soft" }, "Mean scores, the group’s hardest sounds first."),
            heat(summary),
          ),
    );
  } catch (error) {
    node.replaceChildren();
    say(error.status === 404 ? `Nobody has practised in “${group}” yet.` : fault(error), { trouble: true });
  }
}

let wired = false;

/** Show the group that was looked at last. */
export function showGroup() {
  const field = byId("group-name");
  if (!wired) {
    wired = true;
    byId("group-form").addEventListener("submit", (event) => {
      event.preventDefault();
      load(field.value.trim());
    });
  }
  field.value ||= localStorage.getItem(NAME) ?? "";
  if (field.value) load(field.value);
}
