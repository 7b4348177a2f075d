/** A phone's grade, and what words make of those of their phones. Twin of `scoring/grading.py`. */

import { mean as plainMean } from "../matrix";
import type { PhoneAssessment } from "../assessment";

export type Verdict = PhoneAssessment["verdict"];

export const GOOD_SCORE = 75;
export const LIKELY = 0.5;
export const FLAGGED_SCORE = 50;
const FALSE_REJECTIONS = 0.04;
const EXPONENT = Math.log(FLAGGED_SCORE / 100) / Math.log(FALSE_REJECTIONS);
export const BELOW = 1;
const WORST_WEIGHT = 0.3;

const FLAGGED: readonly Verdict[] = ["substituted", "accented", "deleted"];

export function isFlagged(verdict: Verdict): boolean {
  return FLAGGED.includes(verdict);
}

/** Score 0–100 of ln of a share of natives. */
export function scoreOf(logQuantile: number): number {
  return 100 * Math.exp(EXPONENT * logQuantile);
}

export interface Grade {
  readonly score: number | null;
  readonly probability: number | null;
  readonly verdict: Verdict;
  /** What experts would give, 0–2. */
  readonly expected: number | null;
}

export const DELETED: Grade = { score: 0, probability: 1, verdict: "deleted", expected: null };
export const UNCERTAIN: Grade = {
  score: null,
  probability: null,
  verdict: "uncertain",
  expected: null,
};

/** Score, probability and verdict as one judgement; the border is `GOOD_SCORE`. */
export function gradeOf(
  score: number,
  probability: number,
  verdict: Verdict,
  expected: number,
): Grade {
  if (!isFlagged(verdict)) {
    return { score: Math.max(score, GOOD_SCORE), probability, verdict, expected };
  }
  const told = probability < LIKELY ? "accented" : verdict;
  const held = told === "deleted" ? 0 : Math.min(score, GOOD_SCORE - BELOW);
  return { score: held, probability, verdict: told, expected };
}

/** Score of a syllable or word from its phones; null if no phone could be judged. */
export function combine(scores: readonly (number | null)[], flagged: boolean): number | null {
  const judged = scores.filter((score) => score !== null);
  if (!judged.length) return null;
  const score = (1 - WORST_WEIGHT) * plainMean(judged) + WORST_WEIGHT * Math.min(...judged);
  return flagged ? Math.min(score, GOOD_SCORE - BELOW) : score;
}
