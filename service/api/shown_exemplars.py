"""Whether an index still has the exemplars that an assessment was shown with."""

from __future__ import annotations

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment
from nativeear.service.api.problems import NotKeptError


def refuse_other_exemplars(result: Assessment, index: PhoneIndex) -> None:
    """Refuse to show exemplars under rows that by now are those of others."""
    rows = index.manifest.counts.exemplars
    for phone in result.phones:
        for item in phone.evidence:
            known = index.exemplar(item.exemplar) if item.exemplar < rows else None
            if known is None or (known.phone, known.word, known.speaker) != (
                item.phone,
                item.word,
                item.speaker,
            ):
                raise NotKeptError(
                    "The index has changed since, so its examples no longer belong to this "
                    "assessment.",
                    fix="Assess the recording again for a report.",
                )
