/** Codes by which learners come in: a group's, or one for each name; to be sent or printed. */

import { post } from "./api.js";
import { el, say, when } from "./dom.js";
import { printButton } from "./printing.js";
import { day } from "./scale.js";
import { t } from "./texts.js";

const VALID_DAYS = 30;

const linkOf = (code) => new URL(`./#join=${encodeURIComponent(code)}`, document.baseURI).href;

/** One code as a slip of paper. */
function slip(title, about, code) {
  const link = linkOf(code);
  const copy = el("button", { type: "button", class: "link", "aria-label": t("invite.copyOf", { name: title }) }, t("invite.copy"));
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(link);
      say(t("invite.copied"));
    } catch {
      say(t("invite.notCopied"), { isTrouble: true });
    }
  });
  return el(
    "li",
    { class: "slip" },
    el("h4", {}, title),
    el("p", { class: "code" }, code),
    el("p", { class: "soft" }, about),
    el("p", { class: "address" }, link),
    copy,
  );
}

function show(box, slips) {
  const list = el("ul", { class: "slips" }, slips);
  box.replaceChildren(el("p", { class: "soft", tabindex: "-1" }, t("invite.once")), list, printButton(() => list, t("invite.print")));
  box.firstChild.focus();
}

/** The section of a group in which it gets its codes; `changed` is called when there are new learners. */
export function invites(group, changed) {
  const box = el("div", { class: "invited" });
  const whole = el("button", { type: "button", class: "main" }, t("invite.group"));
  when(whole, "click", async () => {
    const { code, expires_at: until } = await post(`groups/${group.id}/code`, { valid_days: VALID_DAYS });
    show(box, [slip(group.name, t("invite.groupAbout", { day: day(until) }), code)]);
  });
  const names = el("textarea", { rows: 3, maxlength: 5000, dir: "auto", autocomplete: "off", spellcheck: "false" });
  const each = el("form", {}, el("label", {}, t("invite.names"), names), el("p", {}, el("button", { type: "submit", class: "quiet" }, t("invite.each"))));
  when(each, "submit", async () => {
    const slips = [];
    const left = names.value.split("\n").map((line) => line.trim()).filter(Boolean);
    try {
      while (left.length > 0) {
        const { person, code } = await post("people", { role: "learner", name: left[0], group: group.id });
        slips.push(slip(person.name, t("invite.personAbout", { group: group.name }), code.code));
        left.shift();
      }
    } finally { // who came in has his code, whatever becomes of the others
      names.value = left.join("\n");
      if (slips.length > 0) {
        show(box, slips);
        changed();
      }
    }
  });
  return el(
    "details",
    { class: "card invites" },
    el("summary", {}, el("h3", {}, t("invite.title"))),
    el("div", { class: "result" }, el("p", { class: "soft" }, t("invite.about")), el("p", {}, whole), each, box),
  );
}
