# Written by packages/client/asynchronous.py: change the module that blocks, and run it.
"""What a service can be asked about people: by whoever has come in by a code, or by an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import TypeVar

from nativeear.service.api.people_models import (
    AuditItem,
    AuditList,
    Code,
    CommentItem,
    CommentList,
    Disclosure,
    GroupItem,
    GroupList,
    Joined,
    Me,
    PersonItem,
    PersonList,
    PersonMade,
    ReceiptAnswer,
)
from nativeear.service.api.teaching_models import (
    HomeworkItem,
    HomeworkList,
    LabelItem,
    LabelList,
    MemberItem,
    MemberList,
    SetItem,
    SetList,
)
from nativeear.service.client.asynchronous.connection import AsyncConnection
from nativeear.service.client.connection import path_of

_Answer = TypeVar("_Answer")


class AsyncPeopleOfService:
    """The people of a service; each method may raise `ProblemError`. See `Client.people`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def join(self, code: str, name: str | None = None) -> Joined:
        """Come in by a code; a group's goes with a name, and the answer has a code of one's own.

        From then on the client asks as that person.
        """
        joined = await self._post(Joined, "join", code=code, name=name)
        self._connection.sign_in(joined.csrf or "")
        return joined

    async def me(self) -> Me:
        """Who asks, and what he may ask for."""
        return await self._connection.read(Me, path_of("me"))

    async def sign_out(self) -> None:
        """End the session."""
        await self._connection.ask("POST", path_of("me", "sign-out"))

    async def export(self, id: str | None = None) -> bytes:
        """All that is kept of oneself, or of somebody, as a zip."""
        path = path_of("me", "export") if id is None else path_of("people", id, "export")
        return (await self._connection.ask("GET", path)).content

    async def erase(self, id: str | None = None) -> ReceiptAnswer:
        """Delete all that is kept of oneself, or of somebody, for good."""
        path = path_of("me") if id is None else path_of("people", id)
        answer = await self._connection.ask("DELETE", path)
        return ReceiptAnswer.model_validate_json(answer.content)

    async def receipt(self, id: str) -> ReceiptAnswer:
        """The receipt of an erasure."""
        return await self._connection.read(ReceiptAnswer, path_of("receipts", id))

    async def list(self) -> tuple[PersonItem, ...]:
        """The learners of a teacher; everybody for an operator."""
        return (await self._connection.read(PersonList, path_of("people"))).items

    async def create(
        self, role: str, name: str, *, group: str | None = None, valid_days: float | None = None
    ) -> PersonMade:
        """Make a teacher or an operator, or a learner of a group of one's own."""
        sent = {"role": role, "name": name, "group": group, "valid_days": valid_days}
        return await self._post(PersonMade, "people", **sent)

    async def renew_code(self, id: str, *, valid_days: float | None = None) -> Code:
        """Give somebody a new code in the place of a lost one."""
        return await self._post(Code, "people", id, "code", valid_days=valid_days)

    async def groups(self) -> tuple[GroupItem, ...]:
        """The groups that one teaches or is in; all of them for an operator."""
        return (await self._connection.read(GroupList, path_of("groups"))).items

    async def create_group(self, name: str) -> GroupItem:
        """Make a group."""
        return await self._post(GroupItem, "groups", name=name)

    async def group_code(self, group: str, *, valid_days: float | None = None) -> Code:
        """A new code by which learners join a group."""
        return await self._post(Code, "groups", group, "code", valid_days=valid_days)

    async def end_group_code(self, group: str) -> None:
        """Let nobody join any more; who is in the group stays."""
        await self._connection.ask("DELETE", path_of("groups", group, "code"))

    async def join_group(self, code: str) -> Me:
        """Be in one more group, by its code."""
        return await self._post(Me, "me", "groups", code=code)

    async def delete_group(self, group: str) -> None:
        """Delete a group; what was said in it stays its learners'."""
        await self._connection.ask("DELETE", path_of("groups", group))

    async def remove_member(self, group: str, person: str) -> None:
        """Take a learner out of a group, or leave it."""
        await self._connection.ask("DELETE", path_of("groups", group, "members", person))

    async def comments(self, assessment: str) -> tuple[CommentItem, ...]:
        """What was said of an assessment."""
        return (
            await self._connection.read(CommentList, path_of("assessments", assessment, "comments"))
        ).items

    async def comment(self, assessment: str, text: str) -> CommentItem:
        """Say something of an assessment."""
        return await self._post(CommentItem, "assessments", assessment, "comments", text=text)

    async def delete_comment(self, assessment: str, comment: str) -> None:
        """Take back a comment of one's own."""
        await self._connection.ask(
            "DELETE", path_of("assessments", assessment, "comments", comment)
        )

    async def labels(self, assessment: str) -> tuple[LabelItem, ...]:
        """What a teacher heard of the phones of an assessment."""
        path = path_of("assessments", assessment, "labels")
        return (await self._connection.read(LabelList, path)).items

    async def put_labels(
        self, assessment: str, labels: Sequence[Mapping[str, object]]
    ) -> tuple[LabelItem, ...]:
        """Tell what was heard, in the place of what was told before.

        Each label has a `position`, a `verdict` and, if told, the phone that was `heard`.
        """
        path = path_of("assessments", assessment, "labels")
        sent = {"labels": list(labels)}
        return (await self._connection.read(LabelList, path, method="PUT", json=sent)).items

    async def export_labels(self) -> bytes:
        """Every labelled recording, as a zip that `nativeear eval manifest` reads."""
        return (await self._connection.ask("GET", path_of("labels", "export"))).content

    async def sets(self) -> tuple[SetItem, ...]:
        """The sentences that one wrote as a teacher."""
        return (await self._connection.read(SetList, path_of("sets"))).items

    async def create_set(self, title: str, language: str, sentences: Sequence[str]) -> SetItem:
        """Keep sentences under a title."""
        sent = {"title": title, "language": language, "sentences": list(sentences)}
        return await self._post(SetItem, "sets", **sent)

    async def change_set(
        self, id: str, title: str, language: str, sentences: Sequence[str]
    ) -> SetItem:
        """Put something else in the place of a set."""
        sent = {"title": title, "language": language, "sentences": list(sentences)}
        return await self._connection.read(SetItem, path_of("sets", id), method="PUT", json=sent)

    async def delete_set(self, id: str) -> None:
        """Delete a set with its homework."""
        await self._connection.ask("DELETE", path_of("sets", id))

    async def homework(self) -> tuple[HomeworkItem, ...]:
        """What one is to say and has said, or the groups that one teaches."""
        return (await self._connection.read(HomeworkList, path_of("homework"))).items

    async def set_homework(self, group: str, set: str, due: date | None = None) -> HomeworkItem:
        """Let a group say a set by a day."""
        sent = {"set": set, "due": None if due is None else due.isoformat()}
        return await self._post(HomeworkItem, "groups", group, "homework", **sent)

    async def delete_homework(self, group: str, homework: str) -> None:
        """Take homework back."""
        await self._connection.ask("DELETE", path_of("groups", group, "homework", homework))

    async def members(self, group: str) -> tuple[MemberItem, ...]:
        """The learners of a group, and how each gets on."""
        return (await self._connection.read(MemberList, path_of("groups", group, "members"))).items

    async def disclose(self, reason: str, minutes: int = 60) -> Disclosure:
        """Ask, as an operator, to see what people say; it is written down."""
        return await self._post(Disclosure, "disclosure", reason=reason, minutes=minutes)

    async def end_disclosure(self) -> None:
        """See no longer what people say."""
        await self._connection.ask("DELETE", path_of("disclosure"))

    async def audit(
        self, *, about: str | None = None, action: str | None = None, page: int = 50
    ) -> AsyncIterator[AuditItem]:
        """Who did what, the newest first; fetched `page` at a time."""
        wanted = {"about": about, "action": action, "limit": str(page)}
        after: str | None = None
        while True:
            params = {**wanted, "after": after}
            found = await self._connection.read(AuditList, path_of("audit"), params=params)
            for item in found.items:
                yield item
            if found.next is None:
                return
            after = found.next

    async def _post(self, kind: type[_Answer], *path: str, **body: object) -> _Answer:
        return await self._connection.read(kind, path_of(*path), method="POST", json=body)
