/** What models elsewhere said of a recording or of its words: beside what was measured, never in it. */

import { el } from "./dom.js";
import { scoreText } from "./scale.js";
import { t } from "./texts.js";

const HEARD = ["overall", "pronunciation", "fluency", "prosody", "completeness"];
const READ = ["grammar", "vocabulary", "relevance"];

const row = (name, ...scores) => el("tr", {}, el("th", { scope: "row" }, name), scores.map((score) => el("td", {}, scoreText(score))));

function opinion(title, about, ...parts) {
  return el("section", { class: "card opinion" }, el("h3", {}, title), el("p", { class: "soft" }, about), parts);
}

const remarksOf = ({ remarks }) => (remarks.length > 0 ? el("ul", {}, remarks.map((text) => el("li", { dir: "auto" }, text))) : null);

function beside(rows) {
  const head = ["", t("opinion.its"), t("opinion.ours")].map((name) => el("th", { scope: "col" }, name));
  return el("table", { class: "scores" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows));
}

/** Its scores beside ours: of the whole, and, when they are asked for, of the words that it told of. */
function secondEarOf({ second_ear: heard, score, words, language }) {
  const whole = HEARD.filter((name) => heard.score[name] !== null).map((name) => row(t(`score.${name}`), heard.score[name], score[name]));
  const told = heard.words.flatMap((word, i) => (word.score === null ? [] : [row(el("span", { lang: language, dir: "auto" }, word.word), word.score, words[i].score)]));
  return opinion(
    t("opinion.ear"),
    t("opinion.earAbout", { model: heard.model }),
    whole.length > 0 ? beside(whole) : null,
    remarksOf(heard),
    told.length > 0 ? el("details", {}, el("summary", {}, t("opinion.words")), beside(told)) : null,
  );
}

function correction({ said, better, why }, language) {
  const quoted = (text) => el("span", { lang: language, dir: "auto" }, t("quoted", { text }));
  return el("li", {}, quoted(said), " → ", quoted(better), why ? ` ${why}` : null);
}

function languageUseOf({ language_use: told, language }) {
  const rows = READ.filter((name) => told[name] !== null).map((name) => row(t(`opinion.${name}`), told[name]));
  return opinion(
    t("opinion.language"),
    t("opinion.languageAbout", { model: told.model }),
    rows.length > 0 ? el("table", { class: "scores" }, el("tbody", {}, rows)) : null,
    told.corrections.length > 0 ? el("ul", {}, told.corrections.map((one) => correction(one, language))) : null,
    remarksOf(told),
  );
}

/** A card for each model that was asked; none where none was. */
export const opinionsOf = (assessment) => [
  assessment.second_ear ? secondEarOf(assessment) : null,
  assessment.language_use ? languageUseOf(assessment) : null,
].filter(Boolean);
