/** A learner's history: what to do today, sentences over time, each sound over time, and past results. */

import { all, blob, get, remove, unreachable } from "./api.js";
import { findIndexes, offer } from "./chooser.js";
import { byId, el, refill, say, svg, trouble } from "./dom.js";
import { learner } from "./learner.js";
import { ownHistory, together } from "./own.js";
import { example, soundsOf, written } from "./phones.js";
import { addRemarks, showResult } from "./result.js";
import { FLAGGED_SCORE, GOOD_SCORE, band, day, languageName, scoreText, shareText, spoken } from "./scale.js";
import { isTold, whoIsIn } from "./session.js";
import { forgetHeard } from "./store.js";
import { findTake, soundOf } from "./takes.js";
import { t, tn } from "./texts.js";
import { todayOf } from "./today.js";

const MOST = 100; // results listed

/** A score of 0 to 100 as a coloured cell. */
export const cell = (score) => el("span", { class: `cell ${band(score)}` }, scoreText(score));

const whole = (score) => Math.round(score);

/** Scores over the days as a line; told in words too. */
export function trend(scores, name, label) {
  const known = scores.filter((score) => score !== null);
  if (known.length < 2) return el("span", { class: "soft" }, "–");
  const points = known.map((score, i) => `${((100 * i) / (known.length - 1)).toFixed(2)},${(100 - score).toFixed(1)}`);
  return svg(
    "svg",
    {
      class: name,
      viewBox: "0 0 100 100",
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": t("progress.line", { label, first: whole(known[0]), last: whole(known.at(-1)), count: known.length }),
    },
    ...[GOOD_SCORE, FLAGGED_SCORE].map((score) => svg("line", { class: "guide", x1: 0, x2: 100, y1: 100 - score, y2: 100 - score })),
    svg("polyline", { points: points.join(" ") }),
  );
}

/** The mean score of each day, with the first and the last day below the line. */
function trendOfDays(sentences) {
  const days = new Map();
  for (const { created_at: at, overall } of sentences) {
    if (overall === null) continue;
    const date = at.slice(0, 10);
    days.set(date, [...(days.get(date) ?? []), overall]);
  }
  if (days.size < 2) return null;
  const dates = [...days.keys()];
  const means = [...days.values()].map((scores) => scores.reduce((sum, score) => sum + score, 0) / scores.length);
  return el(
    "figure",
    { class: "course" },
    trend(means, "trend", t("progress.scores")),
    el("figcaption", { class: "soft" }, el("span", {}, `${day(dates[0])}: ${whole(means[0])}`), el("span", {}, `${day(dates.at(-1))}: ${whole(means.at(-1))}`)),
  );
}

/** A table that scrolls by itself where it is wider than the page, by keyboard too. */
export const scrolled = (label, table) =>
  el("div", { class: "table", tabindex: "0", role: "group", "aria-label": label }, table);

/** A button that saves what may need the key to be read: a CSV, or what `text` says. */
export function saveButton(path, name, text = t("progress.csv")) {
  const button = el("button", { type: "button", class: "quiet" }, text);
  button.addEventListener("click", async () => {
    try {
      const link = el("a", { href: URL.createObjectURL(await blob(path)), download: name });
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      trouble(error);
    }
  });
  return button;
}

/** A phone as the head of a row or column; its language too where there are several. */
export function phoneHead(phone, among, scope) {
  const several = among.some(({ language }) => language !== phone.language);
  return el("th", { scope, class: "ipa" }, phone.ipa, several ? el("small", {}, languageName(phone.language)) : null);
}

function phoneTable(phones, sounds) {
  const rows = [...phones]
    .sort((one, other) => (one.mean_score ?? 101) - (other.mean_score ?? 101))
    .map((phone) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, el("b", { class: "ipa" }, written(sounds, phone)), " ", example(sounds, phone), phones.some(({ language }) => language !== phone.language) ? el("small", {}, languageName(phone.language)) : null),
        el("td", {}, cell(phone.mean_score)),
        el("td", {}, shareText(phone.flagged_share)),
        el("td", {}, String(phone.count)),
        el("td", {}, trend(phone.days.map(({ mean_score: mean }) => mean), "spark", t("progress.overTime", { sound: phone.ipa }))),
      ),
    );
  const head = ["sound", "mean", "flagged", "said", "byDay"].map((name) => el("th", { scope: "col" }, t(`progress.${name}`)));
  return scrolled(t("progress.sounds"), el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}

async function open(item, node, back) {
  try {
    const found = item.isHere ? await findTake(item.id) : { id: item.id, assessment: await get(`assessments/${item.id}`) };
    const { assessment } = found;
    let buffer = null;
    try {
      buffer = await soundOf(found);
    } catch {
      // Not kept: the result says so.
    }
    const shown = el("div", { class: "result" });
    node.replaceChildren(backButton(t("progress.allResults"), back), shown);
    const take = { assessment, text: item.text, sound: buffer ? async () => buffer : null };
    showResult(shown, take, null, `${spoken(item)}, ${day(item.created_at)}`).focus();
    addRemarks(shown, assessment);
  } catch (error) {
    trouble(error);
  }
}

/** A button that leads to where one came from. */
export const backButton = (where, go) =>
  el("div", {}, el("button", { type: "button", class: "quiet", onclick: go }, `← ${where}`));

