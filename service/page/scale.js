/** How scores, verdicts and measures are written: the scale of the terminal and the report. */

import { el } from "./dom.js";
import { language, t } from "./texts.js";

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

export const meaning = (verdict) => t(`verdict.${verdict}`);

/** The class that colours a sound: what is flagged never looks good, nor anything else flagged. */
export const toneOf = (verdict) => ({ correct: "good", accented: "fair", substituted: "poor", deleted: "poor", uncertain: "unmeasured" })[verdict];

/** The class of a word: that of its worst sound. */
export function wordTone({ phones, omitted }) {
  if (omitted) return "unmeasured";
  const tones = phones.map(({ verdict }) => toneOf(verdict));
  return ["poor", "fair", "good"].find((tone) => tones.includes(tone)) ?? "unmeasured";
}

/** Every tone with what it says. */
export const scaleOf = () => [["good", meaning("correct")], ["fair", meaning("accented")], ["poor", t("how.poor")]];

/** Marks of what was said beside the text. */
export const BESIDE_MARKS = {
  repeated: "↻",
  restart: "↻",
  extra: "+",
};

export const besideMeaning = (kind) => t(`beside.${kind}`);

export const FLAGGED = ["accented", "substituted", "deleted"];

/** What a flagged sound was heard as: another one that it is likest; null where there is none. */
export function heardAs({ phone, verdict, sounds_like: [first] }) {
  return first && first.phone !== phone && FLAGGED.includes(verdict) && verdict !== "deleted" ? first : null;
}

/** The class that colours a score. */
export function band(score) {
  if (score === null || score === undefined) return "unmeasured";
  if (score >= GOOD_SCORE) return "good";
  return score >= FLAGGED_SCORE ? "fair" : "poor";
}

/** A score without decimals; a dash, spoken as what it means, where there is none. */
export function scoreText(score) {
  if (score !== null && score !== undefined) return [String(Math.round(score))];
  return [el("span", { "aria-hidden": "true" }, "–"), el("span", { class: "spoken" }, t("unmeasured"))];
}

/** A share in per cent, or a dash as `scoreText` has it. */
export const shareText = (share) => (share === null ? scoreText(null) : [percent(share)]);

export const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

/** A day as people of this browser's language write it. */
export const day = (time) =>
  new Date(time).toLocaleDateString(language, { day: "numeric", month: "short", year: "numeric" });

/** What was said: the text that was meant, else what was heard. */
export function spoken({ text, transcript }) {
  if (text) return t("quoted", { text });
  const heard = transcript?.text ?? transcript;
  return heard ? t("heard", { text: heard }) : t("sounds");
}

/** A language by its tag, in the language of the page. */
export function languageName(tag) {
  try {
    return new Intl.DisplayNames([language], { type: "language" }).of(tag);
  } catch {
    return tag;
  }
}
