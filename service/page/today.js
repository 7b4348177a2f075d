/** What to practise today: the sounds that cost most, each with words and pairs to say. */

import { get } from "./api.js";
import { el } from "./dom.js";
import { hearableWord } from "./model.js";
import { mouthOf } from "./mouth.js";
import { example, sign, soundsOf } from "./phones.js";
import { day } from "./scale.js";
import { t, tn } from "./texts.js";

const practise = (text) => { location.hash = `#say/own/${encodeURIComponent(text)}`; };

function sayButton(text, label) {
  return el("button", { type: "button", class: "link", "aria-label": t("today.sayIt", { text }), onclick: () => practise(text) }, label);
}

function drillOf(place, sounds, drill) {
  return el(
    "li",
    { class: "card advice" },
    mouthOf(sounds.get(drill.phone)),
    el(
      "div",
      { class: "told" },
      el("h4", {}, sign(sounds, drill), " ", example(sounds, drill)),
      el("p", { class: "soft" }, t("today.share", { wrong: Math.round(drill.flagged_share * drill.count), count: drill.count })),
      drill.words.length > 0
        ? [
          el("ul", { class: "pairs" }, drill.words.map((word) => el("li", { class: "pair" }, hearableWord(place, word), sayButton(word, t("today.say"))))),
          el("p", {}, el("button", { type: "button", class: "main", onclick: () => practise(drill.words.join(", ")) }, t("today.all"))),
        ]
        : null,
      drill.pairs.length > 0
        ? [
          el("p", { class: "soft" }, t("advice.pairs")),
          el("ul", { class: "pairs" }, drill.pairs.map((pair) => el("li", { class: "pair" }, hearableWord(place, pair[0]), el("span", { "aria-hidden": "true" }, "–"), hearableWord(place, pair[1]), sayButton(pair.join(", "), t("today.say"))))),
        ]
        : null,
    ),
  );
}

/** The card of a learner's day in an index; null where nothing is known yet. */
export async function todayOf(id, { name: index, language }) {
  const [told, sounds] = await Promise.all([
    get(`learners/${encodeURIComponent(id)}/today?language=${encodeURIComponent(language)}`).catch(() => null),
    soundsOf(language),
  ]);
  if (!told) return null;
  const quietly = [tn("today.sentences", told.sentences), told.streak_days > 1 ? tn("today.streak", told.streak_days) : ""].filter(Boolean).join(" ");
  return el(
    "section",
    { class: "advices" },
    el("div", { class: "row" }, el("h2", {}, t("today.title")), el("p", { class: "soft" }, quietly)),
    told.drills.length > 0
      ? el("ol", {}, told.drills.map((drill) => drillOf({ index, language }, sounds, drill)))
      : el("p", { class: "card" }, told.next_day ? t("today.rest", { day: day(told.next_day) }) : t("today.nothing")),
  );
}
