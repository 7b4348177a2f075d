"""An audit held against an earlier one, or against that of another index."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from nativeear.indexer.audit.report import AuditReport, audit
from nativeear.indexer.audit.since import PhoneSince, Since
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.errors import InputError

LEAST = 0.005
"""Change of an error or a reliability below which a phone stays as it was."""


def since(before: AuditReport, now: AuditReport) -> Since:
    """Hold two audits of one language against each other."""
    old, new = ({p.phone: p for p in each.coverage.phones} for each in (before, now))
    errors = [{p.phone: p.expected.error for p in each.phones} for each in (before, now)]
    phones = [
        PhoneSince(
            phone=phone,
            exemplars=(old[phone].exemplars, new[phone].exemplars),
            reliability=(old[phone].reliability, new[phone].reliability),
            error=(errors[0].get(phone), errors[1].get(phone)),
            judged=(old[phone].judged, new[phone].judged),
        )
        for phone in new
        if phone in old
    ]
    return Since(
        index=before.coverage.index,
        revision=before.coverage.revision,
        accuracy=(before.accuracy, now.accuracy),
        judged_share=(before.coverage.judged_share, now.coverage.judged_share),
        expected=(before.voices.expected, now.voices.expected),
        phones=tuple(
            sorted(
                filter(_changed, phones),
                key=lambda p: (-abs(p.reliability[1] - p.reliability[0]), p.phone),
            )
        ),
    )


def audit_before(given: str) -> AuditReport:
    """An earlier audit: a file that `--json` printed or `--keep` kept, or an index, audited now.

    Raises
    ------
    InputError
        If it is neither.
    """
    path = Path(given)
    if not path.is_file():
        return audit(PhoneIndex.open(find_index(given)))
    try:
        return AuditReport.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise InputError(
            f"{given} is no audit of this release.",
            cause=str(error).splitlines()[0],
            fix="Name an index, or a file that `nativeear index audit NAME --json` printed.",
        ) from error


def _changed(phone: PhoneSince) -> bool:
    if phone.judged[0] != phone.judged[1]:
        return True
    pairs = [phone.reliability]
    if phone.error[0] is not None and phone.error[1] is not None:
        pairs.append((phone.error[0], phone.error[1]))
    return any(abs(one - other) >= LEAST for one, other in pairs)
