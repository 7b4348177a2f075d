/** Is this recording of this text at all? Twin of `speech/reading/match.py`. */

import { COSTS, type Costs } from "./graph";

export interface Match {
  readonly nats: number;
  readonly skipped: number;
  readonly text: number;
  readonly read: number;
  readonly heard: number;
  readonly unmeant: number;
  readonly reread: number;
}

export const BY_HEAD: Costs = { ...COSTS, skip: 8, back: 1, restart: 1.5, weight: 0.7 };

const OFFSET = 9.3;
const AGAINST_FREE = 3.7;
const BOTH = 12.1;
const UNMEANT = 11.9;
const PARDONED = 0.5;
const FEW = 5;

/** Probability that a recording is of its text, 0–1. */
export function likelihood(match: Match): number {
  if (!match.heard || !match.read) return 0;
  const nats = match.nats - PARDONED * match.skipped;
  const unread = 1 - match.read / match.text;
  const odds =
    OFFSET -
    (AGAINST_FREE * nats) / (Math.max(match.text, match.heard) + FEW) -
    BOTH * Math.sqrt(unread * match.unmeant) -
    UNMEANT * match.unmeant ** 2;
  return 1 / (1 + Math.exp(-Math.max(-50, Math.min(50, odds))));
}
