/** A text read by the posteriors of a phone head. Twin of `speech/reading/head.py`. */

import { matrix, type Matrix } from "../../matrix";
import type { Pronunciation } from "../canonical";
import { frameEdgesS, type Frames, type Posteriors } from "../frames";
import { pool, type LabelMap } from "../phone_head";
import { COSTS, forbidding } from "./graph";
import { BY_HEAD } from "./match";
import { readText, type Reading } from "./reading";

const FILLED = 0.95;
const LEAST = 1e-6;
const SHORTEST_S = 0.04;
const HOP_S = 0.02;
const WHOLE = forbidding(COSTS);

export interface HeadReader {
  readonly head: LabelMap;
  /** Of the head's columns. */
  readonly distances: Matrix;
}

/**
 * Read a recording by the phone posteriors in its frames.
 *
 * Without `sounds`, what every frame sounds like, every word is known to be there once.
 */
export function readByHead(
  { head, distances }: HeadReader,
  pronunciation: Pronunciation,
  frames: Frames,
  durationS: number,
  sounds: Posteriors | null,
  loud: readonly boolean[] | null = null,
): Reading {
  let logProbs = pool(head, frames.logProbs);
  if (sounds) {
    logProbs = filled(logProbs, head, sounds);
    const weight = Math.min(1, frames.hopS / HOP_S);
    logProbs = { ...logProbs, values: logProbs.values.map((value) => value * weight) };
  }
  const lasting = sounds ? Math.max(1, Math.round(SHORTEST_S / frames.hopS)) : 1;
  return readText(pronunciation, { logProbs, columns: head.columns }, {
    spelling: (phone) =>
      head.spelling[phone].flatMap((column) => new Array<number>(lasting).fill(column)),
    edgesS: frameEdgesS(frames, durationS),
    distances,
    costs: sounds ? BY_HEAD : WHOLE,
    loud,
  });
}

/** Log posteriors of a head whose blanks are filled by what the frames sound like, `[T, C]`. */
function filled(logProbs: Matrix, head: LabelMap, sounds: Posteriors): Matrix {
  const { rows, columns } = logProbs;
  const from = head.columns.map((phone, c) => {
    const place = c === 0 ? 0 : sounds.columns.indexOf(phone);
    return place < 0 ? sounds.columns.length - 1 : place;
  });
  const found = matrix(rows, columns);
  for (let t = 0; t < rows; t++) {
    const own = t * columns;
    const blank = Math.exp(logProbs.values[own]);
    for (let c = 0; c < columns; c++) {
      const heard = Math.exp(sounds.logProbs.values[t * sounds.columns.length + from[c]]);
      const share = Math.exp(logProbs.values[own + c]) * (c === 0 ? 1 - FILLED : 1);
      found.values[own + c] = Math.log(Math.max(share + FILLED * blank * heard, LEAST));
    }
  }
  return found;
}
