/** What was measured, for those who want to know: scores, the drawing, melody, rhythm and notes. */

import { el } from "./dom.js";
import { playButton } from "./listening.js";
import { gradesOf, melodyInWords, melodyOf } from "./melody.js";
import { percent, scoreText } from "./scale.js";
import { t } from "./texts.js";
import { timelineOf } from "./timeline.js";

const SCORES = ["overall", "pronunciation", "fluency", "prosody", "completeness"];

function scoresOf({ score, level }) {
  const rows = SCORES.map((name) => el("tr", {}, el("th", { scope: "row" }, t(`score.${name}`)), el("td", {}, scoreText(score[name]))));
  if (level) rows.push(el("tr", {}, el("th", { scope: "row" }, level.scale), el("td", {}, t("score.level", { band: level.band, probability: percent(level.probability) }))));
  return el("table", { class: "scores" }, el("caption", {}, t("score.title")), el("tbody", {}, rows));
}

function notesOf(assessment) {
  const expected = assessment.false_rejections?.expected;
  return el(
    "section",
    { class: "notes" },
    el("h4", {}, t("notes.title")),
    assessment.explanation ? el("p", { class: "prose" }, assessment.explanation) : null,
    assessment.warnings.length > 0 ? el("ul", {}, assessment.warnings.map((text) => el("li", { lang: "en" }, text))) : null,
    el(
      "p",
      { class: "soft" },
      t("notes.against", { index: assessment.index }),
      " ",
      t(`notes.by.${assessment.calibration}`),
      expected ? ` ${t("notes.flagged", { low: percent(expected[0]), high: percent(expected[1]) })}` : null,
      " ",
      t("notes.machine"),
    ),
  );
}

/** The drawing; it follows when it is made, and what is played is followed on it. */
function drawn(take) {
  const box = el("div", { class: "drawn" }, el("p", { class: "soft" }, t(take.sound ? "drawing.waits" : "drawing.none")));
  if (!take.sound) return box;
  timelineOf(take, Math.max(240, box.parentElement?.clientWidth ?? document.body.clientWidth - 64)).then(
    (drawing) => {
      take.follow = (part, seconds) => drawing.place(part?.own ? seconds : null);
      box.replaceChildren(drawing.node);
      drawing.begin();
    },
    () => box.replaceChildren(el("p", { class: "soft" }, t("drawing.fails"))),
  );
  return box;
}

/** Everything that is a number. */
export function numbersOf(take) {
  const { assessment } = take;
  const melody = melodyOf(assessment);
  return [
    scoresOf(assessment),
    el("section", {}, el("div", { class: "row" }, el("h4", {}, t("drawing.title")), take.sound ? playButton(take, t("result.hearAll"), "", [{ load: take.sound, own: true }]) : null), drawn(take)),
    melody ? el("section", {}, el("h4", {}, t("melody.title")), melodyInWords(assessment), melody) : null,
    gradesOf(t("score.fluency"), assessment.fluency?.grades),
    gradesOf(t("score.prosodyLong"), assessment.prosody?.grades),
    notesOf(assessment),
  ].filter(Boolean);
}
