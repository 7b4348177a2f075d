"""All evidence on the canonical phones of one recording, before anything is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.frame_evidence import span_weights
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.deviations import Deviations, InsertedPhone
from nativeear.retriever.evidence import PhoneEvidence, gather_evidence
from nativeear.retriever.frame_retrieval import FrameRetrieval
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.fusion.features import FeatureTable, phone_features
from nativeear.scoring.fusion.natives import NativeReference
from nativeear.scoring.gop_evidence import GopMeasurement
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.frames import Frames
from nativeear.speech.pooling import pool

NO_EXCLUSION = Exclusion()

DELETION_NATS = -4.0
"""The phone head finds a phone left out where that is likelier by so much: e^4 times. Tried from 0
to −6 on learners of both parities of speaker number, and on natives as they are and with phones
cut out."""


@dataclass(frozen=True, eq=False)
class RecordingEvidence:
    """All evidence on the N canonical phones of one recording.

    Attributes
    ----------
    frames, alignment
        The recording, encoded and aligned once.
    phones
        The aligned phones without silences, `[N]`.
    retrieval
        What the index says of each, `[N]`.
    gop
        What the encoder's phone head says.
    features
        Both and more, as columns.
    deleted
        bool `[N]`: which phones were not said.
    insertions
        Speech that no canonical phone explains.
    """

    frames: Frames
    alignment: Alignment
    phones: tuple[AlignedPhone, ...]
    retrieval: tuple[PhoneEvidence, ...]
    gop: GopMeasurement
    features: FeatureTable
    deleted: NDArray[np.bool_]
    insertions: tuple[InsertedPhone, ...]


class EvidenceGatherer:
    """Gathers evidence on recordings from one index. Safe to share between threads."""

    def __init__(self, index: PhoneIndex) -> None:
        self._index = index
        self.natives = NativeReference(index)
        self._deviations = Deviations(index)
        self._by_frame = FrameRetrieval(index)

    def gather(
        self,
        frames: Frames,
        alignment: Alignment,
        gop: GopMeasurement,
        exclusion: Exclusion = NO_EXCLUSION,
    ) -> RecordingEvidence:
        """Gather the evidence on every canonical phone, in order.

        Parameters
        ----------
        frames, alignment
            The recording, encoded and aligned.
        gop
            What the phone head says of the alignment's phones.
        exclusion
            Exemplars that must not answer, when the recording is itself in the index.
        """
        inventory = self._index.inventory
        natives, deviations = self.natives, self._deviations
        if exclusion:
            excluded = exclusion.rows(self._index)
            natives, deviations = natives.without(excluded), deviations.without(excluded)
        spoken = [i for i, phone in enumerate(alignment.phones) if not phone.is_silence]
        phones = tuple(alignment.phones[i] for i in spoken)
        canonical = [phone.phone for phone in phones]
        laid_s = [(phone.start_s, phone.end_s) for phone in phones]
        read_s = [phone.read_s or own_s for phone, own_s in zip(phones, laid_s, strict=True)]
        pooling = self._index.manifest.pooling
        retrieval = gather_evidence(
            self._index,
            np.mean([pool(frames, place_s, pooling) for place_s in (laid_s, read_s)], axis=0),
            canonical,
            exclusion=exclusion,
        )
        weights = gop.occupancy
        by_frame = self._by_frame.evidence(
            frames,
            span_weights(frames, laid_s) + span_weights(frames, read_s)
            if weights is None
            else weights,
            canonical,
            exclusion=exclusion,
        )
        similar = deviations.similarities(frames)
        features = phone_features(
            phones=phones,
            evidence=retrieval,
            frame_evidence=by_frame,
            gop=gop,
            natives=natives,
            inventory=inventory,
        )
        deleted = np.zeros(len(phones), dtype=bool)
        for i in np.flatnonzero(_deleted_by_head(features)).tolist():
            deleted[i] = deviations.deleted(
                frames,
                similar,
                alignment.phones,
                spoken[i],
                float(features.column("margin_quantile")[i]),
                heard=self._index.classes[int(retrieval[i].posterior.argmax())],
            )
        return RecordingEvidence(
            frames,
            alignment,
            phones,
            retrieval,
            gop,
            features,
            deleted,
            deviations.insertions(frames, similar, alignment.phones),
        )


def _deleted_by_head(features: FeatureTable) -> NDArray[np.bool_]:
    """Which phones the CTC head does not find at all, bool `[N]`; every one without a head.

    Retrieval looks for a phone near its aligned place, and boundaries near a weak phone are the
    least certain ones; the head needs none. A phone was left out only if both say so.
    """
    if not features.names:
        return np.zeros(0, dtype=bool)
    return np.asarray(~(features.column("deletion") > DELETION_NATS))
