/** Waveform and spectrogram with words and sounds below, each to be heard by a press. */

import { el, svg, trouble } from "./dom.js";
import { play } from "./player.js";
import { resampled, SAMPLE_RATE } from "./recorder.js";
import { BESIDE_MARKS, besideMeaning, MARKS, meaning, toneOf } from "./scale.js";
import { drawSpectrogram, HOP } from "./spectrogram.js";
import { t } from "./texts.js";

const PIXELS_PER_S = 220;
const NARROW = 10; // pixels in which no letter is told from another
const AXIS = 48; // what its labels and rules take
const MAX_PIXELS = 12000;
const WAVE_HEIGHT = 72;
const MAX_COLUMNS = 16000;

function waveform(samples, hop, width) {
  const columns = Math.ceil(samples.length / hop);
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-3);
  const above = [];
  const below = [];
  for (let c = 0; c < columns; c += 1) {
    let low = 0;
    let high = 0;
    for (const sample of samples.subarray(c * hop, (c + 1) * hop)) {
      low = Math.min(low, sample);
      high = Math.max(high, sample);
    }
    const x = ((c * width) / columns).toFixed(1);
    above.push(`${x},${((1 - high / peak) * WAVE_HEIGHT / 2).toFixed(1)}`);
    below.push(`${x},${((1 - low / peak) * WAVE_HEIGHT / 2).toFixed(1)}`);
  }
  return svg(
    "svg",
    { class: "wave", viewBox: `0 0 ${width} ${WAVE_HEIGHT}`, width, height: WAVE_HEIGHT, "aria-hidden": "true" },
    svg("polygon", { points: [...above, ...below.reverse()].join(" ") }),
  );
}

/** The drawing of a take, at least so many pixels wide; `place(seconds | null)` moves its cursor. */
export async function timelineOf(take, least) {
  const { assessment } = take;
  const buffer = await take.sound();
  const samples = await resampled(buffer);
  const duration = samples.length / SAMPLE_RATE;
  const width = Math.round(Math.max(least - AXIS, Math.min(MAX_PIXELS, duration * PIXELS_PER_S)));
  const hop = Math.max(HOP, Math.ceil(samples.length / MAX_COLUMNS));
  const x = (seconds) => (seconds * width) / duration;

  const canvas = el("canvas", { class: "spectrogram", role: "img", "aria-label": t("drawing.spectrogram") });
  drawSpectrogram(canvas, samples, hop);
  const cursor = el("div", { class: "cursor", hidden: true });
  const edges = el("div", { class: "edges", "aria-hidden": "true" });
  const words = el("div", { class: "lane words" });
  const sounds = el("div", { class: "lane" });

  function box(tag, attributes, start, end, ...children) {
    const node = el(tag, attributes, ...children);
    node.style.left = `${x(start)}px`;
    node.style.width = `${Math.max(2, x(end) - x(start))}px`;
    return node;
  }

  function sound(label, text, tone, start, end) {
    const node = box(
      "button",
      { type: "button", class: `sound ${tone}`, "aria-label": label, tabindex: sounds.childElementCount > 0 ? "-1" : "0" },
      start,
      end,
      x(end) - x(start) < NARROW ? "" : text,
    );
    node.addEventListener("click", () => {
      const part = { load: take.sound, own: true, start: start - 0.03, end: end + 0.03 };
      play(node, [part], { follow: take.follow, ended: () => take.follow(null) }).catch(trouble);
    });
    sounds.append(node);
    edges.append(box("i", {}, start, start));
  }

  const all = assessment.words.flatMap((word) => word.phones.map((phone) => ({ phone, word })));
  const placed = [
    ...all
      .filter(({ phone }) => phone.start_s !== null)
      .map(({ phone, word }) => ({
        start: phone.start_s,
        end: phone.end_s,
        label: t("drawing.hear", { sound: phone.ipa, word: word.word, verdict: meaning(phone.verdict) }),
        text: phone.ipa + MARKS[phone.verdict],
        tone: `ipa ${toneOf(phone.verdict)}`,
      })),
    ...assessment.insertions.map((extra) => ({
      start: extra.start_s,
      end: extra.end_s,
      label: t("drawing.extra", { sound: extra.phone }),
      text: `+${extra.phone}`,
      tone: "extra poor",
    })),
  ].sort((one, other) => one.start - other.start);
  for (const { label, text, tone, start, end } of placed) sound(label, text, tone, start, end);
  for (const word of assessment.words.filter(({ start_s: start }) => start !== null)) {
    words.append(box("span", { class: "name", lang: assessment.language, dir: "auto" }, word.start_s, word.end_s, word.word));
    edges.append(box("i", { class: "strong" }, word.start_s, word.start_s), box("i", { class: "strong" }, word.end_s, word.end_s));
  }
  for (const { kind, heard, start_s: start, end_s: end } of assessment.reading?.events ?? []) {
    if (start === null) continue;
    words.append(box("span", { class: "name beside", title: besideMeaning(kind) }, start, end, `${BESIDE_MARKS[kind]} ${heard ?? "…"}`));
  }
  sounds.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    const buttons = [...sounds.children];
    const at = buttons.indexOf(document.activeElement);
    if (!step || at < 0) return;
    const next = buttons[Math.max(0, Math.min(buttons.length - 1, at + step))];
    buttons[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    event.preventDefault();
  });

  const drawing = el("div", { class: "drawing" }, waveform(samples, hop, width), canvas, edges, words, sounds, cursor);
  drawing.style.width = `${width}px`;
  const scroller = el(
    "div",
    { class: "scroller", role: "group", "aria-label": t("drawing.about") },
    drawing,
  );
  const ticks = el("div", { class: "axis", "aria-hidden": "true" }, ["8 kHz", "4", "0"].map((text) => el("span", {}, text)));
  return {
    node: el("div", { class: "timeline" }, ticks, scroller),
    /** Go to where the speech begins. */
    begin() {
      if (placed.length > 0) scroller.scrollLeft = x(placed[0].start) - 30;
    },
    place(seconds) {
      cursor.hidden = seconds === null;
      if (seconds === null) return;
      const at = x(seconds);
      cursor.style.transform = `translateX(${at}px)`;
      const { scrollLeft: left, clientWidth: seen } = scroller;
      if (at < left || at > left + seen - 20) scroller.scrollLeft = at - 40;
    },
  };
}
