"""What a recording is to be assessed against, and what is stored of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.authentication import Caller
from nativeear.service.api.engine import Work
from nativeear.service.api.problems import BusyError, ForbiddenError
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

    key_id: str | None
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
            second_ear=self.form.get("second_ear") is not False,
            language_use=self.form.get("language_use") is not False,
            topic=self.form.get("topic"),
        )


def attribution(service: Service, caller: Caller) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """What fills in whose recordings are, see `attributed`; it asks the database once for all."""
    person = caller.person
    if person is None:
        return dict
    groups = [group.id for group in service.people.groups(person_id=person.id)]

    def of_person(form: Mapping[str, Any]) -> dict[str, Any]:
        if form["learner_id"] not in {None, person.id}:
            raise ForbiddenError(
                "You can record for yourself alone.", fix="Leave learner_id out: it is known."
            )
        group = form["group"]
        if group is None and groups:
            group = groups[-1]
        elif group is not None and group not in groups:
            raise ForbiddenError(
                "You are not in that group.",
                fix="Leave group out, or send the id of one of yours.",
            )
        return {**form, "learner_id": person.id, "group": group}

    return of_person


def attributed(service: Service, caller: Caller, form: Mapping[str, Any]) -> dict[str, Any]:
    """Whose a recording is: somebody who is signed in records for himself, in a group of his.

    Raises
    ------
    ForbiddenError
        If it is meant to be another's, or of a group that he is not in.
    """
    return attribution(service, caller)(form)


def refuse_meaningless(service: Service, form: Mapping[str, Any]) -> None:
    """Refuse what contradicts itself, or asks for what the service does not have.

    Raises
    ------
    InputError
        With the field that is to be left out or to be sent.
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
    if form.get("second_ear") and service.settings.judge is None:
        raise InputError(
            "This service has no second ear.",
            fix="Leave second_ear out, or start the service with --judge URL.",
        )
    _refuse_language_use(service, form)


def target_of(service: Service, form: dict[str, Any]) -> Target:
    """Find the index that is meant; all that can be refused early is refused here.

    Raises
    ------
    InputError
        If nothing was meant, what was contradicts itself, or a word has no pronunciation.
    """
    refuse_meaningless(service, form)
    free = form.get("free", False)
    if form.get("accent") is not None:
        return _target_of_accents(service, form)
    reference = service.references.get(service.references.choose(form["index"], form["language"]))
    reference.assessor_of(form["calibration"])
    if free:
        return Target(reference, form, recogniser=service.recogniser)
    reference.assessor.pronounce(form["text"], form["phones"])
    return Target(reference, form)


def _refuse_language_use(service: Service, form: Mapping[str, Any]) -> None:
    asked = form.get("language_use") or form.get("topic") is not None
    if asked and service.settings.text_judge is None:
        raise InputError(
            "This service tells nothing of the use of language.",
            fix="Leave language_use and topic out, or start the service with --language-use URL.",
        )
    if asked and not form.get("free"):
        raise InputError(
            "language_use and topic go with free speech only.",
            fix="Send free=true, or leave them out.",
        )


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


def asks_for_a_job(prefer: str | None) -> bool:
    """Whether a request has the preference to be answered with a job."""
    return "respond-async" in (prefer or "").lower()


def refuse_if_queue_full(service: Service, count: int, recordings: int = 1) -> None:
    """Refuse recordings of `count` bytes for which the database is not to grow.

    Raises
    ------
    BusyError
        If as many wait as may.
    """
    settings, waiting = service.settings, service.store.waiting()
    too_many = waiting.count + recordings > settings.max_queued
    if too_many or waiting.bytes + count > settings.max_queued_bytes:
        raise BusyError(
            "Too many recordings wait to be assessed.",
            cause=f"There are {waiting.count:,}, of {waiting.bytes:,} bytes.",
            fix="Try again in a minute.",
            headers={"Retry-After": "60"},
        )


def save(
    service: Service, work: Work, submission: Submission, result: Assessment
) -> StoredAssessment:
    """Store a result; under an idempotency key that is known, the one that is there."""
    return service.store.save_assessment(new_assessment(service, work, submission, result))


def new_assessment(
    service: Service, work: Work, submission: Submission, result: Assessment
) -> NewAssessment:
    """What is to be stored of a result."""
    kept_days = service.settings.kept_days
    now = datetime.now(timezone.utc)
    return NewAssessment(
        id=work.id,
        key_id=submission.key_id,
        learner_id=submission.form["learner_id"],
        group=submission.form["group"],
        language=result.language,
        index=work.answered_by(result).name,
        text=work.text,
        result=result.model_dump_json(),
        duration_s=result.duration_s,
        audio=submission.audio,
        audio_type=media_type_of(submission.audio) if submission.audio is not None else None,
        expires_at=now + timedelta(days=kept_days) if kept_days is not None else None,
        idempotency_key=submission.idempotency_key,
        request_digest=submission.digest,
    )
