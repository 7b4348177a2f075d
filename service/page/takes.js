/** Takes and their results: of this visit, of this browser, or as the service keeps them. */

import { bytes, get, Problem } from "./api.js";
import { isOfDevice } from "./device.js";
import { plain } from "./model.js";
import { audioContext } from "./player.js";
import { heardOf, keepHeard, keepLast, keepTake, lastOf, takeOf } from "./store.js";
import { language, t } from "./texts.js";

const OF_SERVICE = /^[0-9a-f]{32}$/; // ids of what the service heard

const takes = new Map(); // of this visit, by id

/** Keep a take that was just heard, and how it went for the next time that the same is said. */
export async function keepNew({ text, file, fields, buffer }, assessment) {
  const { id, words, score } = assessment;
  const said = `${fields.index} ${plain(text ?? "")}`;
  takes.set(id, { id, text, file, assessment, buffer, last: await lastOf(said) });
  const at = Date.now();
  keepTake({ id, at, text, file, assessment });
  if (isOfDevice(id)) keepHeard({ id, at, who: fields.learner_id ?? "", text, assessment });
  if (text === null || score.overall === null) return;
  keepLast({ said, overall: score.overall, words: words.map(({ word, phones }) => ({ word, flagged: phones.some(({ verdict }) => !["correct", "uncertain"].includes(verdict)) })) });
}

/** A take by the id of its result: of this visit, of this browser, or as the service keeps it. */
export async function findTake(id) {
  if (takes.has(id)) return takes.get(id);
  const kept = (await takeOf(id)) ?? (await heardOf(id));
  if (!kept && !OF_SERVICE.test(id)) throw new Problem(404, { detail: t("fault.gone"), lang: language });
  const assessment = kept?.assessment ?? (await get(`assessments/${id}`));
  const text = kept ? kept.text : assessment.transcript ? null : assessment.words.map(({ word }) => word).join(" ");
  const take = { id, text, assessment, file: kept?.file ?? null, last: null };
  takes.set(id, take);
  return take;
}

/** What was recorded, from the browser or the service; it fails where neither kept it. */
export async function soundOf(take) {
  if (take.buffer) return take.buffer;
  const encoded = take.file ? await take.file.arrayBuffer() : await bytes(`assessments/${take.id}/audio`);
  take.buffer = await audioContext().decodeAudioData(encoded);
  return take.buffer;
}
