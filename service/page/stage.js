/** The stage: what is to be said, its model, and where one goes from it. */

import { FREE, offer, OWN, setOf, validate } from "./chooser.js";
import { earOf, hearsHere } from "./device.js";
import { byId } from "./dom.js";
import { modelButtons, modelOrNone, plain, sayableWord } from "./model.js";
import { stop } from "./player.js";
import { lasting, visit } from "./remembered.js";
import { readsWords } from "./session.js";
import { t } from "./texts.js";

export const SEEN = "nativeear-seen"; // somebody who has had a result knows what will be seen
export const AT = "nativeear-at"; // what was on the stage

/** What is on the stage; its text is null where it is spoken freely. */
export const now = { set: null, place: 0, text: "" };

const FROM = "nativeear-from"; // the sentence of a set from which a word was practised

const cameFrom = () => JSON.parse(visit.getItem(FROM) ?? "null");

/** Whether there is something to say. */
export const sayable = () => now.text === null || plain(now.text) !== "";

/** What stands behind the set in the address of the stage: a place in it, or a text of one's own. */
const partOf = ({ set, place, text }) => (set === OWN ? text : place);

/** Whether the stage is seen, with this on it. */
export const isOnStage = (set, part) => !byId("stage").hidden && now.set === set && String(partOf(now)) === String(part);

/** Show again what is on the stage. */
export const showAgain = () => showStage(now.set, partOf(now));

/** The address at which something stands that can be said. */
export const addressOf = ({ set, place, text }) => `#say/${set}/${set === OWN ? encodeURIComponent(text) : place}`;

/** Go to something to say; Back leads to what was before. */
export function goTo(set, place) {
  const address = addressOf({ set, place, text: place });
  if (location.hash === address) showStage(set, place);
  else location.hash = address;
}

/** Practise a word or a few: they are a text of one's own. */
export const practise = (text) => goTo(OWN, text);

/** Above a sentence of homework, how much of it is done. */
async function showTask(set, place) {
  byId("task").hidden = !set.said;
  if (!set.said) return;
  const { taskOf } = await import("./homework.js");
  byId("task").replaceChildren(...taskOf(set, place));
}

/** Put on the stage a sentence of a set by its place, or a text of one's own. */
export async function showStage(id, placeOrText) {
  const set = setOf(id) ?? setOf(offer.sets[0]?.id ?? OWN);
  const place = Math.max(0, Math.min(Math.trunc(placeOrText) || 0, set.sentences.length - 1));
  const text = set.id === FREE ? null : set.id === OWN ? String(placeOrText || "") : set.sentences[place];
  stop();
  Object.assign(now, { set: set.id, place, text });
  if (set.sentences.length > 0) visit.setItem(FROM, JSON.stringify(now));
  lasting.setItem(AT, addressOf(now));
  byId("stage").hidden = false;
  byId("result").hidden = true;
  byId("how").hidden = lasting.getItem(SEEN) !== null;
  byId("set-name").textContent = set.sentences.length > 0 ? t("say.where", { set: set.title, place: place + 1, count: set.sentences.length }) : set.title;
  showTask(set, place);
  for (const name of ["before", "next"]) byId(name).hidden = set.sentences.length < 2;
  byId("speak").disabled = !sayable();
  hearsHere(offer.index.name).then((here) => {
    byId("device").hidden = !here;
    byId("device").textContent = t(set.group ? "homework.sent" : text === null ? "device.not" : "device.here");
    if (here && text !== null && !set.group) earOf(offer.index.name).catch(() => {}); // it is told where it is waited for
  });
  byId("unknown").textContent = "";
  byId("topic").hidden = text !== null || !readsWords();
  const target = byId("target");
  target.lang = offer.index.language;
  target.replaceChildren(text === null ? t("say.free") : text || t("say.write"));
  byId("model").replaceChildren();
  if (!sayable() || text === null) return;
  const here = { index: offer.index.name, language: offer.index.language };
  const model = await modelOrNone(here.index, text);
  if (now.text !== text) return;
  byId("model").replaceChildren(...modelButtons(here, text, model));
  target.replaceChildren(...text.split(/(\s+)/u).filter(Boolean).map((piece) => (plain(piece) ? sayableWord(here, piece, model) : piece)));
  if (set.id !== OWN) return;
  const { unknown } = await validate(text).catch(() => ({ unknown: "" }));
  if (now.text === text) byId("unknown").textContent = unknown;
}

/** Go to the next sentence or the one before; from a text of one's own, those of the set where one was. */
export function step(by) {
  const at = [now, cameFrom()].find((each) => setOf(each?.set)?.sentences.length > 0) ?? { set: offer.sets[0].id, place: -1 };
  const { sentences } = setOf(at.set);
  goTo(at.set, (at.place + by + sentences.length) % sentences.length);
}

/** Light the words up that were heard. */
export function heardWords() {
  const count = now.text === null ? null : now.text.split(/\s+/u).filter(plain).length;
  const light = (told) => [...byId("target").querySelectorAll(".said")].forEach((word, i) => word.classList.toggle("heard", i < told));
  let most = 0;
  light(0);
  return {
    told(place) {
      most = Math.max(most, place + 1);
      light(most);
    },
    get unheard() {
      return count === null ? null : count - most;
    },
  };
}

/** From a word that was practised, back to its sentence. */
export function backFrom({ text }) {
  const from = cameFrom();
  if (!from || text === null || from.text === text) return null;
  return { text: t("quoted", { text: from.text }), go: () => goTo(from.set, from.place) };
}

/** Where one begins: with homework that is left, else where one was. */
export async function firstAddress() {
  if (!now.set && offer.sets[0]?.said) {
    const { firstLeft } = await import("./homework.js");
    const left = firstLeft(offer.sets);
    if (left) return addressOf(left);
  }
  return lasting.getItem(AT) ?? `#say/${offer.sets[0]?.id ?? OWN}/0`;
}
