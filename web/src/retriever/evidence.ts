/** What native exemplars say about each canonical phone. Twin of `retriever/evidence.py`. */

import { Largest, visitClass } from "../indexes/similarity";
import type { Matrix32 } from "../matrix";
import type { PhoneIndex } from "../indexes/phone_index";
import { transformed } from "../indexes/transform";
import { SILENCE } from "../speech/alignment";

const K = 20;
const MODELS = 2;

export interface PhoneEvidence {
  readonly phone: string;
  /** Over the classes of the index. */
  readonly posterior: Float64Array;
  readonly margin: number;
  readonly canonicalShare: number;
  readonly coverage: number;
  readonly neighbours: readonly number[];
  readonly similarities: readonly number[];
  readonly models: readonly number[];
  readonly modelSimilarities: readonly number[];
}

/** Ask the index about N pooled sounds, of which `canonical` were meant. */
export function gatherEvidence(
  index: PhoneIndex,
  embeddings: Matrix32,
  canonical: readonly string[],
): PhoneEvidence[] {
  const queries = transformed(index.transform, embeddings);
  const codes = canonical.map((phone) => index.classes.indexOf(phone));
  const classes = index.classes.length;
  const byClass = canonical.map(() => new Float64Array(classes));
  const nearest = canonical.map(() => new Largest(K));
  const models = canonical.map(() => new Largest(MODELS));
  const best = canonical.map(() => new Largest(index.topM));
  for (let phone = 0; phone < classes; phone++) {
    for (const each of best) each.clear();
    const heardOnly = index.isPlayable(phone);
    visitClass(queries, index.pool, phone, (exemplar, cosines) => {
      const heard = !heardOnly || index.playable[exemplar] === 1;
      for (let query = 0; query < cosines.length; query++) {
        const cosine = cosines[query];
        if (cosine > best[query].least) best[query].offer(cosine, exemplar);
        if (cosine > nearest[query].least) nearest[query].offer(cosine, exemplar);
        if (heard && codes[query] === phone) models[query].offer(cosine, exemplar);
      }
    });
    best.forEach((each, query) => (byClass[query][phone] = each.mean()));
  }
  return canonical.map((phone, i) => {
    const code = codes[i];
    const near = nearest[i];
    const rows = [...near.rows.subarray(0, near.size)];
    const shared = rows.filter((exemplar) => index.classOf(exemplar) === code).length;
    return {
      phone,
      posterior: posterior(byClass[i], index.temperature),
      margin: code < 0 ? NaN : margin(byClass[i], code),
      canonicalShare: near.size ? shared / near.size : 0,
      coverage: code < 0 ? 0 : index.pool.bounds[code + 1] - index.pool.bounds[code],
      neighbours: rows,
      similarities: [...near.values.subarray(0, near.size)],
      models: [...models[i].rows.subarray(0, models[i].size)],
      modelSimilarities: [...models[i].values.subarray(0, models[i].size)],
    };
  });
}

/** Similarity of the canonical class less that of its best competitor. */
function margin(similar: Float64Array, canonical: number): number {
  let rival = -Infinity;
  similar.forEach((value, p) => {
    if (p !== canonical && value > rival) rival = value;
  });
  const found = similar[canonical] - rival;
  return Number.isFinite(found) ? found : NaN;
}

/** softmax(s / τ); missing classes get 0. */
function posterior(similar: Float64Array, temperature: number): Float64Array {
  const scaled = similar.map((value) => (Number.isNaN(value) ? -Infinity : value / temperature));
  const top = scaled.reduce((most, value) => Math.max(most, value), -Infinity);
  const weights = scaled.map((value) => Math.exp(value - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The phones that a sound resembles and their probabilities, likeliest first. */
export function soundsLike(
  index: PhoneIndex,
  evidence: PhoneEvidence,
  most = 3,
  least = 0.05,
): { phone: string; probability: number }[] {
  const weights = index.classes.map((phone, p) => (phone === SILENCE ? 0 : evidence.posterior[p]));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= 0) return [];
  return weights
    .map((weight, p) => ({ phone: index.classes[p], probability: weight / total }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, most)
    .filter(({ probability }) => probability >= least);
}

