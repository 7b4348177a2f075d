/** Boosted regression trees. Twin of `scoring/fusion/trees.py`. */

import { float64, tensor, type Tensors } from "../../safetensors";

const LEAF = -1;

export class Trees {
  private readonly feature: Int32Array;
  private readonly threshold: Float64Array;
  private readonly missingLeft: Uint8Array;
  private readonly left: Int32Array;
  private readonly right: Int32Array;
  private readonly value: Float64Array;
  private readonly roots: Int32Array;
  private readonly base: number;
  private readonly scale: number;

  constructor(tensors: Tensors, name: string) {
    const part = (of: string) => tensor(tensors, `${name}.${of}`).values;
    this.feature = part("feature") as Int32Array;
    this.threshold = part("threshold") as Float64Array;
    this.missingLeft = part("missing_left") as Uint8Array;
    this.left = part("left") as Int32Array;
    this.right = part("right") as Int32Array;
    this.value = part("value") as Float64Array;
    this.roots = part("roots") as Int32Array;
    [this.base] = float64(tensors, `${name}.base`);
    [this.scale] = float64(tensors, `${name}.scale`);
  }

  /** Value of one row of a table. */
  of(row: ArrayLike<number>): number {
    let sum = 0;
    for (const root of this.roots) {
      let node = root;
      while (this.feature[node] !== LEAF) {
        const value = row[this.feature[node]];
        const goesLeft = Number.isNaN(value)
          ? this.missingLeft[node] === 1
          : value <= this.threshold[node];
        node = goesLeft ? this.left[node] : this.right[node];
      }
      sum += this.value[node];
    }
    return this.base + this.scale * sum;
  }
}
