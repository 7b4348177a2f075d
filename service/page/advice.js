/** At most three things to work on, each with the mouth, its sounds to be heard, and pairs to practise. */

import { el } from "./dom.js";
import { isHeard, ownPart, playButton, whose } from "./listening.js";
import { hearableWord } from "./model.js";
import { mouthOf } from "./mouth.js";
import { example, respelt, sign } from "./phones.js";
import { newSoundOf, sentenceOf } from "./sentences.js";
import { language, t } from "./texts.js";

const MOST = 3;

function pairOf(place, pair, practise) {
  return el(
    "li",
    { class: "pair" },
    hearableWord(place, pair[0]),
    el("span", { "aria-hidden": "true" }, "–"),
    hearableWord(place, pair[1]),
    practise && el("button", { type: "button", class: "link", "aria-label": t("advice.practisePair", { one: pair[0], other: pair[1] }), onclick: () => practise(pair.join(", ")) }, t("advice.practise")),
  );
}

function cardOf(take, sounds, remark, way, open) {
  const { assessment } = take;
  const place = { index: assessment.index, language: assessment.language };
  const places = [...new Map(remark.places.map((where) => [where[0], where])).values()];
  const heard = remark.heard ? { phone: remark.heard, ipa: remark.heard_ipa } : null;
  return el(
    "li",
    { class: "card advice" },
    mouthOf(sounds.get(remark.phone)),
    el(
      "div",
      { class: "told" },
      el("h4", {}, sign(sounds, remark), " ", example(sounds, remark), heard ? [el("span", { class: "not" }, ` ${t("advice.not")} `), sign(sounds, heard), " ", example(sounds, heard)] : null),
      el("p", {}, [remark.advice ? sentenceOf(remark.advice) : remark.text, newSoundOf(remark)].filter(Boolean).map((text) => respelt(sounds, text)).join(language === "zh" ? "" : " ")),
      el(
        "ul",
        { class: "places" },
        places.map(([number, phone]) => {
          const word = assessment.words[number];
          return el(
            "li",
            { class: "pair" },
            isHeard(take, word) ? playButton(take, whose(take), t("quoted", { text: word.word }), [ownPart(take, word)]) : null,
            hearableWord(place, word.word),
            el("button", { type: "button", class: "link", onclick: () => open(number, phone) }, t("advice.look", { word: word.word })),
          );
        }),
      ),
      remark.minimal_pairs.length > 0
        ? [el("p", { class: "soft" }, t("advice.pairs")), el("ul", { class: "pairs" }, remark.minimal_pairs.map((pair) => pairOf(place, pair, take.who ? null : way.practise)))]
        : null,
    ),
  );
}

/** The advice of a take; null where there is none. */
export function adviceOf(take, sounds, way, open) {
  const remarks = take.assessment.remarks.slice(0, MOST);
  if (remarks.length === 0) return null;
  return el("section", { class: "advices" }, el("h3", {}, t("advice.title")), el("ol", {}, remarks.map((remark) => cardOf(take, sounds, remark, way, open))));
}
