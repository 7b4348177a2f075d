/** A second judgement for phones that are one of several right ones. Twin of `scoring/other_forms.py`. */

import type { PhoneIndex } from "../indexes/phone_index";
import type { PhoneEvidence } from "../retriever/evidence";
import { isSilence, spoken, type Alignment } from "../speech/alignment";
import type { LabelMap } from "../speech/phone_head";
import type { EvidenceGatherer, RecordingEvidence } from "./evidence";
import type { ExpertCalibration } from "./fusion/expert";
import { measureGop } from "./gop_evidence";
import { isFlagged, type Grade } from "./grading";

export interface Judging {
  readonly index: PhoneIndex;
  readonly head: LabelMap;
  readonly gatherer: EvidenceGatherer;
  readonly calibration: ExpertCalibration;
}

/** Grade every canonical phone as itself or, if that is flagged, as one that is as right. */
export function gradesOfForms(
  { index, head, gatherer, calibration }: Judging,
  evidence: RecordingEvidence,
  others: readonly (readonly string[])[],
): Grade[] {
  const grades = calibration.grades(evidence);
  const alternatives = new Map<number, string>();
  grades.forEach((grade, i) => {
    if (!isFlagged(grade.verdict) || !others[i].length) return;
    alternatives.set(i, likeliest(others[i], evidence.retrieval[i], index.classes));
  });
  if (!alternatives.size) return grades;
  const alignment = withPhones(evidence.alignment, alternatives);
  const canonical = spoken(alignment).map((phone) => phone.phone);
  const gop = measureGop(evidence.frames, head, canonical);
  const again = calibration.grades(gatherer.gather(evidence.frames, alignment, gop));
  const words = evidence.phones.map((phone) => phone.wordIndex);
  const fitting = new Set(
    [...alternatives.keys()].filter((i) => again[i].verdict === "correct").map((i) => words[i]),
  );
  // What was laid wrongly may have spoilt its neighbours: they are judged anew.
  return grades.map((grade, i) => {
    const better = isFlagged(grade.verdict) && again[i].verdict === "correct";
    return fitting.has(words[i]) && better ? again[i] : grade;
  });
}

function withPhones(alignment: Alignment, phones: ReadonlyMap<number, string>): Alignment {
  let place = 0;
  return {
    ...alignment,
    phones: alignment.phones.map((phone) =>
      isSilence(phone) ? phone : { ...phone, phone: phones.get(place++) ?? phone.phone },
    ),
  };
}

function likeliest(
  phones: readonly string[],
  retrieved: PhoneEvidence,
  classes: readonly string[],
): string {
  const likelihood = (phone: string) => retrieved.posterior[classes.indexOf(phone)] ?? 0;
  return phones.reduce((best, phone) => (likelihood(phone) > likelihood(best) ? phone : best));
}
