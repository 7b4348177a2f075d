"""What teachers heard of phones: verdicts put right, and those that they agree with.

They are kept beside the result, which stays as it was judged, and are taken out as a corpus that
`nativeear eval manifest` reads.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import partial
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from nativeear.indexer.annotated_corpus import DELETED
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.verdicts import LabelVerdict
from nativeear.service.database.assessments import find_audio, rows_of
from nativeear.service.database.audio_suffixes import suffix_of
from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.ownership import ALL, Owner, belongs_to
from nativeear.service.database.people import find_person
from nativeear.service.database.people_tables import PersonRow
from nativeear.service.database.store import Store
from nativeear.service.database.tables import AssessmentRow, AudioRow, PhoneRow
from nativeear.service.database.teaching_tables import LabelRow
from nativeear.speech.errors import InputError

RATINGS: Mapping[str, str] = {"correct": "2", "accented": "1", "substituted": "0", "deleted": "0"}
"""What a verdict is in experts' scores, 0–2, of which below 0.5 is mispronounced."""

UNRATED = "-"
TABLE = "utterances.csv"
COLUMNS = ("id", "audio", "text", "phones", "phone_scores", "heard", "speaker")


@dataclass(frozen=True)
class NewLabel:
    """What was heard of the phone at a position: `heard` is another phone, where one was told."""

    position: int
    verdict: LabelVerdict
    heard: str | None = None


@dataclass(frozen=True, kw_only=True)
class Label(NewLabel):
    """A label, by whom, and of what; `judged` is the verdict that was shown."""

    author_id: str
    author: str
    word: str
    phone: str
    ipa: str
    judged: str
    created_at: datetime


def replace_labels(
    session: Session, assessment_id: str, author_id: str, labels: Sequence[NewLabel]
) -> tuple[Label, ...]:
    """Keep what a teacher heard in the place of what he told before.

    Whoever calls has seen to it that its author may see the assessment.

    Raises
    ------
    InputError
        If a position is named twice, or the assessment has no phone there that was meant.
    """
    author = find_person(session, author_id)
    phones = select(PhoneRow.position).where(PhoneRow.assessment_id == assessment_id)
    known = set(session.scalars(phones))
    if any(label.position not in known for label in labels):
        raise InputError(
            "At one of the positions no phone was meant and said.",
            fix="Number phones from 0 through all words, without those that were not read.",
        )
    if len({label.position for label in labels}) < len(labels):
        raise InputError("A phone is named twice.", fix="Tell one verdict for each.")
    rows_of(session, delete(LabelRow).where(LabelRow.assessment_id == assessment_id))
    now = datetime.now(timezone.utc)
    for label in labels:
        session.add(
            LabelRow(
                assessment_id=assessment_id,
                author_id=author.id,
                created_at=now,
                **asdict(label),
            )
        )
    session.flush()
    return list_labels(session, assessment_id)


def list_labels(session: Session, assessment_id: str) -> tuple[Label, ...]:
    """The labels of an assessment, by position."""
    query = (
        select(LabelRow, PersonRow.name, PhoneRow)
        .join(PersonRow, PersonRow.id == LabelRow.author_id)
        .join(
            PhoneRow,
            (PhoneRow.assessment_id == LabelRow.assessment_id)
            & (PhoneRow.position == LabelRow.position),
        )
        .where(LabelRow.assessment_id == assessment_id)
        .order_by(LabelRow.position)
    )
    return tuple(
        Label(
            position=row.position,
            verdict=row.verdict,  # type: ignore[arg-type]
            heard=row.heard,
            author_id=row.author_id,
            author=author,
            word=phone.word,
            phone=phone.phone,
            ipa=phone.ipa,
            judged=phone.verdict,
            created_at=row.created_at,
        )
        for row, author, phone in session.execute(query)
    )


def labelled(session: Session, key_id: Owner) -> tuple[tuple[str, str, str], ...]:
    """`(assessment, its language, whose)` of what is seen, labelled and can be heard; by time."""
    query = (
        select(AssessmentRow.id, AssessmentRow.language, AssessmentRow.key_id)
        .join(AudioRow, AudioRow.assessment_id == AssessmentRow.id)
        .where(
            belongs_to(AssessmentRow.key_id, key_id),
            AssessmentRow.id.in_(select(LabelRow.assessment_id)),
        )
        .order_by(AssessmentRow.created_at, AssessmentRow.id)
    )
    return tuple((id, language, owner) for id, language, owner in session.execute(query))


def export_labels(store: Store, chosen: Sequence[tuple[str, str, str]], out: IO[bytes]) -> None:
    """Write what `labelled` chose as a zip: a folder for each language, a table and recordings."""
    tables: dict[str, list[Sequence[str]]] = defaultdict(list)
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for id, language, _ in chosen:
            found = store.read(partial(_row, id=id))
            if found is None:
                continue  # deleted meanwhile
            row, audio = found
            tables[language].append(row)
            archive.writestr(f"{language}/{row[1]}", audio)
        for language, rows in tables.items():
            text = io.StringIO()
            csv.writer(text).writerows([COLUMNS, *rows])
            archive.writestr(f"{language}/{TABLE}", text.getvalue().encode("utf-8"))


def _row(session: Session, id: str) -> tuple[tuple[str, ...], bytes] | None:
    """A row of the table, and the recording."""
    stored = session.get(AssessmentRow, id)
    if stored is None:
        return None
    try:
        audio = find_audio(session, id, key_id=ALL)
    except NotFoundError:
        return None
    told = {label.position: label for label in list_labels(session, id)}
    words = [word for word in Assessment.model_validate_json(stored.result).words if word.phones]
    ratings: list[str] = []
    heard: list[str] = []
    for position in range(sum(len(word.phones) for word in words)):
        label = told.get(position)
        ratings.append(RATINGS[label.verdict] if label else UNRATED)
        gone = label is not None and label.verdict == "deleted"
        heard.append(DELETED if gone else (label and label.heard) or UNRATED)
    row = (
        id,
        f"audio/{id}{suffix_of(audio.media_type)}",
        " ".join(word.word for word in words),
        " | ".join(" ".join(phone.phone for phone in word.phones) for word in words),
        " ".join(ratings),
        " ".join(heard),
        stored.key_id,
    )
    return row, audio.bytes
