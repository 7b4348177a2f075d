/** How a text is to sound: by a native where the index has recordings, else by the device's voice. */

import { bytes, get } from "./api.js";
import { el, trouble } from "./dom.js";
import { clip, play, playSlowly, speak, voiceOf } from "./player.js";
import { t } from "./texts.js";

const MARGIN_S = 0.04; // around a word that is cut out of its sentence

const path = (index) => `indexes/${encodeURIComponent(index)}`;

/** A word without what stands around it, as the service knows it. */
export const plain = (text) => (text.toLowerCase().replaceAll("’", "'").match(/[\p{L}\p{M}\p{N}]+(?:['-][\p{L}\p{M}\p{N}]+)*/gu) ?? []).join(" ");

const known = new Map(); // by index and text

/** What natives say of a text: `sentence`, and `words` by their spelling. */
export function modelOf(index, text) {
  const name = `${path(index)}/model?text=${encodeURIComponent(text)}`;
  if (!known.has(name)) {
    const asked = get(name).then(({ sentence, words }) => ({ sentence, words: new Map(words.map((word) => [word.word, word])) }));
    asked.catch(() => known.delete(name));
    known.set(name, asked);
  }
  return known.get(name);
}

/** A stretch of a native's recording, to be played. */
export function nativePart(index, { utterance, corpus }, start, end, margin = MARGIN_S) {
  const where = `${path(index)}/utterances/${encodeURIComponent(utterance)}/audio?corpus=${encodeURIComponent(corpus)}`;
  return { load: () => clip(where, () => bytes(where)), start: start - margin, end: end + margin };
}

export const wordPart = (index, spoken) => nativePart(index, spoken, spoken.start_s, spoken.end_s);

/** A button that plays; its sign is seen, `label` is told beside its text. */
export function hearButton(attributes, text, label, onclick) {
  const button = el(
    "button",
    { type: "button", class: "play", ...attributes },
    el("span", { class: "sign", "aria-hidden": "true" }, "▶"),
    ` ${text}`,
    label ? el("span", { class: "spoken" }, ` ${label}`) : null,
  );
  button.addEventListener("click", () => onclick(button));
  return button;
}

/** The way to hear one text: who says it, and what its buttons do; null where nobody can. */
function speakerOf({ index, language }, text, { sentence, words }) {
  const whole = sentence ?? (plain(text).includes(" ") ? null : words.get(plain(text)));
  if (whole) {
    const part = wordPart(index, whole);
    return {
      who: t("model.native", { name: whole.speaker }),
      name: t("listen.native", { name: whole.speaker }),
      hear: (button) => play(button, [part]).catch(trouble),
      slowly: (button) => playSlowly(button, part).catch(trouble),
    };
  }
  const voice = voiceOf(language);
  if (!voice) return null;
  const who = t("model.computer", { name: voice.name });
  return {
    who,
    name: who,
    hear: (button) => speak(button, text, voice),
    slowly: (button) => speak(button, text, voice, true),
  };
}

const nothing = { sentence: null, words: new Map() };

/** A text's natives; where they cannot be asked, the device's voice is left. */
export const modelOrNone = (index, text) => modelOf(index, text).catch(() => nothing);

/** The buttons to hear a text whole and slowly, and a line that says who speaks. */
export function modelButtons(place, text, model) {
  const speaker = speakerOf(place, text, model);
  if (speaker) {
    return [
      hearButton({}, t("model.hear"), "", speaker.hear),
      hearButton({}, t("model.slow"), "", speaker.slowly),
      el("span", { class: "soft who" }, speaker.who),
    ];
  }
  const said = plain(text).split(" ").map((word) => model.words.get(word));
  if (said.length > 0 && said.every(Boolean)) {
    const parts = said.map((word) => wordPart(place.index, word));
    return [
      hearButton({}, t("model.byWord"), "", (button) => play(button, parts).catch(trouble)),
      el("span", { class: "soft who" }, t("model.native", { name: said[0].speaker })),
    ];
  }
  return [el("span", { class: "soft who" }, t(model.words.size > 0 ? "model.someWords" : "model.none"))];
}

/** One word as a button that says it, or as text where nobody can. */
export function sayableWord(place, piece, model) {
  const speaker = speakerOf(place, piece, { sentence: null, words: model.words });
  if (!speaker || !plain(piece)) return el("span", { class: "said" }, piece);
  const button = el("button", { type: "button", class: "said say", title: speaker.who }, piece);
  button.addEventListener("click", () => speaker.hear(button));
  return button;
}

/** The same word as whoever speaks it says it, where the word itself is seen already; nothing where nobody can. */
export function otherSpeaker(place, word) {
  const box = el("span", { class: "hearable" });
  modelOrNone(place.index, word).then((model) => {
    const speaker = speakerOf(place, word, model);
    if (speaker) box.replaceChildren(hearButton({}, speaker.name, t("quoted", { text: word }), speaker.hear));
  });
  return box;
}

/** A word that can be heard by a press, for lists of words and pairs. */
export function hearableWord(place, word) {
  const box = el("span", { class: "hearable" }, el("span", { lang: place.language }, word));
  modelOrNone(place.index, word).then((model) => {
    const speaker = speakerOf(place, word, model);
    if (speaker) box.replaceChildren(hearButton({ lang: place.language, title: speaker.who }, word, t("model.hearWord"), speaker.hear));
  });
  return box;
}
