/** What experts would give every phone of a recording, 0–2. Twin of `scoring/fusion/phone_model.py`. */

import { mean, quantile } from "../../matrix";
import type { Tensors } from "../../safetensors";
import { LOW_SHARE, column, type FeatureTable } from "./features";
import { RecurrentNetwork } from "./recurrent";
import { Trees } from "./trees";

export const BEST = 2;

export class PhoneModel {
  private readonly first: Trees;
  private readonly second: Trees;
  private readonly network: RecurrentNetwork;
  private readonly other: number;

  constructor(
    tensors: Tensors,
    private readonly averages: Readonly<Record<string, number>>,
    private readonly columns: readonly string[],
  ) {
    this.first = new Trees(tensors, "first");
    this.second = new Trees(tensors, "second");
    this.network = new RecurrentNetwork(tensors, Object.keys(averages));
    this.other = mean(Object.values(averages));
  }

  /** Expert score that each phone of one recording is expected to get. */
  expected(
    features: FeatureTable,
    phones: readonly string[],
    words: readonly number[],
  ): Float64Array {
    const columns = this.columns.map((name) => column(features, name));
    const evidence = phones.map((_, i) => Float64Array.from(columns, (values) => values[i]));
    const table = evidence.map((own, i) => [...own, this.averages[phones[i]] ?? this.other]);
    const first = Float64Array.from(table, (row) => clipped(this.first.of(row)));
    const beside = around(first, words);
    const network = this.network.of(evidence, phones);
    return first.map((found, i) => {
      const second = clipped(this.second.of([...table[i], found, ...beside[i]]));
      return (second + clipped(network[i])) / 2;
    });
  }
}

function clipped(value: number): number {
  return Math.min(Math.max(value, 0), BEST);
}

/** What was found of the phones around each: the seven columns of the second pass. */
export function around(found: Float64Array, words: readonly number[]): number[][] {
  const n = found.length;
  const total = found.reduce((sum, value) => sum + value, 0);
  const low = quantile(found, LOW_SHARE);
  const byWord = new Map<number, Float64Array>();
  for (const word of new Set(words)) {
    byWord.set(word, found.filter((_, i) => words[i] === word).sort());
  }
  const weakest = Math.min(...[...byWord.values()].map(mean));
  return Array.from(found, (value, i) => {
    const own = byWord.get(words[i])!;
    const alone = own.length < 2;
    return [
      found[i - 1] ?? NaN,
      found[i + 1] ?? NaN,
      (total - value) / Math.max(n - 1, 1),
      low,
      alone ? NaN : (mean(own) * own.length - value) / (own.length - 1),
      alone ? NaN : value === own[0] ? own[1] : own[0],
      weakest,
    ];
  });
}
