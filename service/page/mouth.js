/** A drawing of the mouth for each sound, made from how it is made: a head from the left. */

import { svg } from "./dom.js";
import { t } from "./texts.js";

// The roof of the mouth from the upper teeth to the throat; where a place lies is a share of it.
const ROOF = [[34, 46], [38, 40], [44, 33], [54, 28], [66, 27], [76, 31], [84, 39], [89, 50], [92, 64], [93, 80]];
const PLACES = {
  dental: [0.0, "tip"],
  alveolar: [0.12, "tip"],
  "velarised alveolar": [0.12, "tip"],
  postalveolar: [0.22, "tip"],
  retroflex: [0.3, "tip"],
  "alveolo-palatal": [0.28, "body"],
  palatal: [0.4, "body"],
  "labial-palatal": [0.4, "body"],
  velar: [0.58, "body"],
  "labial-velar": [0.58, "body"],
  uvular: [0.7, "body"],
  pharyngeal: [0.9, "body"],
};
const GAPS = { stop: 0, nasal: 0, affricate: 0, tap: 0, trill: 1, lateral: 0, "lateral fricative": 2, fricative: 2.5, approximant: 7 };
const HEIGHTS = { close: 6, "near-close": 9, "close-mid": 12, mid: 15, "open-mid": 18, "near-open": 22, open: 26 };
const BACKS = { front: 0.36, "near-front": 0.4, central: 0.5, "near-back": 0.58, back: 0.62 };
const REST = 17; // how far the tongue lies from the roof where nothing is made
const STEPS = 24;

/** Which way is down from each point of the roof. */
const DOWN = ROOF.map((_, i) => {
  const [x0, y0] = ROOF[Math.max(0, i - 1)];
  const [x1, y1] = ROOF[Math.min(ROOF.length - 1, i + 1)];
  const length = Math.hypot(x1 - x0, y1 - y0);
  return [-(y1 - y0) / length, (x1 - x0) / length];
});

/** A point so far below the roof at a share of its length. */
function below(share, away) {
  const at = Math.max(0, Math.min(0.999, share)) * (ROOF.length - 1);
  const i = Math.floor(at);
  const between = (points, axis) => points[i][axis] + (points[i + 1][axis] - points[i][axis]) * (at - i);
  return [0, 1].map((axis) => between(ROOF, axis) + away * between(DOWN, axis));
}

/** The back of the tongue from its tip to its root, as points. */
function tongue({ at, gap, narrow, tip }) {
  const first = tip ? at : 0.16;
  const points = [];
  for (let i = 0; i <= STEPS; i += 1) {
    const share = first + ((0.92 - first) * i) / STEPS;
    const near = Math.exp(-(((share - at) / narrow) ** 2));
    points.push(below(share, REST + (gap - REST) * near));
  }
  return tip && at === 0 ? [[28, 51], ...points] : points; // between the teeth
}

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

function shapeOf({ place, manner, vowels }) {
  const shapes = vowels.map(({ height, backness, rounded }) => ({ at: BACKS[backness], gap: HEIGHTS[height], narrow: 0.28, tip: false, rounded, open: HEIGHTS[height] }));
  if (shapes.length > 0) return shapes;
  const [at, part] = PLACES[place] ?? [0.5, "rest"];
  const gap = part === "rest" ? REST : GAPS[manner] ?? 8;
  return [{ at, gap, narrow: part === "tip" ? 0.11 : 0.2, tip: part === "tip", rounded: place.startsWith("labial-"), open: 8 }];
}

/** Lips and teeth: how far the jaw is down, how far the lips are forward, and where they meet. */
function lips({ place, manner }, { rounded, open }) {
  const shut = place === "bilabial" && GAPS[manner] === 0;
  const bitten = place === "labiodental";
  const forward = rounded ? 7 : 0;
  const upper = [`M36 30C30 33 ${27 - forward} 38 ${24 - forward} 43`, `q-1 5 6 5`, "L34 46"].join("");
  const low = shut ? 49 : bitten ? 50 : 52 + open / 2 + (place === "bilabial" ? -2 : 0);
  const x = bitten ? 31 : 24 - forward;
  const lower = `M34 ${low + 6}L${x + 6} ${low}q-7 0 -6 6Q${x + 2} ${low + 14} 38 ${low + 24}`;
  return { upper, lower, teeth: low + 2 };
}

/** What the drawing shows, in words. */
function inWords({ place, manner, voiced, nasal, vowels }) {
  const told = vowels.length > 0
    ? vowels.map(({ height, backness, rounded }) => [t(`mouth.height.${height}`), t(`mouth.back.${backness}`), t(rounded ? "mouth.rounded" : "mouth.unrounded")].join(", ")).join("; ")
    : [t(`mouth.place.${place}`), t(`mouth.manner.${manner}`)].join(", ");
  return [told, t(voiced ? "mouth.voiced" : "mouth.voiceless"), nasal ? t("mouth.nasal") : ""].filter(Boolean).join(", ");
}

/** The drawing of a sound; null where nobody knows how it is made. */
export function mouthOf(sound) {
  const mouth = sound?.mouth;
  if (!mouth) return null;
  const shapes = shapeOf(mouth);
  const { upper, lower, teeth } = lips(mouth, shapes[0]);
  const front = shapes[0].tip ? [] : [[42, teeth + 3], [45, teeth - 2]]; // behind the lower teeth
  const whole = [...front, ...tongue(shapes[0]), [80, 98], [56, 98], [44, teeth + 14]];
  const velum = mouth.nasal ? "M70 29Q82 34 84 47" : "M70 29Q84 30 91 40";
  const parts = [
    svg("path", { class: "head", d: `M52 4C40 6 34 14 33 19L25 27Q24 30 36 30M${38} ${teeth + 22}Q44 ${teeth + 34} 60 104M98 20V104` }),
    svg("path", { class: "lip", d: upper }),
    svg("path", { class: "lip", d: lower }),
    svg("path", { class: "roof", d: `${path(ROOF.slice(0, 6))}M44 26Q60 16 92 22` }),
    svg("path", { class: "roof", d: velum }),
    svg("path", { class: "teeth", d: `M34 46l-1 8h4l1 -10zM35 ${teeth + 8}l0 -8h4l0 9z` }),
    svg("path", { class: "tongue", d: `${path(whole)}Z` }),
    shapes.length > 1 ? svg("path", { class: "tongue goal", d: path(tongue(shapes.at(-1))) }) : null,
    svg("path", { class: mouth.voiced ? "voice" : "breath", d: mouth.voiced ? "M84 100q2 -4 4 0t4 0t4 0" : "M85 100h10" }),
  ];
  if (mouth.nasal) parts.push(svg("path", { class: "air", d: "M90 26Q60 10 30 24m5 -5l-5 5l6 2" }));
  else if (mouth.manner === "fricative" || mouth.manner === "affricate") parts.push(svg("path", { class: "air", d: `M22 ${teeth - 4}h-14m4 -3l-4 3l4 3` }));
  return svg("svg", { class: "mouth", viewBox: "0 0 110 108", role: "img", "aria-label": t("mouth.drawing", { how: inWords(mouth) }) }, ...parts.filter(Boolean));
}
