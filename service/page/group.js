/** Who of a group says which sounds how well; where nobody signs in, a group is found by its name. */

import { get } from "./api.js";
import { byId, el, refill, say, trouble } from "./dom.js";
import { backButton, cell, phoneHead, saveButton, scrolled, showHistory } from "./progress.js";
import { lasting } from "./remembered.js";
import { shareText } from "./scale.js";
import { whoIsIn } from "./session.js";
import { t, tn } from "./texts.js";

const NAME = "nativeear-teacher-group";
const SOUNDS = 12; // columns: the hardest ones for the group

const nameOf = ({ language, phone }) => `${language} ${phone}`;

function personButton({ learner_id: id, name: given }, group, title) {
  const back = backButton(title, () => load(group, title));
  const name = given ?? id;
  return el("button", { type: "button", class: "link", onclick: () => showHistory(byId("group"), { id, name }, [back]) }, name);
}

/** The hardest sounds of a group by learner; `nameOfLearner(learner)` is what leads to him. */
export function heat(summary, nameOfLearner) {
  const hardest = [...summary.phones]
    .filter(({ mean_score: mean }) => mean !== null)
    .sort((one, other) => one.mean_score - other.mean_score)
    .slice(0, SOUNDS);
  const rows = summary.learners.map((learner) => {
    const own = new Map(learner.phones.map((phone) => [nameOf(phone), phone.mean_score]));
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, nameOfLearner(learner), el("small", {}, tn("group.sentences", learner.count))),
      el("td", {}, cell(learner.mean_score)),
      hardest.map((phone) => el("td", {}, own.has(nameOf(phone)) ? cell(own.get(nameOf(phone))) : "")),
    );
  });
  const whole = el(
    "tr",
    {},
    el("th", { scope: "row" }, t("group.flagged")),
    el("td", {}),
    hardest.map(({ flagged_share: share }) => el("td", {}, shareText(share))),
  );
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, t("group.learner")),
    el("th", { scope: "col" }, t("group.all")),
    hardest.map((phone) => phoneHead(phone, hardest, "col")),
  );
  const table = el("table", { class: "heat" }, el("thead", {}, head), el("tbody", {}, rows, whole));
  return scrolled(t("group.table"), table);
}

async function load(group, title = group) {
  const node = byId("group");
  refill(node, el("p", { class: "soft" }, t("loading")));
  const path = `groups/${encodeURIComponent(group)}/summary`;
  try {
    const summary = await get(path);
    if (!whoIsIn()) lasting.setItem(NAME, group);
    refill(
      node,
      summary.learners.length === 0
        ? el("section", { class: "card" }, el("p", {}, t("group.empty", { group: title })))
        : el(
            "section",
            { class: "card" },
            el("div", { class: "row" }, el("h2", {}, title), saveButton(`${path}?format=csv`, "group.csv")),
            el("p", { class: "soft" }, t("group.hardest")),
            heat(summary, (learner) => personButton(learner, summary.group, title)),
          ),
    );
  } catch (error) {
    node.replaceChildren();
    if (error.status === 404) say(t("group.empty", { group: title }), { isTrouble: true });
    else trouble(error);
  }
}

let wired = false;

/** Show the group that was looked at last. */
export function showGroup() {
  const field = byId("group-name");
  byId("group-form").hidden = whoIsIn() !== null;
  if (whoIsIn()) return;
  if (!wired) {
    wired = true;
    byId("group-form").addEventListener("submit", (event) => {
      event.preventDefault();
      load(field.value.trim());
    });
  }
  field.value ||= lasting.getItem(NAME) ?? "";
  if (field.value) load(field.value);
}
