/** How sounds are written for learners: in IPA or in simple spelling, with a word that has them. */

import { get } from "./api.js";
import { el } from "./dom.js";
import { lasting } from "./remembered.js";
import { t } from "./texts.js";

const RESPELL = "nativeear-respell";
const BETWEEN = /\/([^/\s]+)\//gu; // how sentences quote a sound

const asked = new Map(); // by language

/** The sounds of a language by their name; none where the service tells nothing. */
export function soundsOf(language) {
  if (!asked.has(language)) {
    const told = get(`practice/sounds?language=${encodeURIComponent(language)}`).then(
      ({ items }) => new Map(items.map((sound) => [sound.phone, sound])),
    );
    told.catch(() => asked.delete(language));
    asked.set(language, told);
  }
  return asked.get(language).catch(() => new Map());
}

export const respells = () => lasting.getItem(RESPELL) !== null;

export function setRespells(on) {
  if (on) lasting.setItem(RESPELL, "yes");
  else lasting.removeItem(RESPELL);
}

/** A sound as it is written: its respelling where that is wanted and known, else its IPA. */
export function written(sounds, { phone, ipa }) {
  return (respells() && sounds.get(phone)?.respelling) || ipa;
}

/** The same as an element in the letters that fit. */
export const sign = (sounds, phone) => el("b", { class: "ipa" }, written(sounds, phone));

/** “as in think”, with the letters of the sound set off; null where no word is known. */
export function example(sounds, { phone }) {
  const { example: word, letters } = sounds.get(phone) ?? {};
  if (!word) return null;
  const at = word.indexOf(letters);
  const marked = [word.slice(0, at), el("b", {}, letters), word.slice(at + letters.length)];
  const [before, after] = t("sound.asIn", { word: "\u0000" }).split("\u0000");
  return el("span", { class: "soft example" }, before, el("i", {}, marked), after);
}

/** A sentence of the service with its sounds respelt, where that is wanted. */
export function respelt(sounds, text) {
  if (!respells()) return text;
  const byIpa = new Map([...sounds.values()].map((sound) => [sound.ipa, sound]));
  return text.replace(BETWEEN, (whole, ipa) => {
    const { respelling, example: word } = byIpa.get(ipa) ?? {};
    return respelling ? t("sound.respelt", { respelling, word }) : whole;
  });
}
