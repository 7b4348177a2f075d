/** A group to its teacher: its learners, how they get on, its homework, and how one joins. */

import { get, remove } from "./api.js";
import { assignments } from "./assignments.js";
import { el, say, when } from "./dom.js";
import { heat } from "./group.js";
import { invites } from "./invites.js";
import { cell, saveButton, scrolled, trend } from "./progress.js";
import { day } from "./scale.js";
import { again, trail } from "./teaching.js";
import { t } from "./texts.js";

const COLUMNS = ["learner", "last", "said", "mean", "trend", "costly"];

function line(group, member) {
  const scores = member.days.map(({ mean_score: mean }) => mean);
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, el("a", { href: `#group/${group.id}/${member.id}` }, member.name)),
    el("td", {}, member.last_at ? day(member.last_at) : el("span", { class: "soft" }, t("members.never"))),
    el("td", {}, String(member.count)),
    el("td", {}, cell(member.mean_score)),
    el("td", {}, trend(scores, "spark", t("members.trendOf", { name: member.name }))),
    el("td", { class: "ipa" }, member.costly.map(({ ipa }) => ipa).join("  ")),
  );
}

function membersTable(group, members) {
  const head = COLUMNS.map((name) => el("th", { scope: "col" }, t(`members.${name}`)));
  const rows = members.map((member) => line(group, member));
  return scrolled(t("members.title"), el("table", { class: "members" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}

function endGroup(group) {
  return when(el("button", { type: "button", class: "quiet" }, t("group.delete")), "click", async () => {
    if (!window.confirm(t("group.deleteAsk", { group: group.name }))) return;
    await remove(`groups/${group.id}`);
    location.hash = "#group";
  });
}

/** The page of a group, as nodes. */
export async function groupPage(group) {
  const [{ items: members }, summary, homework] = await Promise.all([
    get(`groups/${group.id}/members`),
    get(`groups/${group.id}/summary`).catch((error) => {
      if (error.status === 404) return null; // nobody has said anything yet
      throw error;
    }),
    assignments(group, again),
  ]);
  const link = ({ learner_id: id, name }) => el("a", { href: `#group/${group.id}/${id}` }, name ?? id);
  return [
    trail([group.name, ""]),
    el(
      "section",
      { class: "card" },
      el("div", { class: "row" }, el("h2", {}, group.name), members.length > 0 ? saveButton(`groups/${group.id}/members?format=csv`, "learners.csv") : null),
      members.length > 0 ? membersTable(group, members) : el("p", {}, t("members.none")),
    ),
    invites(group, () => say(t("invite.made"))),
    homework,
    summary
      ? el(
        "section",
        { class: "card" },
        el("div", { class: "row" }, el("h3", {}, t("group.sounds")), saveButton(`groups/${group.id}/summary?format=csv`, "sounds.csv")),
        el("p", { class: "soft" }, t("group.hardest")),
        heat(summary, link),
      )
      : null,
    el("p", {}, endGroup(group)),
  ].filter(Boolean);
}
