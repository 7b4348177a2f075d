/** All that is known of every canonical phone, as columns. Twin of `scoring/fusion/features.py`. */

import { known, mean, quantile, type Matrix } from "../../matrix";
import type { PhoneEvidence } from "../../retriever/evidence";
import type { FrameEvidence } from "../../retriever/frame_evidence";
import { durationS, type AlignedPhone } from "../../speech/alignment";
import type { PhoneInventory } from "../../speech/inventory";
import type { GopFeatures } from "../gop";
import type { GopMeasurement } from "../gop_evidence";
import type { NativeReference } from "./natives";

export type FeatureTable = Map<string, Float64Array>;

const LOWEST = -20;
export const LOW_SHARE = 0.2;

const RISING = [
  "log_posterior",
  "log_posterior_quantile",
  "sf_s",
  "sf_sd",
  "gop_margin",
  "deletion",
  "rival",
  "frame_log_posterior",
  "frame_margin",
  "margin",
  "margin_quantile",
  "posterior",
  "canonical_share",
];
const RATIO = "ratio_";
const CONTEXT = ["log_posterior", "frame_log_posterior", "margin_quantile"];

export interface Measured {
  readonly phones: readonly AlignedPhone[];
  readonly evidence: readonly PhoneEvidence[];
  readonly frameEvidence: FrameEvidence;
  readonly gop: GopMeasurement;
  readonly natives: NativeReference;
  readonly inventory: PhoneInventory;
}

/** Put together what was measured of N canonical phones, in the order they were meant. */
export function phoneFeatures(measured: Measured): FeatureTable {
  const { phones, gop, natives } = measured;
  const table: FeatureTable = new Map();
  headColumns(table, measured);
  retrievalColumns(table, measured);
  timingColumns(table, measured);
  table.set(
    "log_posterior_quantile",
    gop.meanLogPosterior.map((value, i) => natives.logPosteriorQuantile(phones[i].phone, value)),
  );
  for (const name of RISING) table.set(name, column(table, name).map(clipped));
  positionColumns(table, measured);
  const words = phones.map((phone) => phone.wordIndex);
  for (const name of CONTEXT) contextColumns(table, name, words);
  ratioColumns(table, measured);
  return table;
}

/** One column; NaN where there is none of that name. */
export function column(table: FeatureTable, name: string): Float64Array {
  const found = table.get(name);
  if (found) return found;
  const [first] = table.values();
  return new Float64Array(first?.length ?? 0).fill(NaN);
}

function clipped(value: number): number {
  return Math.min(Math.max(value, LOWEST), -LOWEST);
}

function headColumns(table: FeatureTable, { gop, inventory, phones }: Measured): void {
  const nothing = () => new Float64Array(phones.length).fill(NaN);
  const deletion = nothing();
  const rival = nothing();
  const distance = nothing();
  const held = nothing();
  const { features } = gop;
  if (features) {
    const totals = Float64Array.from(features.canonical, (_, u) => columnSum(features, u));
    gop.meanLogPosterior.forEach((posterior, i) => {
      if (Number.isNaN(posterior)) return;
      const [first, past] = [gop.units[i], gop.units[i + 1]];
      deletion[i] = Math.min(...features.deletion.subarray(first, past));
      held[i] = totals.subarray(first, past).reduce((sum, value) => sum + value, 0);
      const [unit, place] = nearestRival(features, first, past);
      rival[i] = ratio(features, unit, place);
      distance[i] = inventory.distance(phones[i].phone, gop.columns[place]);
    });
  }
  table.set("log_posterior", gop.meanLogPosterior);
  table.set("sf_s", gop.sf);
  table.set("sf_sd", gop.sfSd);
  table.set("gop_margin", gop.margin);
  table.set("deletion", deletion);
  table.set("rival", rival);
  table.set("rival_distance", distance);
  table.set("occupied_frames", held);
}

function columnSum({ occupancy }: GopFeatures, u: number): number {
  let sum = 0;
  for (let t = 0; t < occupancy.rows; t++) sum += occupancy.values[t * occupancy.columns + u];
  return sum;
}

/** Log ratio of a unit to a column; a phone is not its own rival, nor is the blank one. */
function ratio({ substitution, canonical }: GopFeatures, unit: number, v: number): number {
  return v === canonical[unit] ? NaN : substitution.values[unit * substitution.columns + v];
}

