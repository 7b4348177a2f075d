"""Builds and changes that are killed: does what is resumed become what an unbroken one makes?

    python -m benchmarks.crashes [--kills 20] [--changes] [--corpus asterisk:it] [--lang it-IT]
                                 [--aligner flatstart] [--encoder default] [--workers 1]
                                 [--utterances 80]

The product's own command builds an index once without a break. Then it is started again and again
with `--resume`, in the same place, and killed with all its processes (SIGKILL: nothing can be
tidied up) at instants drawn evenly over the time that the unbroken build took; where a build is
done before its instant comes, its files are compared, and the next one begins afresh. After the
last kill one more build runs to its end. Every file has to have the bytes of the unbroken build's,
the manifest as well.

With `--changes`, an index of the first half of the utterances is built once; then the second half
is added, and an utterance removed, in turn, and each is killed once and run again. After a kill
every file has to be that of before or that of after, and after the second run that of after.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reporting import options_of, show
from benchmarks.speech_data import write_table
from nativeear.indexer.corpus import Utterance, read_corpus
from tests.support.killing import SEED, ChangeOutcome, crash_builds, crash_changes


def main() -> None:
    """Kill, resume, compare and print."""
    parser = options_of(__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--changes", action="store_true", help="of an index, instead of builds")
    parser.add_argument("--corpus", default="asterisk:it")
    parser.add_argument("--lang", default="it-IT")
    parser.add_argument("--aligner", default="flatstart")
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--utterances", type=int, help="only the first of the corpus")
    options = parser.parse_args()
    build = []
    for name in ("lang", "aligner", "encoder", "workers"):
        build += [f"--{name}", str(getattr(options, name))]
    with tempfile.TemporaryDirectory() as folder:
        corpus = options.corpus
        if options.utterances is not None:
            whole = read_corpus(corpus, language=options.lang).utterances
            corpus = str(write_table(Path(folder) / "some.csv", whole[: options.utterances]))
        if options.changes:
            whole = read_corpus(corpus, language=options.lang).utterances
            show_changes(halves(build, whole, Path(folder), options.kills))
            return
        outcome = crash_builds([*build, "--corpus", corpus], Path(folder), options.kills)
    rows = [
        (number, f"{crash.after_s:.1f} s", crash.reached, crash.finished_before)
        for number, crash in enumerate(outcome.crashes, start=1)
    ]
    title = f"{options.corpus}, {options.aligner}: {options.kills} kills; seed {SEED}"
    show(title, ("kill", "after", "had reached", "builds finished before"), rows)
    equal = "the same bytes" if not outcome.differing else ", ".join(outcome.differing) + " differ"
    print(f"{outcome.finished} finished builds against the unbroken one: {equal}")
    print(f"left beside the index: {', '.join(outcome.left_over) or 'nothing'}")


def halves(
    build: Sequence[str], utterances: Sequence[Utterance], folder: Path, kills: int
) -> ChangeOutcome:
    """Build of one half, add the other, remove an utterance."""
    middle = len(utterances) // 2
    first = write_table(folder / "first.csv", utterances[:middle])
    second = write_table(folder / "second.csv", utterances[middle:])
    changes = [["add", "--corpus", str(second)], ["remove", "--utterance", utterances[0].id]]
    return crash_changes([*build, "--corpus", str(first)], changes, folder, kills)


def show_changes(outcome: ChangeOutcome) -> None:
    """Print what was found after each kill."""
    rows = [
        (command, state or "neither", count) for (command, state), count in outcome.kills.items()
    ]
    show("", ("command", "after the kill", "kills"), rows)
    print("\n".join(outcome.wrong) or "all ended as an unbroken change does")


if __name__ == "__main__":
    main()
