/** How the natives of an index say each phone. Twin of `scoring/fusion/natives.py`. */

import { logQuantile, type NativeMargins } from "../../indexes/native_margins";
import type { PhoneEvidence } from "../../retriever/evidence";

const MIN_COVERAGE = 10;

export class NativeReference {
  constructor(
    private readonly classes: readonly string[],
    private readonly margins: readonly NativeMargins[],
    private readonly logPosteriors: readonly NativeMargins[],
    private readonly mediansS: Float64Array,
    /** Whether the index can be trusted with each class. */
    private readonly judged: ArrayLike<number>,
  ) {}

  /** ln of the share of natives with no larger margin; NaN where not reliable. */
  marginQuantile(evidence: PhoneEvidence): number {
    const code = this.classes.indexOf(evidence.phone);
    return this.judged[code] ? logQuantile(this.margins[code], evidence.margin) : NaN;
  }

  /** ln of the share of natives with no larger log posterior, or NaN. */
  logPosteriorQuantile(phone: string, logPosterior: number): number {
    const natives = this.logPosteriors[this.classes.indexOf(phone)];
    if (!natives || natives.ordered.length < MIN_COVERAGE) return NaN;
    return logQuantile(natives, logPosterior);
  }

  /** Retrieval's posterior of the canonical phone; NaN where the index has none. */
  canonicalPosterior(evidence: PhoneEvidence): number {
    return evidence.posterior[this.classes.indexOf(evidence.phone)] ?? NaN;
  }

  medianDurationS(phone: string): number {
    return this.mediansS[this.classes.indexOf(phone)] ?? NaN;
  }
}
