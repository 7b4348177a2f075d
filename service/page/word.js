/** Behind a word: its sounds, what was heard of each, how it is made, and what is measured. */

import { el } from "./dom.js";
import { isHeard, listening, ownPart, playButton, whose } from "./listening.js";
import { otherSpeaker } from "./model.js";
import { mouthOf } from "./mouth.js";
import { example, respells, respelt, setRespells, sign, written } from "./phones.js";
import { FLAGGED, heardAs, MARKS, meaning, percent, toneOf } from "./scale.js";
import { sentenceOf } from "./sentences.js";
import { t } from "./texts.js";

/** The sound that a learner should look at first. */
function worst(phones) {
  const places = phones.map((_, i) => i);
  const need = (i) => (FLAGGED.includes(phones[i].verdict) ? 0 : 101) + (phones[i].score ?? 101);
  return places.sort((one, other) => need(one) - need(other))[0] ?? 0;
}

function stressOf({ stress }) {
  if (!stress || stress.observed === null || stress.observed === stress.expected) return null;
  return t("word.stress", { observed: stress.observed + 1, expected: stress.expected + 1 });
}

/** Whether sounds are written in simple spelling, as a switch. */
function spellingSwitch(changed) {
  const button = el("button", { type: "button", role: "switch", class: "quiet switch", "aria-checked": String(respells()) }, t("word.respell"));
  button.addEventListener("click", () => {
    setRespells(!respells());
    changed();
  });
  return button;
}

function numbers(phone) {
  const measured = (value) => (value === null ? t("unmeasured") : value.toFixed(3));
  const values = [
    [t("number.score"), phone.score === null ? t("unmeasured") : Math.round(phone.score)],
    [t("number.probability"), phone.probability_mispronounced === null ? t("unmeasured") : percent(phone.probability_mispronounced)],
    ...phone.sounds_like.map((heard) => [t("number.like", { sound: heard.ipa }), percent(heard.probability)]),
    [t("number.phone"), phone.phone],
    [t("number.neighbours"), phone.knn.k],
    [t("number.coverage"), phone.knn.coverage],
    [t("number.margin"), measured(phone.knn.margin)],
    [t("number.share"), measured(phone.knn.canonical_share)],
    ["GOP-SF", measured(phone.gop.sf)],
    [t("number.deletion"), measured(phone.gop.sf_sd)],
    [t("number.gopMargin"), measured(phone.gop.margin)],
    ...phone.evidence.map((item) => [t("number.nearest", { sound: item.phone, word: item.word, speaker: item.speaker }), item.similarity.toFixed(2)]),
  ];
  return el(
    "details",
    { class: "numbers" },
    el("summary", {}, t("result.numbers")),
    el("dl", {}, values.map(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))])),
  );
}

function phoneDetail(take, sounds, word, phone) {
  const heard = heardAs(phone);
  return [
    el(
      "div",
      { class: "told" },
      el("p", { class: `verdict ${toneOf(phone.verdict)}` }, sign(sounds, phone), " ", el("span", {}, meaning(phone.verdict))),
      el("p", {}, example(sounds, phone)),
      heard ? el("p", {}, t("word.like"), " ", sign(sounds, heard), " ", example(sounds, heard)) : null,
      phone.feedback ? el("p", { class: "feedback" }, respelt(sounds, phone.advice ? sentenceOf(phone.advice) : phone.feedback)) : null,
      mouthOf(sounds.get(phone.phone)),
      numbers(phone),
    ),
    listening(take, sounds, word, phone),
  ];
}

/** Fill a panel with a word; `say.again(text)` says it at once. */
export function showWord(panel, take, sounds, word, way, wanted = null) {
  const place = { index: take.assessment.index, language: take.assessment.language };
  const id = `${panel.id}-sound`;
  const detail = el("div", { class: "detail", id });
  const chips = word.phones.map((phone, i) =>
    el(
      "button",
      { type: "button", class: `chip ${toneOf(phone.verdict)}`, "aria-pressed": "false", "aria-controls": id, onclick: () => show(i) },
      el("span", { class: "ipa" }, written(sounds, phone), el("span", { "aria-hidden": "true" }, MARKS[phone.verdict])),
      el("span", { class: "spoken" }, `, ${meaning(phone.verdict)}`),
    ),
  );
  let seen = wanted ?? worst(word.phones);
  function show(i) {
    seen = i;
    chips.forEach((chip, k) => chip.setAttribute("aria-pressed", String(k === i)));
    detail.replaceChildren(...phoneDetail(take, sounds, word, word.phones[i]), ...[take.beside?.(word.phones[i])].filter(Boolean));
  }
  const stress = stressOf(word);
  panel.replaceChildren(
    el(
      "div",
      { class: "row" },
      el("h3", { lang: place.language, dir: "auto" }, word.word),
      isHeard(take, word) ? playButton(take, whose(take), t("quoted", { text: word.word }), [ownPart(take, word)]) : null,
      otherSpeaker(place, word.word),
      take.who ? null : el("button", { type: "button", class: "main small-main", onclick: () => way.again(word.word) }, t("word.again")),
    ),
    ...[
      word.omitted ? el("p", {}, t("word.omittedLong")) : null,
      stress ? el("p", {}, stress) : null,
      word.phones.length > 0 && !word.omitted
        ? el("div", { class: "row" }, el("div", { class: "chips", dir: "ltr", role: "group", "aria-label": t("word.sounds") }, chips), spellingSwitch(() => {
          showWord(panel, take, sounds, word, way, seen);
          panel.querySelector(".switch").focus();
        }))
        : null,
      word.omitted ? null : detail,
    ].filter(Boolean),
  );
  panel.setAttribute("aria-label", t("word.soundsOf", { word: word.word }));
  if (word.phones.length > 0 && !word.omitted) show(seen);
}
