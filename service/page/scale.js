/** How scores, verdicts and measures are written: the scale of the terminal and the report. */

import { el } from "./dom.js";

export const GOOD_SCORE = 75;
export const FLAGGED_SCORE = 50;

/** Stands behind a sound, so that no verdict is told by colour alone. */
export const MARKS = {
  correct: "",
  accented: "~",
  substituted: "×",
  deleted: "−",
  uncertain: "?",
};

export const MEANINGS = {
  correct: "as natives say it",
  accented: "understood, but unlike natives",
  substituted: "another sound was heard",
  deleted: "not heard",
  uncertain: "cannot be judged",
};

/** Marks of what was said beside the text. */
export const BESIDE_MARKS = {
  repeated: "↻",
  restart: "↻",
  extra: "+",
};

export const BESIDE_MEANINGS = {
  repeated: "said again",
  restart: "begun again",
  extra: "not in the text",
};

export const FLAGGED = ["accented", "substituted", "deleted"];

/** The class that colours a score. */
export function band(score) {
  if (score === null || score === undefined) return "unmeasured";
  if (score >= GOOD_SCORE) return "good";
  return score >= FLAGGED_SCORE ? "fair" : "poor";
}

/** A score without decimals; a dash, spoken as what it means, where there is none. */
export function scoreText(score) {
  if (score !== null && score !== undefined) return [String(Math.round(score))];
  return [el("span", { "aria-hidden": "true" }, "–"), el("span", { class: "spoken" }, "not measured")];
}

/** A share in per cent, or a dash as `scoreText` has it. */
export const shareText = (share) => (share === null ? scoreText(null) : [percent(share)]);

export const percent = (share) => `${Math.round(100 * share)} %`;

/** A day as people of this browser's language write it. */
export const day = (time) =>
  new Date(time).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });

/** What was said: the text that was meant, else what was heard. */
export function spoken({ text, transcript }) {
  if (text) return `“${text}”`;
  const heard = transcript?.text ?? transcript;
  return heard ? `Heard: “${heard}”` : "Sounds without a text";
}

/** A language tag by its name in English. */
export function languageName(tag) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(tag);
  } catch {
    return tag;
  }
}
