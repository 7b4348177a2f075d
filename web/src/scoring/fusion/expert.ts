/** The `expert` calibration: what experts would say. Twin of `scoring/fusion/expert.py`. */

import { interpolated } from "../../matrix";
import type { JudgeSettings } from "../../pack";
import { float64, type Tensors } from "../../safetensors";
import type { RecordingEvidence } from "../evidence";
import { BELOW, GOOD_SCORE, LIKELY, UNCERTAIN, gradeOf, type Grade, type Verdict } from "../grading";
import { column } from "./features";
import { BEST, PhoneModel } from "./phone_model";
import { flaggedByNatives, type UnheardReference } from "./training_free";

export class ExpertCalibration {
  private readonly phones: PhoneModel;
  private readonly expectedAt: Float64Array;
  private readonly probabilities: Float64Array;
  private readonly border: number;

  constructor(
    tensors: Tensors,
    private readonly settings: JudgeSettings,
    private readonly natives: UnheardReference,
  ) {
    this.phones = new PhoneModel(tensors, settings.averages, settings.columns);
    this.expectedAt = float64(tensors, "curves.expected");
    this.probabilities = float64(tensors, "curves.probabilities");
    const below = float64(tensors, "curves.expected_below");
    const rates = float64(tensors, "curves.rates");
    this.border = interpolated(settings.false_rejections, rates, (i) => below[i]);
  }

  /** Grade every canonical phone, in order. */
  grades(evidence: RecordingEvidence): Grade[] {
    const { phones, features, deleted, retrieval } = evidence;
    if (!phones.length) return [];
    const found = this.phones.expected(
      features,
      phones.map((phone) => phone.phone),
      phones.map((phone) => phone.wordIndex),
    );
    const { false_rejections, doubted } = this.settings;
    const share = Math.min(0.5, doubted * false_rejections);
    const flagged = flaggedByNatives(this.natives, evidence, share);
    const quantiles = column(features, "margin_quantile");
    return phones.map((_, i) => {
      let expected = found[i];
      const likely = this.probability(expected) >= LIKELY;
      const unjudged = Number.isNaN(quantiles[i]);
      // What natives would not be flagged for, and is likelier right than wrong, is spared.
      if ((unjudged || !flagged[i]) && !likely) expected = Math.max(expected, this.border);
      const unsaid = deleted[i] && expected < this.border && likely;
      if (unsaid) expected = 0;
      if (unjudged) return UNCERTAIN;
      let verdict: Verdict = "correct";
      if (expected < this.border) {
        verdict = unsaid ? "deleted" : retrieval[i].margin < 0 ? "substituted" : "accented";
      }
      return gradeOf(this.score(expected), this.probability(expected), verdict, expected);
    });
  }

  private probability(expected: number): number {
    return interpolated(expected, this.expectedAt, (i) => this.probabilities[i]);
  }

  /** Score 0–100: `GOOD_SCORE` lies at the border. */
  private score(expected: number): number {
    const { border } = this;
    return expected < border
      ? ((GOOD_SCORE - BELOW) * expected) / border
      : GOOD_SCORE + ((100 - GOOD_SCORE) * (expected - border)) / (BEST - border);
  }
}
