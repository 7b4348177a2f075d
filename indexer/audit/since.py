"""What has become of an index since an earlier audit, or beside another index."""

from __future__ import annotations

from nativeear.indexer.audit.coverage import AuditModel


class PhoneSince(AuditModel):
    """One phone before and now; None where it was not held."""

    phone: str
    exemplars: tuple[int, int]
    reliability: tuple[float, float]
    error: tuple[float | None, float | None]
    judged: tuple[bool, bool]


class Since(AuditModel):
    """An earlier audit beside this one."""

    index: str  # what it was of, and which version
    revision: int
    accuracy: tuple[float, float]
    judged_share: tuple[float, float]
    expected: tuple[tuple[float, float], tuple[float, float]]  # false rejections of new voices
    # Phones that changed, those first whose reliability did most.
    phones: tuple[PhoneSince, ...]
