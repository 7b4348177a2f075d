"""What a recording is to be assessed against, and what is stored of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.engine import Work
from nativeear.service.api.keys import Caller
from nativeear.service.api.recordings import media_type_of
from nativeear.service.api.references import Reference
from nativeear.service.api.state import Service
from nativeear.service.database.assessments import NewAssessment, StoredAssessment
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError
from nativeear.speech.recogniser import Recogniser


@dataclass(frozen=True, eq=False)
class Kept:
    """What is stored beside a result."""

    caller: Caller
    meant: dict[str, Any]
    audio: bytes | None = None
    idempotency_key: str | None = None
    digest: str | None = None


@dataclass(frozen=True, eq=False)
class Order:
    """What a recording is to be assessed against."""

    reference: Reference
    meant: dict[str, Any]
    accents: tuple[Reference, ...] = ()
    recogniser: Recogniser | None = None

    def work(self, recording: Audio) -> Work:
        """What the engine is given."""
        return Work(
            reference=self.reference,
            audio=recording,
            text=self.meant["text"],
            phones=self.meant["phones"],
            id=uuid4().hex,
            l1=self.meant["l1"],
            calibration=self.meant["calibration"],
            accents=self.accents,
            free=self.meant.get("free", False),
            recogniser=self.recogniser,
        )


def order_of(parts: Service, meant: dict[str, Any]) -> Order:
    """Find the index that is meant; all that can be refused early is refused here.

    Raises
    ------
    InputError
        If nothing was meant, what was contradicts itself, or a word has no pronunciation.
    """
    free = meant.get("free", False)
    is_meant = any((meant[name] or "").strip() for name in ("text", "phones"))
    if free and (is_meant or meant.get("accent") is not None):
        raise InputError(
            "free goes with neither text, phones nor accent.",
            fix="Send free=true alone where no text is known, or the text without it.",
        )
    if not free and not is_meant:
        raise InputError(
            "There is neither a text nor phones to assess against.",
            fix="Send the field text, or phones, or free=true where no text is known.",
        )
    if meant.get("accent") is not None:
        return _order_of_accents(parts, meant)
    reference = parts.references.get(parts.references.choose(meant["index"], meant["language"]))
    reference.assessor_of(meant["calibration"])
    if free:
        return Order(reference, meant, recogniser=parts.recogniser)
    reference.assessor.pronounce(meant["text"], meant["phones"])
    return Order(reference, meant)


def _order_of_accents(parts: Service, meant: dict[str, Any]) -> Order:
    if meant["index"] or not meant["language"]:
        raise InputError(
            "accent goes with language, and not with index.",
            fix="Send the field language, or no accent.",
        )
    accents = parts.references.accents(meant["language"])
    for reference in accents:
        reference.assessor_of(meant["calibration"])
    return Order(accents[0], meant, accents)


def save(parts: Service, work: Work, kept: Kept, result: Assessment) -> StoredAssessment:
    """Store a result; under an idempotency key that is known, the one that is there."""
    retain = parts.settings.retain_days
    now = datetime.now(timezone.utc)
    return parts.store.save_assessment(
        NewAssessment(
            id=work.id,
            key_id=kept.caller.key_id,
            learner_id=kept.meant["learner_id"],
            group=kept.meant["group"],
            language=result.language,
            index=work.answered_by(result).name,
            text=work.text,
            result=result.model_dump_json(),
            duration_s=result.duration_s,
            audio=kept.audio,
            audio_type=media_type_of(kept.audio) if kept.audio is not None else None,
            expires_at=now + timedelta(days=retain) if retain is not None else None,
            idempotency_key=kept.idempotency_key,
            request_digest=kept.digest,
        )
    )
