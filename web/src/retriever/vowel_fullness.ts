/** How full or reduced a vowel sounds. Twin of `retriever/vowel_fullness.py`. */

import type { PhoneIndex } from "../indexes/phone_index";
import { Largest } from "../indexes/similarity";
import type { Matrix32 } from "../matrix";

const TOP_M = 10;

/** The natives' vowels that answer, full ones first. */
export class VowelFullness {
  constructor(
    private readonly index: PhoneIndex,
    private readonly rows: ArrayLike<number>,
    /** How many of them are full. */
    private readonly full: number,
  ) {}

  /** Similarity of vowels to full ones less that to reduced ones, of other words than their own. */
  of(vectors: Matrix32, words: readonly string[]): Float64Array {
    const found = new Float64Array(vectors.rows).fill(NaN);
    if (Math.min(this.full, this.rows.length - this.full) < TOP_M) return found;
    const { columns, values } = this.index.pool.vectors;
    words.forEach((word, n) => {
      const [full, reduced] = [
        [0, this.full],
        [this.full, this.rows.length],
      ].map(([first, past]) => {
        const nearest = new Largest(TOP_M);
        for (let r = first; r < past; r++) {
          const row = this.rows[r];
          if (this.index.wordOf(row) === word) continue;
          let similarity = 0;
          for (let d = 0; d < columns; d++) {
            similarity += values[row * columns + d] * vectors.values[n * columns + d];
          }
          nearest.offer(similarity, row);
        }
        return nearest.mean();
      });
      found[n] = full - reduced;
    });
    return found;
  }
}
