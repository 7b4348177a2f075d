/** Pitch against a native's, and what was measured of flow and melody among natives. */

import { el, svg } from "./dom.js";
import { band, scoreText } from "./scale.js";
import { known, t } from "./texts.js";

const WIDTH = 800;
const HEIGHT = 190;
const LEFT = 34;
const BOTTOM = 22;
const LETTER = 7; // about how wide one is

/** Decimals of measures; one that is not here has two. */
const DECIMALS = {
  syllables_per_s: 1,
  articulation_rate: 1,
  words_per_minute: 0,
  words_correct_per_minute: 0,
  pause_count: 0,
  pause_long_count: 0,
  npvi_v: 1,
  percent_v: 1,
  varco_v: 1,
  varco_c: 1,
  median_hz: 0,
  range_semitones: 1,
  final_slope: 1,
  stress_accuracy: 0,
  native_contour_distance_semitones: 1,
};

const written = (measure, value) => value.toFixed(DECIMALS[measure] ?? 2).replace("-", "−");
const label = (measure) => known(`measure.${measure}`) ?? measure.replaceAll("_", " ");

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
      "aria-label": t(model.length > 1 ? "melody.drawingBoth" : "melody.drawing", { hz: Math.round(middle) }),
    },
    ...guides.flat(),
    ...(model.length > 1 ? [line(model, "model")] : []),
    ...stretches(own).map((points) => line(points, "own")),
    ...names,
  );
  const key = el(
    "ul",
    { class: "key" },
    el("li", {}, el("i", { class: "own" }), t("melody.you")),
    model.length > 1 ? el("li", {}, el("i", { class: "model" }), t("melody.native")) : null,
  );
  const note =
    model.length > 1
      ? null
      : el("p", { class: "soft" }, t("melody.noNative"));
  return [el("div", { class: "scroller", tabindex: "0", role: "group", "aria-label": t("melody.pitch") }, drawing), key, note];
}

/** How the melody ends, and which word stands out, in words; as far as they were measured. */
export function melodyInWords({ words, prosody }) {
  const said = [];
  const end = prosody?.intonation;
  if (end?.fits === true) said.push(t(`melody.fits.${end.observed}`));
  if (end?.fits === false && end.expected) {
    said.push(t(`melody.misses.${end.expected}`));
  }
  const own = words[prosody?.prominent_word]?.word;
  const native = words[prosody?.native_prominent_word]?.word;
  if (own && native && own === native) said.push(t("melody.same", { word: own }));
  else if (own) said.push(t(native ? "melody.differs" : "melody.own", { word: own, native }));
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
      el("td", {}, t("measures.range", { low: written(grade.measure, grade.native_low), high: written(grade.measure, grade.native_high) })),
      el("td", { class: `graded ${band(grade.score)}` }, scoreText(grade.score)),
    ),
  );
  const head = [t("measures.measure"), t("measures.you"), t("measures.natives"), t("measures.score")].map((name) => el("th", { scope: "col" }, name));
  return el(
    "div",
    { class: "table", tabindex: "0", role: "group", "aria-label": title },
    el("table", {}, el("caption", {}, title), el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)),
  );
}
