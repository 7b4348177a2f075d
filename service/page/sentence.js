/** The sentence as it was said: its letters in colours, words left out, said again and added. */

import { el } from "./dom.js";
import { BESIDE_MARKS, MARKS, besideMeaning, meaning, toneOf, wordTone } from "./scale.js";
import { directionOf, t } from "./texts.js";

const AGAIN = ["repeated", "restart"];

const events = ({ reading }) => reading?.events ?? [];

/** What was said behind a word, or before the first (-1), that the text does not have. */
const extrasOf = (assessment, after) =>
  events(assessment)
    .filter(({ kind, word_index: index }) => kind === "extra" && index === after)
    .map(({ heard }) => el("span", { class: "extra" }, `+ ${heard ?? "…"}`, el("span", { class: "spoken" }, `, ${besideMeaning("extra")}`)));

/** A loop on a word that was said, or begun, before the reading that counts. */
const againOf = (assessment, number) =>
  events(assessment)
    .filter(({ kind, word_index: index }) => AGAIN.includes(kind) && index === number)
    .map(({ kind }) => [
      el("span", { class: "again", "aria-hidden": "true" }, BESIDE_MARKS[kind]),
      el("span", { class: "spoken" }, `, ${besideMeaning(kind)}`),
    ]);

/** The letters of a word, each in the colour of the sound that it writes. */
function lettersOf(word) {
  if (word.omitted) return el("s", {}, word.word);
  const pieces = word.phones.map(({ grapheme, verdict }) => ({ letters: grapheme ?? "", tone: toneOf(verdict) }));
  if (pieces.map(({ letters }) => letters).join("") !== word.word) {
    return el("span", { class: `letters ${wordTone(word)}` }, word.word); // nobody knows which letters write what
  }
  return pieces.filter(({ letters }) => letters).map(({ letters, tone }) => el("span", { class: `letters ${tone}` }, letters));
}

/** What is told of a word to those who hear the page. */
function spokenOf(word) {
  if (word.omitted) return `, ${t("word.omitted")}`;
  const given = [...new Set(word.phones.map(({ verdict }) => verdict))].filter((verdict) => MARKS[verdict]);
  return `, ${given.length > 0 ? given.map(meaning).join(", ") : meaning("correct")}`;
}

/** The sounds of a word that no letter shows, so that none that is flagged is unseen. */
function unseenOf(word) {
  const hidden = word.phones.filter(({ grapheme, verdict }) => grapheme === "" && ["fair", "poor"].includes(toneOf(verdict)));
  if (word.omitted || hidden.length === 0) return null;
  return el("span", { class: `letters ${wordTone({ phones: hidden })}`, "aria-hidden": "true" }, hidden.map(({ verdict }) => MARKS[verdict]).join(""));
}

/** The sentence as buttons, in the order of its words; `toggle(number)` opens one. */
export function sentenceOf(assessment, panelId, toggle) {
  const buttons = assessment.words.map((word, number) =>
    el(
      "button",
      { type: "button", class: `word${word.omitted ? " omitted" : ""}`, "aria-expanded": "false", "aria-controls": panelId, onclick: () => toggle(number) },
      el("span", { class: "text", lang: assessment.language, dir: "auto" }, lettersOf(word), unseenOf(word)),
      el("span", { class: "spoken" }, spokenOf(word)),
      againOf(assessment, number),
    ),
  );
  const node = el("div", { class: "sentence", dir: directionOf(assessment.language), role: "group", "aria-label": t("result.words") }, [
    ...extrasOf(assessment, -1),
    ...buttons.flatMap((button, number) => [button, ...extrasOf(assessment, number)]),
  ]);
  node.addEventListener("keydown", (event) => {
    const way = getComputedStyle(node).direction === "rtl" ? -1 : 1;
    const by = { ArrowRight: way, ArrowLeft: -way }[event.key];
    const at = buttons.indexOf(document.activeElement);
    if (!by || at < 0) return;
    buttons[Math.max(0, Math.min(buttons.length - 1, at + by))].focus();
    event.preventDefault();
  });
  return { node, buttons };
}

/** What the colours and marks of this sentence mean, as far as it has them; null if all is well. */
export function legendOf(assessment) {
  const read = assessment.words.filter(({ omitted }) => !omitted);
  const given = new Set(read.flatMap(({ phones }) => phones.map(({ verdict }) => verdict)));
  const beside = new Set(events(assessment).map(({ kind }) => kind));
  const tones = Object.keys(MARKS).filter((verdict) => given.has(verdict));
  const items = [
    ...tones.map((verdict) => el("li", {}, el("span", { class: `letters ${toneOf(verdict)}` }, t("result.letters"), MARKS[verdict]), ` ${meaning(verdict)}`)),
    ...assessment.words.some(({ omitted }) => omitted) ? [el("li", {}, el("s", {}, t("result.letters")), ` ${t("word.omitted")}`)] : [],
    ...Object.entries(BESIDE_MARKS).filter(([kind]) => beside.has(kind)).map(([kind, mark]) => el("li", {}, el("b", {}, mark), ` ${besideMeaning(kind)}`)),
  ];
  return items.length > 1 || !given.has("correct") ? el("ul", { class: "legend" }, items) : null;
}
