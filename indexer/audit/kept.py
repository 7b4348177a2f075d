"""An audit beside the exemplars that it is of: `audit.json`."""

from __future__ import annotations

from pathlib import Path

from nativeear.indexer.audit.report import AuditReport
from nativeear.indexes.index_files import AUDIT
from nativeear.indexes.locking import writing
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import seal, staged, sync, take_over_all
from nativeear.indexes.versions import swap
from nativeear.speech.errors import InputError


def keep_audit(index: PhoneIndex, report: AuditReport) -> Path:
    """Put an audit into the folder of the index, as a file that its manifest names.

    The exemplars and the revision stay as they are, and the exchange is at one instant. Whatever
    changes the exemplars leaves the audit behind, so that an index never holds another's.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the index was changed while it was audited, or its folder cannot be written.
    """
    path = index.path.resolve()
    with writing(path, f"nativeear index audit {path.name} --keep"):
        manifest = PhoneIndex.open(path).manifest
        if manifest.revision != index.manifest.revision:
            raise InputError(
                f"The index {path.name} was changed while it was audited.", fix="Audit it again."
            )
        with staged(path) as stage:
            unchanged = take_over_all(path, stage, manifest, without={AUDIT})
            (stage / AUDIT).write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
            seal(stage, manifest, unchanged)
            swap(stage, path)  # what was there goes with the stage; older versions stay
            sync(path.parent)
    return path / AUDIT
