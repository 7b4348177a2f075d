"""What a recording is to be assessed against, and what is stored of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.authentication import Caller
from nativeear.service.api.engine import Work
from nativeear.service.api.recordings import media_type_of
from nativeear.service.api.references import Reference
from nativeear.service.api.state import Service
from nativeear.service.database.assessments import NewAssessment, StoredAssessment
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError
from nativeear.speech.recogniser import Recogniser


@dataclass(frozen=True, eq=False)
class Submission:
    """What is stored beside a result."""

    caller: Caller
    form: dict[str, Any]
    audio: bytes | None = None
    idempotency_key: str | None = None
    digest: str | None = None


@dataclass(frozen=True, eq=False)
class Target:
    """What a recording is to be assessed against."""

    reference: Reference
    form: dict[str, Any]
    accents: tuple[Reference, ...] = ()
    recogniser: Recogniser | None = None

    def work(self, recording: Audio) -> Work:
        """What the engine is given."""
        return Work(
            reference=self.reference,
            audio=recording,
            text=self.form["text"],
            phones=self.form["phones"],
            id=uuid4().hex,
            l1=self.form["l1"],
            calibration=self.form["calibration"],
            accents=self.accents,
            free=self.form.get("free", False),
            recogniser=self.recogniser,
        )


def target_of(service: Service, form: dict[str, Any]) -> Target:
    """Find the index that is meant; all that can be refused early is refused here.

    Raises
    ------
    InputError
        If nothing was meant, what was contradicts itself, or a word has no pronunciation.
    """
    free = form.get("free", False)
    is_meant = any((form[name] or "").strip() for name in ("text", "phones"))
    if free and (is_meant or form.get("accent") is not None):
        raise InputError(
            "free goes with neither text, phones nor accent.",
            fix="Send free=true alone where no text is known, or the text without it.",
        )
    if not free and not is_meant:
        raise InputError(
            "There is neither a text nor phones to assess against.",
            fix="Send the field text, or phones, or free=true where no text is known.",
        )
    if form.get("accent") is not None:
        return _target_of_accents(service, form)
    reference = service.references.get(service.references.choose(form["index"], form["language"]))
    reference.assessor_of(form["calibration"])
    if free:
        return Target(reference, form, recogniser=service.recogniser)
    reference.assessor.pronounce(form["text"], form["phones"])
    return Target(reference, form)


def _target_of_accents(service: Service, form: dict[str, Any]) -> Target:
    if form["index"] or not form["language"]:
        raise InputError(
            "accent goes with language, and not with index.",
            fix="Send the field language, or no accent.",
        )
    accents = service.references.accents(form["language"])
    for reference in accents:
        reference.assessor_of(form["calibration"])
    return Target(accents[0], form, accents)


def save(
    service: Service, work: Work, submission: Submission, result: Assessment
) -> StoredAssessment:
    """Store a result; under an idempotency key that is known, the one that is there."""
    retain = service.settings.retain_days
    now = datetime.now(timezone.utc)
    return service.store.save_assessment(
        NewAssessment(
            id=work.id,
            key_id=submission.caller.key_id,
            learner_id=submission.form["learner_id"],
            group=submission.form["group"],
            language=result.language,
            index=work.answered_by(result).name,
            text=work.text,
            result=result.model_dump_json(),
            duration_s=result.duration_s,
            audio=submission.audio,
            audio_type=media_type_of(submission.audio) if submission.audio is not None else None,
            expires_at=now + timedelta(days=retain) if retain is not None else None,
            idempotency_key=submission.idempotency_key,
            request_digest=submission.digest,
        )
    )
