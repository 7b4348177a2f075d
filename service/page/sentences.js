/** Advice of the service as sentences in the language of the page, as `scoring.feedback.sentences` writes them. */

import { languageName } from "./scale.js";
import { addTexts, t } from "./texts.js";

await addTexts(new URL("advice/", import.meta.url));

function listed(words, more) {
  const quoted = words.map((word) => t("words.quoted", { word }));
  if (more) return t("words.more", { words: quoted.join(t("words.comma")) });
  const last = quoted.pop() ?? "";
  return quoted.length > 0 ? quoted.join(t("words.comma")) + t("words.and") + last : last;
}

function joined(cues) {
  const most = cues.slice(0, -1);
  if (most.length === 0) return cues[0];
  const long = most.length > 1 || most[0].includes(t("cues.and"));
  return most.join(t("cues.comma")) + t(long ? "cues.andLong" : "cues.and") + cues.at(-1);
}

/** What advice says. */
export function sentenceOf({ kind, meant, heard, place, words, more, cues }) {
  const where = place ? t(`where.${place}`, { words: listed(words, more) }) : "";
  return t(`advice.${kind}`, { meant, heard, where, cues: joined(cues.map(([key, ...sounds]) => t(`cue.${key}`, { ...sounds }))) });
}

/** That a sound is new to speakers of a first language; empty where it is not. */
export function newSoundOf({ new_sound: told, l1_note: note, ipa, heard_ipa: heard }) {
  if (!told) return note ?? "";
  return t(told.has_heard ? "l1.has" : "l1.lacks", { language: languageName(told.language), meant: ipa, heard });
}
