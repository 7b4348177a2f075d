/** Pitch against a native's, and what was measured of flow and melody among natives. */

import { el, svg } from "./dom.js";
import { band, scoreText } from "./scale.js";

const WIDTH = 800;
const HEIGHT = 190;
const LEFT = 34;
const BOTTOM = 22;
const LETTER = 7; // about how wide one is

/** How measures are called and written; one that is not here is written under its own name. */
export const MEASURES = {
  syllables_per_s: ["Syllables per second", 1],
  articulation_rate: ["Syllables per second without pauses", 1],
  words_per_minute: ["Words per minute", 0],
  words_correct_per_minute: ["Correct words per minute", 0],
  pause_count: ["Pauses", 0],
  pause_long_count: ["Pauses over 0.4 s", 0],
  pause_mean_s: ["Mean pause, s", 2],
  pause_ratio: ["Share of pauses", 2],
  npvi_v: ["nPVI of vowels", 1],
  percent_v: ["%V", 1],
  varco_v: ["Varco of vowels", 1],
  varco_c: ["Varco of consonants", 1],
  median_hz: ["Median pitch, Hz", 0],
  range_semitones: ["Pitch range, semitones", 1],
  final_slope: ["Final slope, semitones per second", 1],
  stress_accuracy: ["Words stressed rightly, %", 0],
  native_contour_distance_semitones: ["Distance to a native reading, semitones", 1],
};

const written = (measure, value) => value.toFixed(MEASURES[measure]?.[1] ?? 2).replace("-", "−");
const label = (measure) => MEASURES[measure]?.[0] ?? measure.replaceAll("_", " ");

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Points of voiced stretches; a new stretch begins where voice was absent. */
function stretches(points) {
  const found = [[]];
  for (const point of points) {
    if (point[1] === null) found.push([]);
    else found.at(-1).push(point);
  }
  return found.filter((stretch) => stretch.length > 1);
}

/** Pitch in semitones about each speaker's median; null where nothing is voiced. */
export function melodyOf({ words, prosody, duration_s: duration }) {
  const contour = prosody?.contour;
  if (!contour) return null;
  const voiced = contour.t_s.map((at, i) => [at, contour.f0_hz[i]]).filter(([, hz]) => hz > 0);
  if (voiced.length < 2) return null;
  const middle = median(voiced.map(([, hz]) => hz));
  const semitones = (hz) => 12 * Math.log2(hz / middle);
  const own = contour.t_s.map((at, i) => [at, contour.f0_hz[i] > 0 ? semitones(contour.f0_hz[i]) : null]);
  const native = prosody.native_contour_semitones;
  const from = voiced[0][0];
  const to = voiced.at(-1)[0];
  const model = native.map((value, i) => [from + ((to - from) * i) / Math.max(1, native.length - 1), value]);
  const heights = [...own, ...model].map(([, value]) => value).filter((value) => value !== null);
  const low = Math.min(-4, ...heights) - 1;
  const high = Math.max(4, ...heights) + 1;
  const x = (at) => LEFT + ((WIDTH - LEFT) * at) / duration;
  const y = (value) => (HEIGHT - BOTTOM) * (1 - (value - low) / (high - low));
  const line = (points, name) =>
    svg("polyline", { class: name, points: points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ") });
  const guides = [-6, 0, 6]
    .filter((value) => value > low && value < high)
    .map((value) => [
      svg("line", { class: "guide", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }),
      svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value > 0 ? `+${value}` : String(value).replace("-", "−")),
    ]);
  const names = [];
  let free = LEFT;
  for (const word of words.filter(({ start_s: start }) => start !== null)) {
    const middleX = x((word.start_s + word.end_s) / 2);
    const half = (word.word.length * LETTER) / 2;
    if (middleX - half < free) continue; // it would cover its neighbour
    free = middleX + half + LETTER;
    names.push(svg("text", { x: middleX, y: HEIGHT - 5, "text-anchor": "middle" }, word.word));
  }
  const drawing = svg(
    "svg",
    {
      class: "melody",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": `Your pitch about ${Math.round(middle)} Hz in semitones${model.length > 1 ? ", with a native’s beside it" : ""}`,
    },
    ...guides.flat(),
    ...(model.length > 1 ? [line(model, "model")] : []),
    ...stretches(own).map((points) => line(points, "own")),
    ...names,
  );
  const key = el(
    "ul",
    { class: "key" },
    el("li", {}, el("i", { class: "own" }), "you"),
    model.length > 1 ? el("li", {}, el("i", { class: "model" }), "the nearest native, at your pace") : null,
  );
  const note =
    model.length > 1
      ? null
      : el("p", { class: "soft" }, "No native reading of these very words is kept in this index to lay beside it.");
  return [el("div", { class: "scroller", tabindex: "0", role: "group", "aria-label": "Pitch" }, drawing), key, note];
}

const MOVES = { fall: "falls", level: "stays level", rise: "rises" };

/** How the melody ends, and which word stands out, in words; as far as they were measured. */
export function melodyInWords({ words, prosody }) {
  const said = [];
  const end = prosody?.intonation;
  if (end?.fits === true) said.push(`Your melody ${MOVES[end.observed]} at the end, as it should.`);
  if (end?.fits === false && end.expected) {
    said.push(`Your melody ${MOVES[end.observed]} at the end; here it usually ${MOVES[end.expected]}.`);
  }
  const own = words[prosody?.prominent_word]?.word;
  const native = words[prosody?.native_prominent_word]?.word;
  if (own && native && own === native) said.push(`“${own}” stands out, as it does with the native.`);
  else if (own) said.push(`“${own}” stands out${native ? `; with the native, “${native}” does` : ""}.`);
  return said.length > 0 ? el("p", {}, said.join(" ")) : null;
}

/** The learner beside the middle nine tenths of natives; null where nothing was graded. */
export function gradesOf(title, grades) {
  if (!grades || grades.length === 0) return null;
  const rows = grades.map((grade) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, label(grade.measure)),
      el("td", {}, written(grade.measure, grade.value)),
      el("td", {}, `${written(grade.measure, grade.native_low)} to ${written(grade.measure, grade.native_high)}`),
      el("td", { class: `graded ${band(grade.score)}` }, scoreText(grade.score)),
    ),
  );
  const head = ["Measure", "You", "Most natives", "Score"].map((name) => el("th", { scope: "col" }, name));
  return el(
    "div",
    { class: "table", tabindex: "0", role: "group", "aria-label": title },
    el("table", {}, el("caption", {}, title), el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)),
  );
}
