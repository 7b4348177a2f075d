/** The history of what was heard on this device, told as the service tells its own. */

import { FLAGGED } from "./scale.js";
import { heardHere } from "./store.js";

const NOTHING = { count: 0, mean_score: null, flagged_share: null };

const mean = (values) => (values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null);

function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

const figuresOf = (said) => ({
  count: said.length,
  mean_score: mean(said.map(({ score }) => score).filter((score) => score !== null)),
  flagged_share: mean(said.filter(({ verdict }) => verdict !== "uncertain").map(({ verdict }) => Number(FLAGGED.includes(verdict)))),
});

/** The figures of a sound from two places as one, each weighing as often as the sound was said. */
function added(one, other) {
  const count = one.count + other.count;
  const of = (name) => one[name] === null || other[name] === null ? one[name] ?? other[name] : (one.count * one[name] + other.count * other[name]) / count;
  return { count, mean_score: of("mean_score"), flagged_share: of("flagged_share") };
}

const sum = (figures) => figures.reduce(added, NOTHING);

const byDay = (days) =>
  grouped(days, ({ day }) => day)
    .map((same) => ({ day: same[0].day, ...sum(same) }))
    .sort((one, other) => (one.day < other.day ? -1 : 1));

const soundsOf = (phones) =>
  grouped(phones, ({ language, phone }) => `${language} ${phone}`).map((same) => ({
    ...same[0],
    ...sum(same),
    days: byDay(same.flatMap(({ days }) => days)),
  }));

/** What was heard here of a learner, the oldest first; null if nothing was. */
export async function ownHistory(who) {
  const kept = await heardHere(who);
  if (kept.length === 0) return null;
  const sentences = kept.map(({ id, at, text, assessment }) => ({ id, created_at: new Date(at).toISOString(), text, overall: assessment.score.overall, comments: 0, isHere: true }));
  const phones = kept.flatMap(({ assessment }, i) => {
    const day = sentences[i].created_at.slice(0, 10);
    const said = grouped(assessment.words.flatMap((word) => word.phones), ({ phone }) => phone);
    return said.map((same) => ({ language: assessment.language, phone: same[0].phone, ipa: same[0].ipa, ...figuresOf(same), days: [{ day, ...figuresOf(same) }] }));
  });
  return { sentences, phones: soundsOf(phones) };
}

/** Two histories, of which either may be null, as one. */
export function together(one, other) {
  if (!one || !other) return one ?? other;
  const sentences = [...one.sentences, ...other.sentences].sort((a, b) => a.created_at.localeCompare(b.created_at));
  return { sentences, phones: soundsOf([...one.phones, ...other.phones]) };
}
