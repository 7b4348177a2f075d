/** One result: the sentence in colours first, then what to work on, and the numbers behind a press. */

import { adviceOf } from "./advice.js";
import { el } from "./dom.js";
import { inTurn, playButton, whose } from "./listening.js";
import { modelButtons, modelOrNone, wordPart } from "./model.js";
import { opinionsOf } from "./opinions.js";
import { soundsOf } from "./phones.js";
import { stop } from "./player.js";
import { FLAGGED, band, scoreText } from "./scale.js";
import { legendOf, sentenceOf } from "./sentence.js";
import { whoIsIn } from "./session.js";
import { t, tn } from "./texts.js";
import { showWord } from "./word.js";

const MOST_FIXED = 4; // words named that went better

let shown = 0; // results so far: the page may hold several, and ids are unique

/** How the sentence went, in a few words. */
function headlineOf({ words, score, transcript, remarks }) {
  if (transcript) return t("result.free");
  if (score.overall === null) return t("result.unscored");
  if (remarks.length > 0) return tn("result.work", remarks.length);
  const isFlagged = words.some(({ omitted, phones }) => !omitted && phones.some(({ verdict }) => FLAGGED.includes(verdict)));
  if (isFlagged) return t(band(score.overall) === "poor" ? "result.far" : "result.nearly");
  return t(words.some(({ omitted }) => omitted) ? "result.gaps" : "result.good");
}

/** What went better than the last time that the same was said; null where there is nothing to tell. */
function betterOf({ assessment, last }) {
  const { overall } = assessment.score;
  if (!last || overall === null) return null;
  const [before, after] = [Math.round(last.overall), Math.round(overall)];
  const fixed = assessment.words
    .filter(({ phones, omitted }, i) => last.words[i]?.flagged && !omitted && !phones.some(({ verdict }) => FLAGGED.includes(verdict)))
    .map(({ word }) => t("quoted", { text: word }))
    .slice(0, MOST_FIXED);
  const parts = [after > before ? t("result.better", { before, after }) : t("result.before", { before })];
  if (fixed.length > 0) parts.push(t("result.fixed", { words: fixed.join(", ") }));
  return el("p", { class: "better" }, parts.join(" "));
}

function actionsOf(take, way) {
  const hear = el("span", { class: "model" });
  const place = { index: take.assessment.index, language: take.assessment.language };
  if (take.text) modelOrNone(place.index, take.text).then((model) => {
    const buttons = modelButtons(place, take.text, model);
    if (buttons.length > 1) hear.replaceChildren(...buttons);
    if (take.sound && model.sentence) hear.append(playButton(take, inTurn(take), "", [{ load: take.sound, own: true }, wordPart(place.index, model.sentence)]));
  });
  const doing = way
    ? [
      el("button", { type: "button", class: "main again-main", onclick: () => way.again() }, t("result.again")),
      way.back ? el("button", { type: "button", class: "quiet", title: way.back.text, onclick: way.back.go }, t("result.back")) : null,
      el("button", { type: "button", class: "quiet", onclick: way.next }, t("result.next")),
    ]
    : [];
  return [
    el("div", { class: "actions" }, doing),
    el("div", { class: "hearing" }, take.sound ? playButton(take, whose(take), "", [{ load: take.sound, own: true }]) : null, hear),
  ];
}

/** What was measured; it is fetched and made when somebody looks at it. */
function measuredOf(take) {
  const inside = el("div", { class: "inside" });
  const details = el("details", { class: "card measured" }, el("summary", {}, el("h3", {}, t("result.numbers"))), inside);
  details.addEventListener("toggle", async () => {
    if (!details.open || inside.childElementCount > 0) return;
    const { numbersOf } = await import("./numbers.js");
    inside.replaceChildren(...numbersOf(take));
  });
  return details;
}

/** A recording of something else: that is told, and nothing of its sounds. */
function anotherText(node, take, way) {
  const title = el("h2", { tabindex: "-1" }, t("result.another"));
  node.replaceChildren(
    el(
      "section",
      { class: "card first" },
      title,
      el("p", {}, t("result.anotherText")),
      el("p", { class: "target", lang: take.assessment.language, dir: "auto" }, take.text ?? ""),
      actionsOf(take, way),
    ),
  );
  return title;
}

/** Add what a teacher says of a result to a learner's view of it, behind its first card. */
export async function addRemarks(node, assessment) {
  if (whoIsIn()?.role !== "learner" || assessment.id.startsWith("device-")) return;
  const { fromTeacher } = await import("./remarks.js");
  const told = await fromTeacher(assessment).catch(() => null);
  if (told) node.querySelector(".first")?.after(told);
}

/**
 * Show a take in a node: its `assessment`, `text`, `sound` (promises the learner's AudioBuffer; null
 * where it is not kept), `last` (how it went before) and `opened` (the number of a word).
 * `way` leads on: `again(text)`, `practise(text)`, `next()`, and `back` where there is one.
 */
export function showResult(node, take, way, about = null) {
  const { assessment } = take;
  stop();
  take.follow = () => {};
  if (assessment.reading?.matches === false) return anotherText(node, take, way);
  shown += 1;
  const panel = el("section", { id: `sounds-${shown}`, class: "sounds", tabindex: "-1", hidden: true });
  const go = way ?? { again: (text) => { location.hash = `#say/own/${encodeURIComponent(text)}`; }, practise: (text) => { location.hash = `#say/own/${encodeURIComponent(text)}`; } };
  const sounds = soundsOf(assessment.language);
  const { node: sentence, buttons } = sentenceOf(assessment, panel.id, (number) => toggle(number));

  async function toggle(number, place = null, forced = false) {
    const shut = !forced && buttons[number].getAttribute("aria-expanded") === "true";
    buttons.forEach((button, i) => button.setAttribute("aria-expanded", String(i === number && !shut)));
    panel.hidden = shut;
    panel.replaceChildren();
    if (take.id && location.hash.startsWith(`#result/${take.id}`)) history.replaceState(null, "", `#result/${take.id}${shut ? "" : `/${number}`}`);
    if (!shut) showWord(panel, take, await sounds, assessment.words[number], go, place);
  }

  async function open(number, place) {
    await toggle(number, place, true);
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "center" });
  }

  const title = el("h2", { tabindex: "-1", class: "headline" }, headlineOf(assessment));
  const advices = el("div", { class: "result", hidden: true });
  sounds.then((known) => {
    const advice = adviceOf(take, known, go, open);
    advices.hidden = !advice;
    if (advice) advices.replaceChildren(advice);
  });
  node.replaceChildren(
    el(
      "section",
      { class: "card first" },
      about ? el("p", { class: "soft about" }, about) : null,
      el("div", { class: "row" }, title, assessment.score.overall === null ? null : el("p", { class: "overall" }, el("b", {}, scoreText(assessment.score.overall)), ` ${t("result.of100")}`)),
      sentence,
      el("p", { class: "soft press" }, t("result.press")),
      panel,
      betterOf(take),
      legendOf(assessment),
      actionsOf(take, way),
    ),
    advices,
    ...opinionsOf(assessment),
    measuredOf(take),
  );
  const number = Number.parseInt(take.opened ?? "", 10);
  if (number in assessment.words) toggle(number);
  return title;
}
