/** A small recurrent network over the phones of a recording. Twin of `scoring/fusion/recurrent.py`. */

import { float32, float64, tensor, type Tensors } from "../../safetensors";

interface Layer {
  readonly inputs: number;
  readonly units: number;
  readonly given: Float32Array;
  readonly givenBias: Float32Array;
  readonly before: Float32Array;
  readonly beforeBias: Float32Array;
}

export class RecurrentNetwork {
  private readonly mean: Float64Array;
  private readonly spread: Float64Array;
  private readonly vectors: Float32Array;
  private readonly seeds: number;
  private readonly width: number;
  private readonly weights: Float32Array;
  private readonly offset: Float32Array;
  private readonly layers: readonly Layer[];

  constructor(
    tensors: Tensors,
    private readonly phones: readonly string[],
  ) {
    this.mean = float64(tensors, "network.mean");
    this.spread = float64(tensors, "network.spread");
    const vectors = tensor(tensors, "network.vectors");
    [this.seeds, , this.width] = vectors.shape;
    this.vectors = vectors.values as Float32Array;
    this.weights = float32(tensors, "network.weights");
    this.offset = float32(tensors, "network.offset");
    const layers: Layer[] = [];
    for (let i = 0; tensors.has(`network.layer${i}.given`); i++) {
      const given = tensor(tensors, `network.layer${i}.given`);
      layers.push({
        inputs: given.shape[2],
        units: given.shape[3] / 3,
        given: given.values as Float32Array,
        givenBias: float32(tensors, `network.layer${i}.given_bias`),
        before: float32(tensors, `network.layer${i}.before`),
        beforeBias: float32(tensors, `network.layer${i}.before_bias`),
      });
    }
    this.layers = layers;
  }

  /** What is expected of N phones, by their columns of evidence. */
  of(rows: readonly Float64Array[], phones: readonly string[]): Float64Array {
    const evidence = rows.map((row) => this.standardised(row));
    const found = new Float64Array(rows.length);
    for (let seed = 0; seed < this.seeds; seed++) {
      let states: Float64Array[] = evidence.map((own, i) => {
        const place = this.phones.indexOf(phones[i]) + 1; // the first is for those not known
        const from = (seed * (this.phones.length + 1) + place) * this.width;
        const vector = this.vectors.subarray(from, from + this.width);
        return Float64Array.from([...vector, ...own]);
      });
      for (const layer of this.layers) states = bothWays(layer, seed, states);
      states.forEach((state, i) => {
        const weights = this.weights.subarray(seed * state.length, (seed + 1) * state.length);
        let sum = this.offset[seed];
        for (let u = 0; u < state.length; u++) sum += state[u] * weights[u];
        found[i] += sum / this.seeds;
      });
    }
    return found;
  }

  /** Columns in units of their spread, and which of them are missing. */
  private standardised(row: Float64Array): number[] {
    const values = [...row].map((value, i) =>
      Number.isNaN(value) ? 0 : (value - this.mean[i]) / this.spread[i],
    );
    return [...values, ...[...row].map((value) => Number(Number.isNaN(value)))];
  }
}

/** States of a layer that reads forwards and backwards, one behind the other. */
function bothWays(layer: Layer, seed: number, inputs: readonly Float64Array[]): Float64Array[] {
  const { units } = layer;
  const found = inputs.map(() => new Float64Array(2 * units));
  for (const direction of [0, 1]) {
    const own = 2 * seed + direction;
    let state = new Float64Array(units);
    for (let step = 0; step < inputs.length; step++) {
      const t = direction ? inputs.length - 1 - step : step;
      state = gated(layer, own, inputs[t], state);
      found[t].set(state, direction * units);
    }
  }
  return found;
}

function gated(
  layer: Layer,
  own: number,
  input: Float64Array,
  state: Float64Array<ArrayBuffer>,
): Float64Array<ArrayBuffer> {
  const { units, inputs } = layer;
  const given = times(input, layer.given, own * inputs * 3 * units, 3 * units);
  const past = times(state, layer.before, own * units * 3 * units, 3 * units);
  for (let u = 0; u < 3 * units; u++) {
    given[u] += layer.givenBias[own * 3 * units + u];
    past[u] += layer.beforeBias[own * 3 * units + u];
  }
  return state.map((value, u) => {
    const reset = sigmoid(given[u] + past[u]);
    const update = sigmoid(given[units + u] + past[units + u]);
    const fresh = Math.tanh(given[2 * units + u] + reset * past[2 * units + u]);
    return fresh + update * (value - fresh);
  });
}

function times(
  input: Float64Array,
  weights: Float32Array,
  from: number,
  width: number,
): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < input.length; i++) {
    const value = input[i];
    if (value === 0) continue;
    const own = from + i * width;
    for (let u = 0; u < width; u++) sums[u] += value * weights[own + u];
  }
  return sums;
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
