"""What commands print of a change to an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nativeear.service.index_size import size_in_words

if TYPE_CHECKING:
    from nativeear.indexer.changes import ChangeReport
    from nativeear.indexer.thinning import ThinReport

MAX_REASONS = 10


def print_thinning(report: ThinReport) -> None:
    """Tell what went, and why."""
    print_change(report.change)
    print(
        f"Gone: {len(report.outliers)} that seemed mislabelled, and {report.thinned:,} for which "
        "others stand."
    )
    for outlier in report.outliers[:MAX_REASONS]:
        print(
            f"  {outlier.phone} in {outlier.word!r} of {outlier.utterance}, at "
            f"{outlier.start_s:.2f} s: nearer to {outlier.heard}"
        )
    if len(report.outliers) > MAX_REASONS:
        print(f"  … and {len(report.outliers) - MAX_REASONS} more: see --json")


def print_change(report: ChangeReport, parts: int = 0) -> None:
    """Tell what came of a change, or of merging `parts` indexes."""
    from nativeear.scoring.reliability import usefulness

    now = (
        f"{size_in_words(report.exemplars, report.silences)} from {report.utterances:,} utterances"
    )
    before = (
        f"{size_in_words(report.exemplars_before, report.silences_before)} from "
        f"{report.utterances_before:,}"
    )
    print(
        f"Merged {parts} indexes into {report.path}: {now} (in the parts: {before}), in "
        f"{report.seconds:.0f} s."
        if parts
        else f"{report.path} is now version {report.revision}: {now} (before: {before}), in "
        f"{report.seconds:.0f} s."
    )
    if report.refitted:
        print(
            "Transform and decision were fitted anew: of left-out native phones, "
            f"{report.native_accuracy:.1%} are nearest to their own. "
            f"{usefulness(report.native_accuracy)}"
        )
    else:
        print("Transform and decision stay: the index keeps no embeddings to fit them on.")
    if report.cells_left:
        print("It is searched exactly again: run `nativeear index optimize` for new cells.")
    for sentence in report.one_build:
        print(f"One build from all of the speech would differ. {sentence}")
    print_dropped(report.dropped)
    print_set_aside(report.set_aside, f"`nativeear index show {report.path} --set-aside`")


def print_dropped(dropped: tuple[int, ...]) -> None:
    """Say which older versions a change removed."""
    if dropped:
        print(f"No longer kept, see --keep: version {', '.join(map(str, dropped))}.")


def print_set_aside(set_aside: tuple[tuple[str, str], ...], rest: str) -> None:
    """List what could not be used, and why; `rest` is how to see all of it."""
    if set_aside:
        print(f"Set aside: {len(set_aside)}")
    for id, reason in set_aside[:MAX_REASONS]:
        print(f"  {id}: {reason}")
    if len(set_aside) > MAX_REASONS:
        print(f"  … and {len(set_aside) - MAX_REASONS} more: see {rest}")
