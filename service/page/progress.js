/** A learner's history: sentences over time, each phone over time, and past results. */

import { all, blob, bytes, get, remove } from "./api.js";
import { byId, el, fault, refill, say, svg } from "./dom.js";
import { learner } from "./learner.js";
import { audioContext } from "./player.js";
import { showResult } from "./result.js";
import { FLAGGED_SCORE, GOOD_SCORE, band, day, languageName, scoreText, shareText, spoken } from "./scale.js";

const MOST = 100; // results listed
const trouble = (error) => say(fault(error), { trouble: true });

/** A score of 0 to 100 as a coloured cell. */
export const cell = (score) => el("span", { class: `cell ${band(score)}` }, scoreText(score));

/** Scores over time as a line; told in words too. */
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
      "aria-label": `${label}: from ${Math.round(known[0])} to ${Math.round(known.at(-1))} in ${known.length} steps`,
    },
    ...[GOOD_SCORE, FLAGGED_SCORE].map((score) => svg("line", { class: "guide", x1: 0, x2: 100, y1: 100 - score, y2: 100 - score })),
    svg("polyline", { points: points.join(" ") }),
  );
}

/** A table that scrolls by itself where it is wider than the page, by keyboard too. */
export const scrolled = (label, table) =>
  el("div", { class: "table", tabindex: "0", role: "group", "aria-label": label }, table);

/** A button that saves a CSV which may need the key to be read. */
export function csvButton(path, name) {
  const button = el("button", { type: "button", class: "quiet" }, "Save as CSV");
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

function phoneTable(phones) {
  const rows = [...phones]
    .sort((one, other) => (one.mean_score ?? 101) - (other.mean_score ?? 101))
    .map((phone) =>
      el(
        "tr",
        {},
        phoneHead(phone, phones, "row"),
        el("td", {}, cell(phone.mean_score)),
        el("td", {}, shareText(phone.flagged_share)),
        el("td", {}, String(phone.count)),
        el("td", {}, trend(phone.days.map(({ mean_score: mean }) => mean), "spark", `${phone.ipa} over time`)),
      ),
    );
  const head = ["Sound", "Mean", "Flagged", "Said", "By day"].map((name) => el("th", { scope: "col" }, name));
  return scrolled("Sounds", el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}

async function open(item, node, back) {
  try {
    const assessment = await get(`assessments/${item.id}`);
    const where = `assessments/${item.id}/audio`;
    let buffer = null;
    try {
      buffer = await audioContext().decodeAudioData(await bytes(where));
    } catch {
      // Not kept: the result says so.
    }
    const shown = el("div", { class: "result" });
    node.replaceChildren(backButton("All results", back), shown);
    showResult(shown, { assessment, sound: buffer ? async () => buffer : null }, `${spoken(item)}, ${day(item.created_at)}`).focus();
  } catch (error) {
    trouble(error);
  }
}

/** A button that leads to where one came from. */
export const backButton = (where, go) =>
  el("div", {}, el("button", { type: "button", class: "quiet", onclick: go }, `← ${where}`));

function resultTable(items, node, again) {
  const rows = items.map((item) => {
    const erase = el("button", { type: "button", class: "link", "aria-label": `Delete the result of ${spoken(item)}` }, "Delete");
    erase.addEventListener("click", async () => {
      if (!window.confirm(`Delete this result and its recording for good?\n\n${spoken(item)}`)) return;
      try {
        await remove(`assessments/${item.id}`);
        await again();
        say("Deleted.");
      } catch (error) {
        trouble(error);
      }
    });
    return el(
      "tr",
      {},
      el("td", {}, day(item.created_at)),
      el("td", {}, el("button", { type: "button", class: "link", onclick: () => open(item, node, again) }, item.text ?? spoken(item))),
      el("td", {}, cell(item.overall)),
      el("td", { class: "end" }, erase),
    );
  });
  const head = ["Day", "Sentence", "Score"].map((name) => el("th", { scope: "col" }, name));
  return scrolled("Results", el("table", {}, el("thead", {}, el("tr", {}, head, el("td", {}))), el("tbody", {}, rows)));
}

/** Fill the view with what the service knows of the learner of this browser. */
export async function showProgress() {
  const node = byId("progress");
  const { name } = learner();
  if (name) await showHistory(node, name);
  else {
    node.replaceChildren(
      el(
        "section",
        { class: "card" },
        el("p", {}, "Tell your name, and the service remembers your results from then on."),
        el("p", {}, el("button", { type: "button", class: "main", onclick: () => byId("you").click() }, "Tell my name")),
      ),
    );
  }
}

function forgetButton(name, again) {
  const button = el("button", { type: "button", class: "quiet" }, "Delete all of it");
  button.addEventListener("click", async () => {
    if (!window.confirm(`Delete every result and recording of ${name} for good?`)) return;
    try {
      await remove(`learners/${encodeURIComponent(name)}`);
      await again();
      say("Deleted.");
    } catch (error) {
      trouble(error);
    }
  });
  return button;
}

/** Fill a node with the history of a learner, below what else there is to show. */
export async function showHistory(node, name, above = []) {
  const again = () => showHistory(node, name, above);
  refill(node, ...above, el("p", { class: "soft" }, "Loading…"));
  const who = encodeURIComponent(name);
  try {
    const [progress, items] = await Promise.all([
      get(`learners/${who}/progress`).catch((error) => {
        if (error.status === 404) return null;
        throw error;
      }),
      all(`assessments?learner_id=${who}&limit=${MOST}`, MOST),
    ]);
    if (!progress || items.length === 0) {
      refill(node, ...above, el("section", { class: "card" }, el("p", {}, `Nothing is kept of ${name} yet. Say a sentence first.`)));
      return;
    }
    const scores = progress.sentences.map(({ overall }) => overall);
    refill(
      node,
      ...above,
      el(
        "section",
        { class: "card" },
        el("h2", {}, name),
        el("p", { class: "soft" }, `${scores.length} ${scores.length === 1 ? "sentence" : "sentences"} so far.`),
        scores.length > 1
          ? [
              trend(scores, "trend", "Overall scores"),
              el("p", { class: "soft" }, `Overall scores from 0 to 100, with lines at ${FLAGGED_SCORE} and ${GOOD_SCORE}.`),
            ]
          : null,
      ),
      el(
        "section",
        { class: "card" },
        el("div", { class: "row" }, el("h3", {}, "Sounds, the hardest first"), csvButton(`learners/${who}/progress?format=csv`, "progress.csv")),
        progress.phones.length > 0 ? phoneTable(progress.phones) : el("p", { class: "soft" }, "None yet: where you speak freely, nobody knows which sounds were meant."),
      ),
      el("section", { class: "card" }, el("div", { class: "row" }, el("h3", {}, "Results"), forgetButton(name, again)), resultTable(items, node, again)),
    );
  } catch (error) {
    refill(node, ...above);
    trouble(error);
  }
}
