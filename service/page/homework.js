/** A learner's homework: sets of his teacher's, which come before all others. */

import { get } from "./api.js";
import { el } from "./dom.js";
import { day } from "./scale.js";
import { whoIsIn } from "./session.js";
import { t } from "./texts.js";

const NAME = "homework-";

const isLeft = ({ said, sentences }) => said.size < sentences.length;

/** The homework of a language as sets to choose from: what is left first. */
export async function homeworkSets(language) {
  const { items } = await get("homework");
  return items
    .filter((item) => item.language === language)
    .map((item) => ({
      id: `${NAME}${item.id}`,
      title: t("homework.set", { title: item.title }),
      about: "",
      sentences: item.sentences,
      group: item.group,
      due: item.due,
      said: new Set(item.learners.find(({ id }) => id === whoIsIn()?.id)?.said ?? []),
    }))
    .sort((one, other) => isLeft(other) - isLeft(one));
}

/** Where to begin: at the first sentence of homework that was not said; null where nothing is left. */
export function firstLeft(sets) {
  const set = sets.find((each) => each.said && isLeft(each));
  return set ? { set: set.id, place: set.sentences.findIndex((_, i) => !set.said.has(i)) } : null;
}

/** What is told of homework above its sentence. */
export function taskOf({ said, sentences, due }, place) {
  const parts = isLeft({ said, sentences })
    ? [due ? t("homework.until", { day: day(`${due}T12:00`) }) : "", t("homework.saidOf", { said: said.size, count: sentences.length })]
    : [t("homework.allSaid")];
  return [parts.filter(Boolean).join(" · "), said.has(place) ? el("span", { class: "done" }, ` ✓ ${t("homework.said")}`) : ""];
}
