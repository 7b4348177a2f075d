"""What an index can judge of a text, a lexicon or an inventory, and what would close the gaps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from indexer.audit.coverage import AuditModel, CoverageReport, context_classes
from indexer.audit.script import MOST_LINES, Need, Script, greedy_script
from indexes.phone_index import PhoneIndex
from indexes.trust import MIN_COVERAGE
from speech.alignment import SILENCE
from speech.errors import InputError, NativeEarError
from speech.inventory import PhoneInventory
from speech.pronunciation import Pronouncer

Kind = Literal["text", "lexicon", "inventory"]

MIN_CONTEXT = 3
"""Exemplars of a phone in a context below which the context is thin."""

LEXICON_SUFFIXES = frozenset({".dict", ".lex", ".lexicon"})
INVENTORY_SUFFIXES = frozenset({".json", ".phones"})


class PhoneInContext(AuditModel):
    """A phone between a phone of the class `before` and one of the class `after`."""

    phone: str
    before: str
    after: str


class LineCoverage(AuditModel):
    """What an index can do with one sentence or word.

    Attributes
    ----------
    text
        The sentence or word.
    phones
        What ought to be heard.
    trust
        Mean trust of its phones, 0–1.
    judged_share
        Share of its phones that an assessment judges.
    uncertain
        Phones that it does not, each once.
    thin
        Phones in contexts of which the index has fewer than `MIN_CONTEXT` exemplars, each once.
    problem
        Why nothing can be said, if that is so; else empty.
    """

    text: str
    phones: tuple[str, ...] = ()
    trust: float | None = None
    judged_share: float | None = None
    uncertain: tuple[str, ...] = ()
    thin: tuple[PhoneInContext, ...] = ()
    problem: str = ""


class AgainstReport(AuditModel):
    """An index held against what somebody means to practise.

    Attributes
    ----------
    source, kind
        What it was held against.
    phones
        Phones that it needs, each once.
    missing, uncertain
        Those that the index does not hold, and those that it holds and does not judge.
    judged_share
        Share of the phones of all lines that are judged, phones counted as often as they occur; of
        an inventory, share of its phones.
    lines
        Every sentence or word; of an inventory there are none.
    contexts, thin_contexts
        Different phones in contexts that are needed, and how many of them are thin.
    script
        What a native should record next, chosen from the lines.
    """

    source: str
    kind: Kind
    phones: tuple[str, ...]
    missing: tuple[str, ...]
    uncertain: tuple[str, ...]
    judged_share: float
    lines: tuple[LineCoverage, ...]
    contexts: int
    thin_contexts: int
    script: Script


def against(
    index: PhoneIndex, report: CoverageReport, source: str, *, most_lines: int = MOST_LINES
) -> AgainstReport:
    """Hold an index against a text, a lexicon or an inventory.

    A file `.dict`, `.lex` or `.lexicon` is a lexicon: a word and its phones on each line. `.json`
    is an inventory as a manifest has it, `.phones` one label per line. Any other file is a text
    with a sentence per line, and what is no file is the language of an inventory that ships.

    Parameters
    ----------
    index
        An open index.
    report
        Its coverage.
    source
        A file, or the language of an inventory.
    most_lines
        Lines of the script at most.

    Raises
    ------
    InputError
        If the source cannot be read, or has nothing that can be pronounced.
    """
    path = Path(source).expanduser()
    if not path.is_file() and not PhoneInventory.ships(source):
        raise InputError(
            f"There is nothing called {source!r} to hold the index against.",
            cause="It is no file, and no inventory ships for a language of that name.",
            fix="Give a text with a sentence per line, a lexicon (.dict), or an inventory.",
        )
    if not path.is_file():
        return _against_inventory(report, source, PhoneInventory.load(source).symbols, index)
    suffix = path.suffix.lower()
    if suffix in INVENTORY_SUFFIXES:
        return _against_inventory(report, path.name, _labels(path), index)
    kind: Kind = "lexicon" if suffix in LEXICON_SUFFIXES else "text"
    lines = _words(path) if kind == "lexicon" else _read(path)
    pronouncer = Pronouncer(
        index.language,
        lexicon=path if kind == "lexicon" else index.lexicon,
        g2p=index.manifest.g2p,
        inventory=index.inventory,
    )
    known = _Known.of(index, report)
    said = [_line(pronouncer, known, text) for text in lines]
    if not any(line.phones for line in said):
        raise InputError(
            f"Nothing in {path} can be pronounced.",
            cause=next((line.problem for line in said), "It is empty."),
            fix="Give a text with a sentence per line.",
        )
    offers = [(line.text, _offers(line.phones, known.class_of)) for line in said if line.phones]
    wanted: Counter[Need] = Counter()
    for _, offer in offers:
        wanted.update(offer)
    phones = [need[0] for need in wanted if len(need) == 1]
    thin = [n for n in wanted if len(n) == 3 and known.contexts[n] < MIN_CONTEXT]
    needs: dict[Need, int] = {n: MIN_CONTEXT - known.contexts[n] for n in thin}
    needs |= {(p,): known.lacking(p) for p in phones}
    total = sum(wanted[(p,)] for p in phones)
    return AgainstReport(
        source=path.name,
        kind=kind,
        phones=_in_order(phones, index),
        missing=_in_order([p for p in phones if p in report.missing], index),
        uncertain=_in_order([p for p in phones if p in report.uncertain], index),
        judged_share=round(sum(wanted[(p,)] for p in phones if p in known.judged) / total, 4),
        lines=tuple(said),
        contexts=sum(len(need) == 3 for need in wanted),
        thin_contexts=len(thin),
        script=greedy_script(offers, needs, most=most_lines),
    )


@dataclass(frozen=True)
class _Known:
    """What the index holds, ready to be asked."""

    judged: frozenset[str]
    trust: dict[str, float]
    exemplars: dict[str, int]
    contexts: Counter[Need]
    class_of: dict[str, str]

    @classmethod
    def of(cls, index: PhoneIndex, report: CoverageReport) -> _Known:
        classes = report.context_classes
        return cls(
            judged=frozenset(p.phone for p in report.phones if p.judged),
            trust={p.phone: p.trust for p in report.phones},
            exemplars={p.phone: p.exemplars for p in report.phones},
            contexts=Counter(
                {
                    (phone.phone, classes[i], classes[j]): count
                    for phone in report.phones
                    for i, row in enumerate(phone.contexts)
                    for j, count in enumerate(row)
                    if count
                }
            ),
            class_of=context_classes(index.inventory),
        )

    def lacking(self, phone: str) -> int:
        """Exemplars that would make a phone judged; for one that is only misheard, a guess."""
        if phone in self.judged:
            return 0
        return max(MIN_COVERAGE - self.exemplars[phone], MIN_COVERAGE // 2)


def _line(pronouncer: Pronouncer, known: _Known, text: str) -> LineCoverage:
    try:
        phones = tuple(each.phone for each in pronouncer.pronounce(text).canonical())
    except NativeEarError as error:
        return LineCoverage(text=text, problem=error.message)
    thin = [n for n in _contexts(phones, known.class_of) if known.contexts[n] < MIN_CONTEXT]
    return LineCoverage(
        text=text,
        phones=phones,
        trust=round(sum(known.trust[p] for p in phones) / len(phones), 4),
        judged_share=round(sum(p in known.judged for p in phones) / len(phones), 4),
        uncertain=tuple(dict.fromkeys(p for p in phones if p not in known.judged)),
        thin=tuple(
            PhoneInContext(phone=phone, before=before, after=after)
            for phone, before, after in dict.fromkeys(thin)
        ),
    )


def _contexts(phones: Sequence[str], class_of: dict[str, str]) -> list[tuple[str, str, str]]:
    """Every phone between the classes of its neighbours; silence is around the whole."""
    around = [class_of[SILENCE], *(class_of[phone] for phone in phones), class_of[SILENCE]]
    return [(phone, around[i], around[i + 2]) for i, phone in enumerate(phones)]


def _offers(phones: Sequence[str], class_of: dict[str, str]) -> Counter[Need]:
    offers: Counter[Need] = Counter((phone,) for phone in phones)
    offers.update(_contexts(phones, class_of))
    return offers


def _against_inventory(
    report: CoverageReport, source: str, labels: Sequence[str], index: PhoneIndex
) -> AgainstReport:
    """Labels that the index's inventory does not know are missing, too."""
    phones: dict[str, None] = {}
    for label in labels:
        own = index.inventory.split(label) if index.inventory.knows(label) else (label,)
        phones.update(dict.fromkeys(own))
    held = {p.phone for p in report.phones if p.exemplars}
    judged = {p.phone for p in report.phones if p.judged}
    return AgainstReport(
        source=source,
        kind="inventory",
        phones=tuple(phones),
        missing=tuple(p for p in phones if p not in held),
        uncertain=tuple(p for p in phones if p in held and p not in judged),
        judged_share=round(sum(p in judged for p in phones) / len(phones), 4),
        lines=(),
        contexts=0,
        thin_contexts=0,
        script=Script(gaps=0, lines=()),
    )


def _in_order(phones: Sequence[str], index: PhoneIndex) -> tuple[str, ...]:
    wanted = set(phones)
    return tuple(phone for phone in index.inventory.symbols if phone in wanted)


def _read(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read.", cause=str(error), fix="Give a text file in UTF-8."
        ) from error
    lines = (line.strip() for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def _words(path: Path) -> list[str]:
    """Words of a lexicon in the form that `Pronouncer` reads, each once."""
    entries = (line for line in _read(path) if not line.startswith((";;;", "#")))
    return list(dict.fromkeys(re.sub(r"\(\d+\)$", "", line.split()[0]) for line in entries))


def _labels(path: Path) -> tuple[str, ...]:
    if path.suffix.lower() == ".json":
        import json

        try:
            found = PhoneInventory.from_json(json.loads("\n".join(_read(path))))
        except (ValueError, TypeError) as error:
            raise InputError(f"{path} is no inventory.", cause=str(error)) from error
        labels = found.symbols
    else:
        labels = tuple(label for line in _read(path) for label in line.split())
    if not labels:
        raise InputError(f"{path} names no phone.", fix="Give one label per line.")
    return labels
