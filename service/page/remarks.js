/** What a teacher says of a result: comments, and the sounds that he heard otherwise. */

import { get, post, remove } from "./api.js";
import { el, say, when } from "./dom.js";
import { soundsOf } from "./phones.js";
import { day, meaning } from "./scale.js";
import { whoIsIn } from "./session.js";
import { isolated, t } from "./texts.js";

function comment(id, item, again) {
  const gone = el("button", { type: "button", class: "link", "aria-label": t("comment.deleteOf", { text: item.text }) }, t("progress.delete"));
  when(gone, "click", async () => {
    await remove(`assessments/${id}/comments/${item.id}`);
    await again();
  });
  return el(
    "li",
    {},
    el("p", { class: "prose", dir: "auto" }, item.text),
    el("p", { class: "soft" }, `${isolated(item.author)}, ${day(item.created_at)} `, item.author_id === whoIsIn()?.id ? gone : null),
  );
}

function writing(id, again) {
  const text = el("textarea", { rows: 3, required: true, maxlength: 2000, dir: "auto" });
  const form = el("form", { class: "off-paper" }, el("label", {}, t("comment.write"), text), el("p", {}, el("button", { type: "submit", class: "main" }, t("comment.send"))));
  return when(form, "submit", async () => {
    await post(`assessments/${id}/comments`, { text: text.value.trim() });
    text.value = "";
    await again();
    say(t("comment.sent"));
  });
}

/** The card of what was said of a result, with a form to say more where one may. */
export async function commentsOf(id, { writes = false } = {}) {
  const list = el("ul", { class: "comments" });
  async function again() {
    const { items } = await get(`assessments/${id}/comments`);
    list.replaceChildren(...items.map((item) => comment(id, item, again)));
  }
  await again();
  return el("section", { class: "card comments-card" }, el("h3", {}, t("comment.title")), list, writes ? writing(id, again) : null);
}

/** What a teacher heard of a sound, in words. */
export function heardOf({ word, ipa, judged, verdict, heard }, sounds) {
  const other = heard ? sounds.get(heard)?.ipa ?? heard : "";
  return el(
    "li",
    {},
    el("b", { class: "ipa" }, ipa),
    ` ${t("labels.in", { word })}: `,
    el("b", {}, meaning(verdict)),
    other ? [": ", el("b", { class: "ipa" }, other)] : null,
    judged === verdict ? null : el("span", { class: "soft" }, ` ${t("labels.notAs", { verdict: meaning(judged) })}`),
  );
}

/** What a learner's teacher says of a result of his; null where that is nothing. */
export async function fromTeacher({ id, language }) {
  const [{ items: comments }, { items: labels }, sounds] = await Promise.all([get(`assessments/${id}/comments`), get(`assessments/${id}/labels`), soundsOf(language)]);
  const other = labels.filter(({ judged, verdict }) => judged !== verdict);
  if (comments.length === 0 && other.length === 0) return null;
  return el(
    "section",
    { class: "card from-teacher" },
    el("h3", {}, t("comment.fromTeacher")),
    comments.length > 0 ? el("ul", { class: "comments" }, comments.map((item) => comment(id, item, null))) : null,
    other.length > 0 ? [el("p", { class: "soft" }, t("labels.heardOtherwise")), el("ul", {}, other.map((label) => heardOf(label, sounds)))] : null,
  );
}
