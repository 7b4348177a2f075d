"""What an index can judge of a text, a lexicon or an inventory, and what would close the gaps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from nativeear.indexer.audit.coverage import AuditModel, CoverageReport
from nativeear.indexer.audit.needs import IndexContents, Need, contexts_of
from nativeear.indexer.audit.script import Script, greedy_script
from nativeear.indexer.audit.tables import is_of_sounds, is_table, sounds_of, words_by_level
from nativeear.indexer.audit.vocabulary import lexicon_words, read_lines
from nativeear.indexer.readers.lines import read_text
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.errors import InputError, NativeEarError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.pronunciation import Pronouncer

Kind = Literal["text", "lexicon", "words", "inventory"]

LEXICON_SUFFIXES = frozenset({".dict", ".lex", ".lexicon"})
INVENTORY_SUFFIXES = frozenset({".json", ".phones"})


class PhoneInContext(AuditModel):
    """A phone between a phone of the class `before` and one of the class `after`."""

    phone: str
    before: str
    after: str


class LineCoverage(AuditModel):
    """What an index can do with one sentence or word."""

    text: str  # the sentence or word
    level: str = ""  # that a list of words gives it
    phones: tuple[str, ...] = ()  # what ought to be heard
    reliability: float | None = None  # mean reliability of its phones, 0–1
    judged_share: float | None = None  # share of its phones that an assessment judges
    uncertain: tuple[str, ...] = ()  # phones that it does not, each once
    # Phones in contexts of which the index has fewer than `MIN_CONTEXT` exemplars, each once.
    thin: tuple[PhoneInContext, ...] = ()
    problem: str = ""  # why nothing can be said, if that is so; else empty


class LevelCoverage(AuditModel):
    """What an index can do with the words of one level."""

    level: str  # as the list writes it
    words: int  # that can be pronounced
    judged_share: float  # share of their phones that an assessment judges
    whole: int  # words all of whose phones are judged
    contexts: int  # different phones in contexts of these words
    thin_contexts: int  # and how many of them are thin


class AgainstReport(AuditModel):
    """An index held against what somebody means to practise."""

    # What it was held against.
    source: str
    kind: Kind
    phones: tuple[str, ...]  # phones that it needs, each once
    # Those that the index does not hold, and those that it holds and does not judge.
    missing: tuple[str, ...]
    uncertain: tuple[str, ...]
    # Share of the phones of all lines that are judged, phones counted as often as they occur; of an
    # inventory, share of its phones.
    judged_share: float
    levels: tuple[LevelCoverage, ...] = ()  # of a list that has levels, in their order
    lines: tuple[LineCoverage, ...]  # every sentence or word; of an inventory there are none
    # Different phones in contexts that are needed, and how many of them are thin.
    contexts: int
    thin_contexts: int
    script: Script  # what a native should record next, chosen from the lines


def against(index: PhoneIndex, report: CoverageReport, source: str) -> AgainstReport:
    """Hold an index against a text, a lexicon or an inventory.

    A file `.dict`, `.lex` or `.lexicon` is a lexicon: a word and its phones on each line. `.json`
    is an inventory as a manifest has it, `.phones` one label per line. `.csv` or `.tsv` is a list
    of words, by level if it has them, or with `FILE.csv:CODE` a language of PHOIBLE's table. Any
    other file is a text with a sentence per line, and what is no file is the language of an
    inventory that ships. It has to be a language of the index: what two languages write alike is
    not said alike.

    Parameters
    ----------
    source
        A file, or the language of an inventory.

    Raises
    ------
    InputError
        If the source cannot be read, has nothing that can be pronounced, or is the inventory of
        another language.
    """
    path = Path(source).expanduser()
    if is_table(source) and is_of_sounds(source):
        sounds = sounds_of(source, index.inventory)
        return _against_inventory(report, path.name, sounds, index)
    if not path.is_file() and not PhoneInventory.ships(source):
        raise InputError(
            f"There is nothing called {source!r} to hold the index against.",
            cause="It is no file, and no inventory ships for a language of that name.",
            fix="Give a text with a sentence per line, a lexicon (.dict), or an inventory.",
        )
    if not path.is_file():
        _refuse_another_language(index, source, source)
        return _against_inventory(report, source, PhoneInventory.load(source).symbols, index)
    suffix = path.suffix.lower()
    if suffix in INVENTORY_SUFFIXES:
        return _against_inventory(report, path.name, _labels(path, index), index)
    kind: Kind = "lexicon" if suffix in LEXICON_SUFFIXES else "text"
    levels = dict.fromkeys(lexicon_words(path) if kind == "lexicon" else read_lines(path), "")
    if is_table(source):
        kind, levels = "words", words_by_level(source)
    pronouncer = Pronouncer(
        index.language,
        lexicon=path if kind == "lexicon" else index.lexicon,
        g2p=index.manifest.g2p,
        inventory=index.inventory,
    )
    held = IndexContents.of(report, index.inventory)
    coverages = [_line(pronouncer, held, text, level) for text, level in levels.items()]
    if not any(line.phones for line in coverages):
        raise InputError(
            f"Nothing in {path} can be pronounced.",
            cause=next((line.problem for line in coverages), "It is empty."),
            fix="Give a text with a sentence per line.",
        )
    offers = [(line.text, held.offers(line.phones)) for line in coverages if line.phones]
    wanted: Counter[Need] = Counter()
    for _, offer in offers:
        wanted.update(offer)
    phones = [need[0] for need in wanted if len(need) == 1]
    total = sum(wanted[(p,)] for p in phones)
    return AgainstReport(
        source=path.name,
        kind=kind,
        phones=_in_order(phones, index),
        missing=_in_order([p for p in phones if p in report.missing], index),
        uncertain=_in_order([p for p in phones if p in report.uncertain], index),
        judged_share=round(sum(wanted[(p,)] for p in phones if p in held.judged) / total, 4),
        levels=_levels(coverages, held),
        lines=tuple(coverages),
        contexts=sum(len(need) == 3 for need in wanted),
        thin_contexts=sum(len(need) == 3 and held.is_thin(need) for need in wanted),
        script=greedy_script(offers, held.lacking(wanted)),
    )


def _line(pronouncer: Pronouncer, held: IndexContents, text: str, level: str) -> LineCoverage:
    try:
        phones = tuple(each.phone for each in pronouncer.pronounce(text).canonical())
    except NativeEarError as error:
        return LineCoverage(text=text, level=level, problem=error.message)
    thin = [each for each in contexts_of(phones, held.class_of) if held.is_thin(each)]
    return LineCoverage(
        text=text,
        level=level,
        phones=phones,
        reliability=round(sum(held.reliability[p] for p in phones) / len(phones), 4),
        judged_share=round(sum(p in held.judged for p in phones) / len(phones), 4),
        uncertain=tuple(dict.fromkeys(p for p in phones if p not in held.judged)),
        thin=tuple(
            PhoneInContext(phone=phone, before=before, after=after)
            for phone, before, after in dict.fromkeys(thin)
        ),
    )


def _levels(lines: Sequence[LineCoverage], held: IndexContents) -> tuple[LevelCoverage, ...]:
    """What can be done with the words of each level, if there are levels."""
    found = []
    for level in sorted({line.level for line in lines if line.level}):
        own = [line for line in lines if line.level == level and line.phones]
        phones = [phone for line in own for phone in line.phones]
        contexts = {each for line in own for each in contexts_of(line.phones, held.class_of)}
        found.append(
            LevelCoverage(
                level=level,
                words=len(own),
                judged_share=round(sum(p in held.judged for p in phones) / max(1, len(phones)), 4),
                whole=sum(not line.uncertain for line in own),
                contexts=len(contexts),
                thin_contexts=sum(held.is_thin(each) for each in contexts),
            )
        )
    return tuple(found)


def _refuse_another_language(index: PhoneIndex, language: str, source: str) -> None:
    if primary_subtag(language) == primary_subtag(index.language):
        return
    raise InputError(
        f"{source} is of the language {language}, and the index is of {index.language}.",
        cause="Natives of one language are no measure for another: what both write alike is said "
        "in two ways.",
        fix=f"Give a text, a lexicon or phones of {index.language}, or audit an index of "
        f"{language}.",
    )


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


def _labels(path: Path, index: PhoneIndex) -> tuple[str, ...]:
    if path.suffix.lower() == ".json":
        try:
            found = PhoneInventory.from_json(json.loads(read_text(path)))
        except (ValueError, TypeError) as error:
            raise InputError(f"{path} is no inventory.", cause=str(error)) from error
        _refuse_another_language(index, found.language, path.name)
        labels = found.symbols
    else:
        labels = tuple(label for line in read_lines(path) for label in line.split())
    if not labels:
        raise InputError(f"{path} names no phone.", fix="Give one label per line.")
    return labels
