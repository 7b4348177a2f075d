"""The tables of teaching: sentences of one's own, homework, and verdicts put right."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from nativeear.service.database.tables import Table


class SentenceSetRow(Table):
    """Sentences that a teacher wrote; they are a list as JSON."""

    __tablename__ = "sentence_sets"
    __table_args__ = (Index("ix_sentence_sets_teacher", "teacher_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    teacher_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    title: Mapped[str]
    language: Mapped[str]
    sentences: Mapped[str]
    created_at: Mapped[datetime]


class HomeworkRow(Table):
    """A set of sentences that a group is to say, and until when."""

    __tablename__ = "homework"
    __table_args__ = (Index("ix_homework_group", "group_id"), Index("ix_homework_set", "set_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    set_id: Mapped[str] = mapped_column(ForeignKey("sentence_sets.id", ondelete="CASCADE"))
    due: Mapped[date | None]
    created_at: Mapped[datetime]


class LabelRow(Table):
    """What a teacher heard of a phone of an assessment; `position` counts through all its words."""

    __tablename__ = "labels"
    __table_args__ = (Index("ix_labels_author", "author_id"),)

    assessment_id: Mapped[str] = mapped_column(
        ForeignKey("assessments.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    verdict: Mapped[str]
    heard: Mapped[str | None]
    created_at: Mapped[datetime]