/** The unit and the column of the smallest ratio: the first, where all are missing. */
function nearestRival(features: GopFeatures, first: number, past: number): [number, number] {
  let found: [number, number] = [first, 0];
  let least = Infinity;
  for (let u = first; u < past; u++) {
    for (let v = 0; v < features.substitution.columns; v++) {
      const value = ratio(features, u, v);
      const order = Number.isNaN(value) ? Infinity : Math.min(value, Number.MAX_VALUE);
      if (order < least) {
        least = order;
        found = [u, v];
      }
    }
  }
  return found;
}

/** What the head says of every phone that may have been said instead. */
function ratioColumns(table: FeatureTable, { gop, inventory }: Measured): void {
  const { features } = gop;
  if (!features) return;
  gop.columns.forEach((name, v) => {
    if (!inventory.has(name)) return;
    const worst = gop.meanLogPosterior.map((posterior, i) => {
      let least = Infinity;
      for (let u = gop.units[i]; u < gop.units[i + 1]; u++) {
        least = Math.min(least, ratio(features, u, v));
      }
      return Number.isNaN(posterior) ? NaN : clipped(least);
    });
    table.set(RATIO + name, worst);
  });
}

function retrievalColumns(table: FeatureTable, measured: Measured): void {
  const { evidence, frameEvidence, natives } = measured;
  const of = (value: (item: PhoneEvidence) => number) => Float64Array.from(evidence, value);
  table.set("frame_log_posterior", frameEvidence.logPosterior);
  table.set("frame_margin", frameEvidence.margin);
  table.set("margin", of((item) => item.margin));
  table.set("margin_quantile", of((item) => natives.marginQuantile(item)));
  table.set("posterior", of((item) => Math.log(Math.max(natives.canonicalPosterior(item), 1e-9))));
  table.set("canonical_share", of((item) => item.canonicalShare));
  table.set("own_similarity", of((item) => mean(item.modelSimilarities)));
  table.set("coverage", of((item) => Math.log1p(item.coverage)));
}

function timingColumns(table: FeatureTable, { phones, gop, natives }: Measured): void {
  const relative = Float64Array.from(phones, (phone) =>
    Math.log(Math.max(durationS(phone), 1e-3) / natives.medianDurationS(phone.phone)),
  );
  const usual = quantile(known(relative), 0.5);
  table.set("duration", relative);
  table.set("duration_here", relative.map((value) => value - usual));
  table.set(
    "gap_s",
    Float64Array.from(phones, (phone, i) => {
      const heardS = middleOf(gop.spansS, i);
      return Math.abs(heardS - (phone.startS + phone.endS) / 2);
    }),
  );
}

function middleOf(spans: Matrix, i: number): number {
  return (spans.values[2 * i] + spans.values[2 * i + 1]) / 2;
}

function positionColumns(table: FeatureTable, { phones, inventory }: Measured): void {
  const words = phones.map((phone) => phone.wordIndex);
  const n = phones.length;
  table.set("in_word", Float64Array.from(words, (word, i) => i - words.indexOf(word)));
  table.set("to_word_end", Float64Array.from(words, (word, i) => words.lastIndexOf(word) - i));
  table.set("vowel", Float64Array.from(phones, (p) => Number(inventory.isVowel(p.phone))));
  table.set("phones", new Float64Array(n).fill(n));
}

/** What stands beside a value: before, after, in the word, in the recording. */
function contextColumns(table: FeatureTable, name: string, words: readonly number[]): void {
  const values = column(table, name);
  const byWord = new Map<number, { mean: number; least: number }>();
  for (const word of new Set(words)) {
    const own = known(values.filter((_, i) => words[i] === word));
    byWord.set(word, { mean: mean(own), least: own.length ? Math.min(...own) : NaN });
  }
  const all = known(values);
  table.set(`${name}_before`, values.map((_, i) => values[i - 1] ?? NaN));
  table.set(`${name}_after`, values.map((_, i) => values[i + 1] ?? NaN));
  table.set(`${name}_word`, values.map((_, i) => byWord.get(words[i])!.mean));
  table.set(`${name}_word_least`, values.map((_, i) => byWord.get(words[i])!.least));
  table.set(`${name}_recording`, values.map(() => mean(all)));
  const low = quantile(all, LOW_SHARE);
  table.set(`${name}_recording_low`, values.map(() => low));
}
