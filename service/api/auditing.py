"""What is written down of who read, exported or deleted what."""

from __future__ import annotations

from collections.abc import Iterable

from nativeear.service.api.authentication import Caller
from nativeear.service.api.state import Service
from nativeear.service.database.audit_log import NewEntry


def note(
    service: Service,
    caller: Caller,
    action: str,
    what: str,
    *,
    subject: str | None = None,
    detail: str = "",
) -> None:
    """Write down what somebody did; nothing where the service is open and nobody is known."""
    if not caller.is_open:
        entry = NewEntry(caller.key_id, caller.role, action, what, subject, detail)
        service.people.note([entry])


def note_reading(service: Service, caller: Caller, what: str, owners: Iterable[str | None]) -> None:
    """Write down that somebody read what others stored, for each of them; his own is no matter."""
    if caller.is_open:
        return
    others = sorted({owner or "" for owner in owners} - {caller.key_id})
    entries = [
        NewEntry(caller.key_id, caller.role, "read", what, other or None) for other in others
    ]
    if entries:
        service.people.note(entries)
