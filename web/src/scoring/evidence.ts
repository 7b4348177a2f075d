/** All evidence on the canonical phones of one recording. Twin of `scoring/evidence.py`. */

import type { PhoneIndex } from "../indexes/phone_index";
import { argmax } from "../matrix";
import { Deviations, type InsertedPhone } from "../retriever/deviations";
import { gatherEvidence, type PhoneEvidence } from "../retriever/evidence";
import { frameEvidence } from "../retriever/frame_evidence";
import { isSilence, type AlignedPhone, type Alignment } from "../speech/alignment";
import { spanWeights } from "../retriever/frame_retrieval";
import type { Frames } from "../speech/frames";
import type { PhoneInventory } from "../speech/inventory";
import { pool } from "../speech/pooling";
import { column, phoneFeatures, type FeatureTable } from "./fusion/features";
import type { NativeReference } from "./fusion/natives";
import type { GopMeasurement } from "./gop_evidence";

const DELETION_NATS = -4;

export interface RecordingEvidence {
  readonly frames: Frames;
  readonly alignment: Alignment;
  readonly phones: readonly AlignedPhone[];
  readonly retrieval: readonly PhoneEvidence[];
  readonly gop: GopMeasurement;
  readonly features: FeatureTable;
  readonly deleted: readonly boolean[];
  readonly insertions: readonly InsertedPhone[];
}

export class EvidenceGatherer {
  constructor(
    private readonly index: PhoneIndex,
    private readonly inventory: PhoneInventory,
    private readonly natives: NativeReference,
    private readonly deviations: Deviations,
  ) {}

  /** Gather the evidence on every canonical phone, in order. */
  gather(frames: Frames, alignment: Alignment, gop: GopMeasurement): RecordingEvidence {
    const { index } = this;
    const places = alignment.phones.map((_, i) => i).filter((i) => !isSilence(alignment.phones[i]));
    const phones = places.map((i) => alignment.phones[i]);
    const canonical = phones.map((phone) => phone.phone);
    const spansS = phones.map((phone) => [phone.startS, phone.endS] as const);
    const pooled = pool(frames, spansS, index.manifest.pooling);
    const retrieval = gatherEvidence(index, pooled, canonical);
    const weights = gop.occupancy ?? spanWeights(frames, spansS);
    const similar = this.deviations.similarities(frames);
    const features = phoneFeatures({
      phones,
      evidence: retrieval,
      frameEvidence: frameEvidence(index, frames, weights, canonical),
      gop,
      natives: this.natives,
      inventory: this.inventory,
    });
    const quantiles = column(features, "margin_quantile");
    const byHead = column(features, "deletion");
    const deleted = phones.map(
      (_, i) =>
        !(byHead[i] > DELETION_NATS) &&
        this.deviations.deleted(
          frames,
          similar,
          alignment.phones,
          places[i],
          quantiles[i],
          index.classes[argmax(retrieval[i].posterior)],
        ),
    );
    const insertions = this.deviations.insertions(frames, similar, alignment.phones);
    return { frames, alignment, phones, retrieval, gop, features, deleted, insertions };
  }
}
