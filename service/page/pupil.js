/** A learner to his teacher: his history, and a result of his to hear, to put right and to speak of. */

import { bytes, get, post, remove } from "./api.js";
import { el, when } from "./dom.js";
import { labellingOf } from "./labelling.js";
import { soundsOf } from "./phones.js";
import { audioContext } from "./player.js";
import { printButton } from "./printing.js";
import { showHistory } from "./progress.js";
import { commentsOf } from "./remarks.js";
import { showResult } from "./result.js";
import { day, meaning, spoken, toneOf, FLAGGED } from "./scale.js";
import { sentenceOf } from "./sentences.js";
import { gone, trail } from "./teaching.js";
import { isolated, t } from "./texts.js";

function lookingAfter(group, { id, name }) {
  const told = el("div", { role: "status" });
  const renew = el("button", { type: "button", class: "quiet" }, t("pupil.newCode"));
  when(renew, "click", async () => {
    if (!window.confirm(t("pupil.newCodeAsk", { name }))) return;
    const { code } = await post(`people/${id}/code`, {});
    told.replaceChildren(el("p", { class: "soft" }, t("pupil.code", { name })), el("p", { class: "code" }, code));
  });
  const out = el("button", { type: "button", class: "quiet" }, t("pupil.remove"));
  when(out, "click", async () => {
    if (!window.confirm(t("pupil.removeAsk", { name, group: group.name }))) return;
    await remove(`groups/${group.id}/members/${id}`);
    location.hash = `#group/${group.id}`;
  });
  return el("section", { class: "card" }, el("p", { class: "row" }, renew, out), told);
}

/** What stands on paper above a result: whose it is, of what, and when. */
function letterhead(name, item, group) {
  return el(
    "div",
    { class: "letterhead on-paper" },
    el("h2", {}, name),
    el("p", {}, spoken(item)),
    el("p", {}, `${day(item.created_at)} · ${isolated(group.name)}`),
  );
}

/** On paper, where nothing can be pressed: every sound that was flagged. */
function flaggedSounds({ words }) {
  const rows = words.flatMap(({ word, phones }) =>
    phones.filter(({ verdict }) => FLAGGED.includes(verdict)).map((phone) =>
      el("tr", {}, el("th", { scope: "row" }, word), el("td", { class: `ipa graded ${toneOf(phone.verdict)}` }, phone.ipa), el("td", {}, meaning(phone.verdict)), el("td", {}, phone.advice ? sentenceOf(phone.advice) : phone.feedback)),
    ),
  );
  return rows.length > 0 ? el("table", { class: "on-paper" }, el("caption", {}, t("pupil.flagged")), el("tbody", {}, rows)) : null;
}

async function resultPage(group, person, item) {
  const assessment = await get(`assessments/${item.id}`);
  let buffer = null;
  try {
    buffer = await audioContext().decodeAudioData(await bytes(`assessments/${item.id}/audio`));
  } catch {
    // It was not kept: that is told.
  }
  const take = { assessment, text: item.text, sound: buffer ? async () => buffer : null, who: person.name };
  const sounds = await soundsOf(assessment.language);
  const heard = await labellingOf(take, sounds);
  const shown = el("div", { class: "result" });
  showResult(shown, take, null, `${isolated(person.name)} · ${day(item.created_at)}`);
  const sheet = el("div", { class: "result sheet" });
  sheet.append(
    letterhead(person.name, item, group),
    el("p", { class: "row off-paper" }, printButton(() => sheet, t("pupil.print")), buffer ? null : el("span", { class: "soft" }, t("pupil.notKept", { name: person.name }))),
    shown,
    ...[flaggedSounds(assessment), heard].filter(Boolean),
    await commentsOf(item.id, { writes: true }),
  );
  return sheet;
}

/** The page of a learner, or of a result of his, as nodes. */
export async function pupilPage(group, id, result) {
  const here = `#group/${group.id}`;
  const { items: members } = await get(`groups/${group.id}/members`);
  const person = members.find((member) => member.id === id);
  if (!person) return [trail([group.name, here], ["…", ""]), gone()];
  if (!result) {
    const node = el("div", { class: "result" });
    await showHistory(node, person, [], (item) => { location.hash = `${here}/${id}/${item.id}`; });
    return [trail([group.name, here], [person.name, ""]), node, lookingAfter(group, person)];
  }
  const { sentences } = await get(`learners/${id}/progress`);
  const item = sentences.find((sentence) => sentence.id === result);
  const way = [[group.name, here], [person.name, `${here}/${id}`]];
  if (!item) return [trail(...way, ["…", ""]), gone()];
  return [trail(...way, [spoken(item), ""]), await resultPage(group, person, item)];
}
