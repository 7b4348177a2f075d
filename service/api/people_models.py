"""Requests and responses about people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from nativeear.service.api.models import Answer, Asked, PathName, Plain, Visible

PersonName = Annotated[PathName, Field(max_length=100), Visible]
Days = Annotated[float, Field(gt=0, le=3650)]

_Role = Literal["operator", "teacher", "learner"]


class JoinRequest(Asked):
    """A code; that of a group goes with the name of who joins."""

    code: Annotated[str, Field(min_length=1, max_length=64), Plain]
    name: PersonName | None = None


class GroupCode(Asked):
    """The code of a group."""

    code: Annotated[str, Field(min_length=1, max_length=64), Plain]


class GroupItem(Answer):
    """A group; `id` is what assessments and summaries call it."""

    id: str
    name: str
    created_at: datetime
    members: int


class GroupList(Answer):
    """Groups, the oldest first."""

    items: tuple[GroupItem, ...]
    next: None = None


class Me(Answer):
    """Who asks, and what he may ask for."""

    role: Literal["operator", "teacher", "learner", "program", "open"] = Field(
        description="`program` with a key; `open` where nobody has to sign in."
    )
    id: str | None = None
    name: str | None = None
    scopes: tuple[str, ...] = ()
    groups: tuple[GroupItem, ...] = Field((), description="Those he is in, or teaches.")
    csrf: str | None = Field(None, description="To be sent in X-CSRF-Token with every change.")
    expires_at: datetime | None = Field(None, description="Until when he is signed in.")
    disclosed_until: datetime | None = Field(
        None, description="Until when an operator sees what people say."
    )
    second_ear: str | None = Field(
        None, description="Where recordings are sent to be heard by another model, too."
    )
    language_use: str | None = Field(
        None, description="Where the recognised words of free speech are sent, to a language model."
    )


class Joined(Me):
    """Somebody who has come in; `code` lets a new learner come back, and is told this once."""

    code: str | None = None


class PersonItem(Answer):
    """Somebody with a role."""

    id: str
    role: _Role
    name: str
    created_at: datetime


class PersonList(Answer):
    """People by name."""

    items: tuple[PersonItem, ...]
    next: None = None


class NewPerson(Asked):
    """Somebody to be made: by an operator, or a learner of a group by its teacher."""

    role: _Role
    name: PersonName
    group: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    valid_days: Days | None = Field(None, description="How long the code opens; for ever if null.")


class Code(Answer):
    """A code, told this once: typed in on the page, or as a link `…/#join=CODE`."""

    code: str
    expires_at: datetime | None = None


class PersonMade(Answer):
    """Somebody who was made, and the code by which he comes in."""

    person: PersonItem
    code: Code


class CodeRequest(Asked):
    """A new code in the place of the one before."""

    valid_days: Days | None = Field(None, description="How long it opens; for ever if null.")


class NewGroup(Asked):
    """A group to be made."""

    name: PersonName


class CommentRequest(Asked):
    """Something to be said of an assessment."""

    text: Annotated[str, Field(min_length=1, max_length=2000), Plain, Visible]


class CommentItem(Answer):
    """What a teacher says of an assessment."""

    id: str
    author_id: str
    author: str
    text: str
    created_at: datetime


class CommentList(Answer):
    """Comments, the oldest first."""

    items: tuple[CommentItem, ...]
    next: None = None


class DisclosureRequest(Asked):
    """Why an operator wants to see what people say, and for how long."""

    reason: Annotated[str, Field(min_length=3, max_length=500), Plain, Visible]
    minutes: int = Field(60, ge=1, le=240)


class Disclosure(Answer):
    """Until when an operator sees what people say."""

    until: datetime


class AuditItem(Answer):
    """Who did what to whose data: ids of people and keys."""

    id: str
    at: datetime
    actor: str
    role: str
    action: str
    what: str
    subject: str | None
    detail: str


class AuditList(Answer):
    """A page of the log, the newest first; `next` is the `after` of the next page."""

    items: tuple[AuditItem, ...]
    next: str | None = None


class ReceiptAnswer(Answer):
    """That somebody's data were erased: SHA-256 of his id, and how many rows of what."""

    id: str
    at: datetime
    actor: str
    subject_sha256: str
    deleted: Mapping[str, int]
