/** One result: scores, what to work on, words, drawing, melody and warnings. */

import { el, fault, say, svg } from "./dom.js";
import { gradesOf, melodyInWords, melodyOf } from "./melody.js";
import { audioContext, play, stop } from "./player.js";
import { band, percent, scoreText } from "./scale.js";
import { timelineOf } from "./timeline.js";
import { wordsOf } from "./words.js";

const MAX_REMARKS = 3;
const CALIBRATIONS = {
  expert: "graded as experts would",
  "training-free": "graded by native speech alone",
  similarity: "each sound as an instance of what it was heard as",
  none: "its flow alone",
};
const RING = 2 * Math.PI * 42;

function ring(score) {
  const share = (score ?? 0) / 100;
  return svg(
    "svg",
    { class: "ring", viewBox: "0 0 100 100", "aria-hidden": "true" },
    svg("circle", { class: "full", cx: 50, cy: 50, r: 42 }),
    svg("circle", { class: "part", cx: 50, cy: 50, r: 42, "stroke-dasharray": `${share * RING} ${RING}`, transform: "rotate(-90 50 50)" }),
  );
}

function headline({ score }) {
  const parts = ["pronunciation", "fluency", "prosody", "completeness"].map((name) => {
    const bar = el("span", { class: "bar" });
    bar.style.width = `${score[name] ?? 0}%`;
    return el(
      "div",
      { class: band(score[name]) },
      el("dt", {}, name),
      el("dd", {}, scoreText(score[name])),
      el("dd", { class: "full", "aria-hidden": "true" }, bar),
    );
  });
  return el(
    "div",
    { class: "headline" },
    el(
      "div",
      { class: `overall ${band(score.overall)}` },
      ring(score.overall),
      el("p", {}, el("b", {}, scoreText(score.overall)), el("span", {}, "overall")),
    ),
    el("dl", { class: "scores" }, parts),
  );
}

function remarksOf(assessment, words) {
  if (assessment.remarks.length === 0) return null;
  const items = assessment.remarks.slice(0, MAX_REMARKS).map((remark) => {
    const places = [...new Map(remark.places.map((place) => [place[0], place])).values()];
    return el(
      "li",
      {},
      el("p", {}, remark.text, remark.l1_note ? ` ${remark.l1_note}` : ""),
      remark.minimal_pairs.length > 0
        ? el("p", { class: "soft" }, `Practise: ${remark.minimal_pairs.map((pair) => pair.join(" – ")).join(", ")}.`)
        : null,
      el(
        "p",
        { class: "places" },
        places.map(([word, phone]) =>
          el(
            "button",
            { type: "button", class: "link", onclick: () => words.open(word, phone) },
            `Look at “${assessment.words[word].word}”`,
          ),
        ),
      ),
    );
  });
  return el("section", { class: "card" }, el("h3", {}, "Work on this first"), el("ol", { class: "remarks" }, items));
}

/** A band of CEFR or IELTS, where a model tells it. */
function levelOf({ level }) {
  if (!level) return null;
  return el("p", {}, el("b", {}, `${level.scale} ${level.band}`), `, with a probability of ${percent(level.probability)}`);
}

/**
 * Show a take (see `wordsOf`) in a node. The drawing follows when it is made; where the learner's
 * sound is not at hand, a sentence says so.
 */
export function showResult(node, take, about) {
  const { assessment } = take;
  stop();
  let timeline = null;
  take.follow = (part, seconds) => timeline?.place(part?.own ? seconds : null);
  const words = wordsOf(take);
  const ofAnotherText = assessment.reading?.matches === false;
  const ofSounds = assessment.transcript?.source === "phones";
  const whole = el("button", { type: "button", class: "play" }, el("span", { class: "sign", "aria-hidden": "true" }, "▶"), " Hear all of it");
  whole.addEventListener("click", () => {
    play(whole, [{ load: take.sound, own: true }], { follow: take.follow, ended: () => take.follow(null) }).catch((error) => say(fault(error), { trouble: true }));
  });
  const drawing = el("div", { class: "drawn" }, el("p", { class: "soft" }, take.sound ? "Drawing…" : "The recording was not kept, so it cannot be heard or drawn here."));
  const melody = melodyOf(assessment);
  const grades = [
    gradesOf("Fluency", assessment.fluency?.grades),
    gradesOf("Melody, rhythm and stress", assessment.prosody?.grades),
  ].filter(Boolean);
  const title = el("h2", { tabindex: "-1" }, about);
  node.replaceChildren(
    ...[
      el(
        "section",
        { class: "card" },
        title,
        ofAnotherText ? el("p", {}, assessment.warnings[0]) : [headline(assessment), levelOf(assessment)],
      ),
      remarksOf(assessment, words),
      ofAnotherText ? textOf(assessment) : null,
      assessment.words.length > 0 && !ofAnotherText
        ? el(
            "section",
            { class: "card" },
            el("h3", {}, ofSounds ? "Sounds between pauses" : "Word by word"),
            el("p", { class: "soft" }, `Press ${ofSounds ? "some" : "a word"} to see and hear ${ofSounds ? "them one by one" : "its sounds"}.`),
            words.nodes,
          )
        : null,
      el("section", { class: "card" }, el("div", { class: "row" }, el("h3", {}, "Your recording"), take.sound ? whole : null), drawing),
      melody ? el("section", { class: "card" }, el("h3", {}, "Melody"), melodyInWords(assessment), melody) : null,
      grades.length > 0 ? el("section", { class: "card grades" }, el("h3", {}, "Flow and rhythm among natives"), grades) : null,
      assessment.explanation ? el("section", { class: "card" }, el("h3", {}, "In other words"), el("p", { class: "prose" }, assessment.explanation)) : null,
      notes(assessment, ofAnotherText ? assessment.warnings.slice(1) : assessment.warnings),
    ].filter(Boolean),
  );
  if (take.sound) {
    audioContext();
    timelineOf(take, drawing.clientWidth).then(
      (drawn) => {
        timeline = drawn;
        drawing.replaceChildren(drawn.node);
        drawn.begin();
      },
      () => drawing.replaceChildren(el("p", { class: "soft" }, "This browser cannot decode the recording, so it is not drawn.")),
    );
  }
  return title;
}

/** The words of a text that the recording is not of: nothing is told of them. */
function textOf({ words, language }) {
  const text = words.map(({ word }) => word).join(" ");
  return el("section", { class: "card" }, el("h3", {}, "The text"), el("p", { lang: language, dir: "auto" }, text));
}

function notes(assessment, warnings) {
  const calibration = CALIBRATIONS[assessment.calibration];
  return el(
    "section",
    { class: "card notes" },
    el("h3", {}, "Notes"),
    warnings.length > 0 ? el("ul", {}, warnings.map((text) => el("li", {}, text))) : null,
    el("p", { class: "soft" }, `Heard against the natives of ${assessment.index}, ${calibration}, from 0 to 100. A machine’s ear: where yours disagrees, trust a teacher.`),
  );
}
