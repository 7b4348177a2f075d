/** One sound, heard: the learner's, natives', and what it sounded like; each with its word. */

import { get } from "./api.js";
import { el, trouble } from "./dom.js";
import { hearButton, nativePart, wordPart } from "./model.js";
import { sign, written } from "./phones.js";
import { play } from "./player.js";
import { heardAs } from "./scale.js";
import { t } from "./texts.js";

const MARGIN_S = 0.03; // kept around a sound: a cut at its very edge is heard as a click
const CONTEXT_S = 0.3; // around an exemplar, to hear the word that it stands in
const EXAMPLES = 2;
const MOST = 3; // others beside the learner

const path = (index) => `indexes/${encodeURIComponent(index)}`;
const asked = new Map();

/** Ask the index something once. */
function once(name) {
  if (!asked.has(name)) {
    asked.set(name, get(name));
    asked.get(name).catch(() => asked.delete(name));
  }
  return asked.get(name);
}

/** A stretch of the learner's own recording. */
export const ownPart = (take, { start_s: start, end_s: end }) => ({ load: take.sound, own: true, start: Math.max(0, start - MARGIN_S), end: end + MARGIN_S });

export const isHeard = (take, thing) => Boolean(take.sound) && thing.start_s !== null;

/** Who said a take: you, or the learner whose teacher listens. */
export const whose = ({ who }) => who ?? t("listen.you");

/** A button that plays parts of takes, and moves their cursor. */
export function playButton(take, text, label, parts) {
  return hearButton({}, text, label, (button) =>
    play(button, parts, { follow: take.follow, ended: () => take.follow(null) }).catch(trouble),
  );
}

/** Natives with the sound in a word, that word first where they say it. */
async function natives(index, phone, word) {
  const { items } = await once(`${path(index)}/phones/${encodeURIComponent(phone)}/examples?limit=${EXAMPLES}&word=${encodeURIComponent(word)}`);
  return items.map(({ exemplar, within, start_s: start, end_s: end }) => ({
    exemplar,
    who: t("listen.native", { name: within.speaker }),
    word: within.word,
    sound: nativePart(index, within, start, end, MARGIN_S),
    around: wordPart(index, within),
  }));
}

/** What stood behind the verdict, as far as it can be heard: natives first. */
async function evidence(index, phone) {
  const found = await Promise.allSettled(phone.evidence.map((item) => once(`${path(index)}/exemplars/${item.exemplar}`)));
  const same = ({ value }, i) => value && ["phone", "word", "speaker"].every((name) => value[name] === phone.evidence[i][name]); // the index may have changed since
  return found
    .filter((each, i) => same(each, i) && each.value.playable)
    .map(({ value }) => value)
    .sort((one, other) => other.native - one.native)
    .map((value) => ({
      exemplar: value.exemplar,
      phone: value.phone,
      who: value.native ? t("listen.native", { name: value.speaker }) : t("listen.learner"),
      native: value.native,
      word: value.word,
      sound: nativePart(index, value, value.start_s, value.end_s, MARGIN_S),
      around: nativePart(index, value, value.start_s, value.end_s, CONTEXT_S),
    }));
}

/** Who else can be heard: natives with the sound that was meant, then those that are like it. */
async function othersOf(index, phone, word) {
  const [shown, near] = await Promise.all([natives(index, phone.phone, word).catch(() => []), evidence(index, phone)]);
  const known = new Set(shown.map(({ exemplar }) => exemplar));
  const rest = near.filter(({ exemplar, phone: name }) => !known.has(exemplar) && name === phone.phone);
  const meant = [...shown, ...rest.filter(({ native }) => native), ...rest.filter(({ native }) => !native)];
  return [...new Map(meant.map((item) => [`${item.who} ${item.word}`, item])).values()].slice(0, MOST);
}

/** The sound that was heard instead, as natives say it. */
async function insteadOf(index, phone) {
  const heard = heardAs(phone);
  if (!heard) return null;
  const [first] = await natives(index, heard.phone, "").catch(() => []);
  return first ? { ...first, heard } : null;
}

function row(take, who, detail, what, item) {
  return el(
    "li",
    {},
    el("span", {}, who, detail ? el("small", {}, detail) : null),
    playButton(take, t("listen.sound"), what, [item.sound]),
    playButton(take, t("listen.word"), what, [item.around]),
  );
}

/** What a button is called that plays a take and a native, one after the other. */
export const inTurn = ({ who }) => (who ? t("listen.turnOf", { who }) : t("listen.turnSounds"));

/** The rows; each has buttons, and where nobody can be heard there are none. */
export function listening(take, sounds, word, phone) {
  const { index } = take.assessment;
  const list = el("ul", {});
  const turns = el("p", { class: "turn" });
  const box = el("div", { class: "listening" }, el("h4", {}, t("listen.title")), turns, list);
  const own = isHeard(take, phone) ? { sound: ownPart(take, phone), around: ownPart(take, word) } : null;
  const name = written(sounds, phone);
  if (own) list.append(row(take, whose(take), t("quoted", { text: word.word }), take.who ? t("listen.inWord", { sound: name, word: word.word, who: take.who }) : t("listen.yours", { sound: name }), own));
  Promise.all([othersOf(index, phone, word.word), insteadOf(index, phone)]).then(([others, instead]) => {
    for (const item of others) list.append(row(take, item.who, t("quoted", { text: item.word }), t("listen.inWord", { sound: name, word: item.word, who: item.who }), item));
    if (instead) {
      const like = el("span", {}, t("listen.like"), " ", sign(sounds, instead.heard));
      list.append(row(take, like, t("listen.inWordOf", { word: instead.word, who: instead.who }), t("listen.inWord", { sound: written(sounds, instead.heard), word: instead.word, who: instead.who }), instead));
    }
    if (own && others.length > 0) {
      turns.append(
        playButton(take, inTurn(take), t("listen.of", { sound: name }), [own.sound, others[0].sound, own.sound, others[0].sound]),
        playButton(take, t("listen.turnWords"), t("listen.of", { sound: name }), [own.around, others[0].around]),
      );
    }
    if (!own && others.length === 0) box.append(el("p", { class: "soft" }, t("listen.nobody")));
  });
  return box;
}
