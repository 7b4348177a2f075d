"""Whoever was erased stays erased, whatever was under way."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.people_tables import PersonRow, ReceiptRow
from nativeear.service.database.tables import KeyRow


def digest_of(subject: str) -> str:
    """What a receipt has in the place of an id or a name."""
    return sha256(subject.encode("utf-8")).hexdigest()


def refuse_erased(session: Session, key_id: str | None) -> None:
    """Refuse to store anything of a person who was erased meanwhile.

    An erasure that begins now waits until this transaction has ended, and deletes what it stored.

    Raises
    ------
    NotFoundError
        If he was.
    """
    if key_id is None:
        return
    # Others of his requests may store at the same time.
    person = select(PersonRow.id).where(PersonRow.id == key_id)
    if session.scalar(person.with_for_update(read=True, key_share=True)) is not None:
        return
    if session.get(KeyRow, key_id) is not None:
        return  # a program's, which nobody erases: a learner of this name may have been
    receipt = select(ReceiptRow.id).where(ReceiptRow.subject_sha256 == digest_of(key_id))
    if session.scalar(receipt.limit(1)) is not None:
        raise NotFoundError("Whoever said this was erased meanwhile; nothing is kept of it.")
