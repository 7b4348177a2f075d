"""What the service holds of people in its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import wraps
from typing import Concatenate, Literal, ParamSpec, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from nativeear.service.database import (
    audit_log,
    codes,
    erasure,
    people,
    sentence_sets,
    sessions,
)
from nativeear.service.database import comments as comment_table
from nativeear.service.database import labels as label_table
from nativeear.service.database import members as member_table
from nativeear.service.database.erasure import Receipt
from nativeear.service.database.errors import ConflictError
from nativeear.service.database.people import Person, Role
from nativeear.service.database.sessions import SignedIn
from nativeear.service.database.store import Store

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True)
class Joined:
    """Somebody who came in by a code.

    Attributes
    ----------
    token
        The secret of his session.
    code
        What lets him come back, told this once; None of one who came in by it.
    """

    person: Person
    token: str
    code: str | None = None


def _method(
    function: Callable[Concatenate[Session, P], T], how: Literal["read", "write", "free"]
) -> Callable[Concatenate[People, P], T]:
    """A function of a session as a method, in a transaction of its own."""

    @wraps(function)
    def method(self: People, /, *args: P.args, **kwargs: P.kwargs) -> T:
        run: Callable[[Callable[[Session], T]], T] = getattr(self.store, how)
        with _told_of_changes():
            return run(lambda session: function(session, *args, **kwargs))

    return method


@contextmanager
def _told_of_changes() -> Iterator[None]:
    """Tell of a person, a group or an assessment that went while something was done with it."""
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(
            "What this is about was changed or deleted meanwhile.", fix="Look again."
        ) from error


class People:
    """The people of a store. Safe to share between threads; its methods block, see `Store`."""

    exist = _method(people.any_person, "read")
    person = _method(people.find_person, "read")
    all = _method(people.list_people, "read")
    is_taught = _method(people.is_taught, "read")
    group = _method(people.find_group, "read")
    groups = _method(people.list_groups, "read")
    create_group = _method(people.insert_group, "write")
    delete_group = _method(people.delete_group, "free")
    remove_member = _method(people.remove_member, "free")
    make_code = _method(codes.make_code, "write")
    end_code = _method(codes.end_code, "free")
    session = _method(sessions.find_session, "read")
    end_session = _method(sessions.end_session, "free")
    disclose = _method(sessions.disclose, "write")
    end_disclosure = _method(sessions.end_disclosure, "free")
    disclosed_until = _method(sessions.disclosed_until, "read")
    comment = _method(comment_table.insert_comment, "write")
    comments = _method(comment_table.list_comments, "read")
    delete_comment = _method(comment_table.delete_comment, "free")
    label = _method(label_table.replace_labels, "write")
    labels = _method(label_table.list_labels, "read")
    labelled = _method(label_table.labelled, "read")
    create_set = _method(sentence_sets.insert_set, "write")
    change_set = _method(sentence_sets.change_set, "write")
    delete_set = _method(sentence_sets.delete_set, "free")
    sets = _method(sentence_sets.list_sets, "read")
    set_homework = _method(sentence_sets.set_homework, "write")
    delete_homework = _method(sentence_sets.delete_homework, "free")
    homework = _method(sentence_sets.homework_of, "read")
    members = _method(member_table.list_members, "read")
    note = _method(audit_log.write_entries, "free")
    entries = _method(audit_log.list_entries, "read")
    write_receipt = _method(erasure.write_receipt, "free")
    receipt = _method(erasure.find_receipt, "read")

    def __init__(self, store: Store) -> None:
        self.store = store

    def create(
        self, role: Role, name: str, *, group_id: str | None = None, expires_at: datetime | None
    ) -> tuple[Person, str]:
        """Make a person with a code to come in by; a learner of a group, where one is named."""

        def made(session: Session) -> tuple[Person, str]:
            person = people.insert_person(session, role, name)
            if group_id is not None:
                people.add_member(session, group_id, person.id)
            code = codes.make_code(session, person_id=person.id, expires_at=expires_at)
            return person, code

        return self._write(made)

    def renew_code(self, person_id: str, *, expires_at: datetime | None) -> str:
        """Give somebody a new code; what he was signed in with before opens nothing any more."""

        def renewed(session: Session) -> str:
            people.find_person(session, person_id)
            sessions.end_sessions_of(session, person_id)
            return codes.make_code(session, person_id=person_id, expires_at=expires_at)

        return self._write(renewed)

    def join(self, code: str, name: str | None) -> Joined:
        """Let somebody come in by a code: as who he is, or as a new learner of a group.

        Raises
        ------
        AuthenticationError
            If the code is not known.
        InputError
            If the code is a group's, and no name is given, or the group is full.
        """
        now = datetime.now(timezone.utc)
        admission = self.store.read(lambda session: codes.read_code(session, code, now))

        def joined(session: Session) -> Joined:
            back: str | None = None
            if admission.person_id is not None:
                person = people.find_person(session, admission.person_id)
            else:
                person = people.insert_person(session, people.LEARNER, name or "")
                people.add_member(session, str(admission.group_id), person.id)
                back = codes.make_code(session, person_id=person.id)
            return Joined(person, sessions.start_session(session, person, now), back)

        return self._write(joined)

    def session_of(self, token: str) -> SignedIn:
        """Who is signed in now by a token, or `AuthenticationError`."""
        return self.session(token, datetime.now(timezone.utc))

    def join_also(self, person_id: str, code: str) -> None:
        """Let a learner who is signed in join one more group.

        Raises
        ------
        AuthenticationError
            If the code is not known, or that of a person.
        """
        now = datetime.now(timezone.utc)
        admission = self.store.read(lambda session: codes.read_code(session, code, now))
        if admission.group_id is None:
            raise codes.unknown()
        group_id = admission.group_id
        self._write(lambda session: people.add_member(session, group_id, person_id))

    def erase(self, person_id: str, actor: str, role: str) -> Receipt:
        """Delete all that is kept of somebody; see `erasure.erase_person`."""
        receipt = self.store.free(
            lambda session: erasure.erase_person(session, person_id, actor, role)
        )
        self.store.forget()
        return receipt

    def _write(self, change: Callable[[Session], T]) -> T:
        with _told_of_changes():
            return self.store.write(change)


def in_days(days: float | None) -> datetime | None:
    """The moment so many days from now."""
    return None if days is None else datetime.now(timezone.utc) + timedelta(days=days)