function resultTable(items, show, again, mayDelete) {
  const rows = items.map((item) => {
    const erase = el("button", { type: "button", class: "link", "aria-label": t("progress.deleteOf", { text: spoken(item) }) }, t("progress.delete"));
    erase.addEventListener("click", async () => {
      if (!window.confirm(`${t("progress.deleteAsk")}\n\n${spoken(item)}`)) return;
      try {
        await (item.isHere ? forgetHeard(item.id) : remove(`assessments/${item.id}`));
        await again();
        say(t("progress.deleted"));
      } catch (error) {
        trouble(error);
      }
    });
    return el(
      "tr",
      {},
      el("td", {}, day(item.created_at), item.isHere ? el("small", {}, t("progress.here")) : null),
      el("td", {}, el("button", { type: "button", class: "link", onclick: () => show(item) }, item.text ?? spoken(item)), item.comments > 0 ? el("small", {}, tn("comment.count", item.comments)) : null),
      el("td", {}, cell(item.overall)),
      el("td", { class: "end" }, mayDelete ? erase : null),
    );
  });
  const head = ["day", "sentence", "score"].map((name) => el("th", { scope: "col" }, t(`progress.${name}`)));
  return scrolled(t("progress.results"), el("table", {}, el("thead", {}, el("tr", {}, head, el("td", {}))), el("tbody", {}, rows)));
}

/** Fill the view with what the service knows of the learner of this browser. */
export async function showProgress() {
  const node = byId("progress");
  const { id, name } = learner();
  if (id || (await ownHistory(""))) await showHistory(node, { id, name: name || t("progress.here") });
  else if (!isTold()) {
    node.replaceChildren();
    trouble(unreachable());
  } else {
    node.replaceChildren(
      el(
        "section",
        { class: "card" },
        el("p", {}, t("progress.tellName")),
        el("p", {}, el("button", { type: "button", class: "main", onclick: () => byId("you").click() }, t("progress.tell"))),
      ),
    );
  }
}

function forgetButton({ id, name }, again) {
  const button = el("button", { type: "button", class: "quiet" }, t("learner.erase"));
  button.addEventListener("click", async () => {
    if (!window.confirm(t("progress.deleteAllAsk", { name }))) return;
    try {
      const own = await ownHistory(id);
      if (id) await remove(`learners/${encodeURIComponent(id)}`).catch((error) => {
        if (!own || error.status !== 404) throw error;
      });
      for (const sentence of own?.sentences ?? []) await forgetHeard(sentence.id);
      await again();
      say(t("progress.deleted"));
    } catch (error) {
      trouble(error);
    }
  });
  return button;
}

/** Fill a node with the history of a learner, below what else there is to show; `show` opens a result elsewhere. */
export async function showHistory(node, person, above = [], show = null) {
  const again = () => showHistory(node, person, above, show);
  const { id, name } = person;
  const isOthers = whoIsIn() !== null && whoIsIn().id !== id; // whose results stay his to delete
  refill(node, ...above, el("p", { class: "soft" }, t("loading")));
  const who = encodeURIComponent(id);
  try {
    const practises = above.length === 0 && !isOthers;
    const own = practises ? await ownHistory(id) : null;
    const away = (nothing) => (error) => { // what is here is shown where the service is away, too
      if (error.status !== 404 && !(own && error.status === 0)) throw error;
      return nothing;
    };
    const [known, listed] = await Promise.all([
      id ? get(`learners/${who}/progress`).catch(away(null)) : null,
      id ? all(`assessments?learner_id=${who}&limit=${MOST}`, MOST).catch(away([])) : [],
    ]);
    const progress = together(known, own);
    if (!progress || progress.sentences.length === 0) {
      refill(node, ...above, el("section", { class: "card" }, el("p", {}, t(isOthers ? "pupil.none" : "progress.none", { name }))));
      return;
    }
    const items = [...listed, ...(own?.sentences ?? [])].sort((one, other) => other.created_at.localeCompare(one.created_at));
    if (practises && !offer.index) await findIndexes();
    const [today, sounds] = await Promise.all([
      practises && offer.index && known ? todayOf(id, offer.index) : null,
      soundsOf(progress.phones[0]?.language ?? offer.index?.language ?? "en-US"),
    ]);
    const hardest = el(
      "section",
      { class: "card" },
      el("div", { class: "row" }, el("h3", {}, t("progress.hardest")), known ? saveButton(`learners/${who}/progress?format=csv`, "progress.csv") : null),
      progress.phones.length > 0 ? phoneTable(progress.phones, sounds) : el("p", { class: "soft" }, t("progress.noSounds")),
    );
    const results = el("section", { class: "card" }, el("div", { class: "row" }, el("h3", {}, t("progress.results")), isOthers ? null : forgetButton(person, again)), resultTable(items, show ?? ((item) => open(item, node, again)), again, !isOthers));
    refill(
      node,
      ...above,
      ...(today ? [today] : []),
      el(
        "section",
        { class: "card" },
        el("h2", {}, name),
        el("p", { class: "soft" }, tn("progress.sofar", progress.sentences.length)),
        trendOfDays(progress.sentences),
      ),
      ...(show ? [results, hardest] : [hardest, results]), // a teacher looks for what to hear
    );
  } catch (error) {
    refill(node, ...above);
    trouble(error);
  }
}
