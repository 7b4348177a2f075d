/** An open pack, as an index. Twin of `indexes/phone_index.py`. */

import type { Matrix32 } from "../matrix";
import type { Manifest } from "../pack";
import { float32, tensor, type Tensors } from "../safetensors";
import type { Pool } from "./similarity";
import type { Transform } from "./transform";

export interface Names {
  readonly word: readonly string[];
  readonly speaker: readonly string[];
  /** Of every utterance its recording, where it is kept. */
  readonly clip: readonly (string | null)[];
}

export class PhoneIndex {
  readonly classes: readonly string[];
  readonly pool: Pool;
  /** The exemplars that answer frames. */
  readonly framePool: Pool;
  readonly transform: Transform;
  readonly topM: number;
  readonly temperature: number;
  readonly playable: Uint8Array;
  private readonly playableClasses: readonly boolean[];
  private readonly columns: Readonly<Record<string, ArrayLike<number>>>;

  constructor(
    readonly manifest: Manifest,
    exemplars: Tensors,
    reference: Tensors,
    private readonly names: Names,
  ) {
    this.classes = manifest.classes;
    this.topM = manifest.top_m;
    this.temperature = manifest.temperature;
    const vectors = matrix32(exemplars, "vectors");
    this.pool = { vectors, bounds: manifest.bounds };
    this.framePool = chosen(this.pool, tensor(exemplars, "frame_rows").values);
    this.transform = { mean: float32(reference, "mean"), matrix: matrix32(reference, "matrix") };
    this.playable = tensor(exemplars, "playable").values as Uint8Array;
    this.playableClasses = this.classes.map((_, p) =>
      this.playable.subarray(manifest.bounds[p], manifest.bounds[p + 1]).some(Boolean),
    );
    const column = (name: string) => tensor(exemplars, name).values;
    this.columns = Object.fromEntries(
      ["word", "speaker", "utterance", "start_s", "end_s"].map((name) => [name, column(name)]),
    );
  }

  /** Whether any exemplar of a class can be heard. */
  isPlayable(phone: number): boolean {
    return this.playableClasses[phone];
  }

  /** Class of an exemplar. */
  classOf(exemplar: number): number {
    let phone = 0;
    while (this.pool.bounds[phone + 1] <= exemplar) phone++;
    return phone;
  }

  wordOf(exemplar: number): string {
    return this.names.word[this.columns.word[exemplar]];
  }

  speakerOf(exemplar: number): string {
    return this.names.speaker[this.columns.speaker[exemplar]];
  }

  /** Where a native can be heard: a path beside `pack.json`, and from when to when. */
  clipOf(exemplar: number): { path: string; startS: number; endS: number } | null {
    const path = this.names.clip[this.columns.utterance[exemplar]];
    if (path === null) return null;
    const { start_s, end_s } = this.columns;
    return { path, startS: start_s[exemplar], endS: end_s[exemplar] };
  }
}

export function matrix32(tensors: Tensors, name: string): Matrix32 {
  const { shape, values } = tensor(tensors, name);
  return { rows: shape[0], columns: shape[1], values: values as Float32Array };
}

/** Some rows, which ascend, as a pool of their own. */
function chosen({ vectors, bounds }: Pool, rows: ArrayLike<number>): Pool {
  const { columns } = vectors;
  const values = new Float32Array(rows.length * columns);
  const found = new Array<number>(bounds.length).fill(0);
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i] * columns;
    values.set(vectors.values.subarray(from, from + columns), i * columns);
    for (let p = 1; p < bounds.length; p++) if (rows[i] < bounds[p]) found[p]++;
  }
  return { vectors: { rows: rows.length, columns, values }, bounds: found };
}
