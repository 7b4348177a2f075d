"""Does the audit predict? Its expected errors against those of natives the index never heard.

    python -m benchmarks.audit [--corpus FOLDER|asterisk:LANG] [--language TAG] [--seed 0]

Natives are pooled once, with the product's own stages. Where a corpus has several speakers, each in
turn is left out of an index of all others; of one speaker, every fifth prompt in turn. The audit of
that index tells, phone by phone, which share of unheard natives will be nearer to another phone and
which share will be flagged at the 4 % setting; the left-out natives then tell what it is. The same
is done with indexes of ever fewer utterances. By default the corpus is the development speech under
`../shared/data`, six speakers who read the same sentences.

"Phones, mean over indexes" flatters: whoever is left out of one index is in the others. "Phones in
one index" does not, yet one speaker is a noisy measure. So the shipped index is asked as well,
before anything is built: what half of its speakers let the audit expect, against the margins that
the other half had while left out; and the same with halves of its utterances, which shows how much
of the rest is mere chance.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.reporting import options_of, show
from benchmarks.speech_data import CACHE, DATA, ROOT
from nativeear.indexer.assembly import IndexSettings, publish_new
from nativeear.indexer.audit.expected import FALSE_REJECTIONS, expectations
from nativeear.indexer.columns import with_margins
from nativeear.indexer.corpus import Corpus, Utterance, read_corpus
from nativeear.indexer.fitting import fit_from_speech, has_to_learn
from nativeear.indexer.pool import Record
from nativeear.indexer.pooled_utterance import PooledUtterance, record_name
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler, pool_into
from nativeear.indexer.worker_pool import start_workers
from nativeear.indexes.catalogue import DEFAULT_INDEX, find_index
from nativeear.indexes.index_files import ALIGNER
from nativeear.indexes.manifest import EncoderIdentity
from nativeear.indexes.native_margins import NativeMargins, evidence_sums
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.similarity import class_similarities, margins
from nativeear.indexes.unheard import holds_many_voices, native_sums
from nativeear.scoring.metrics import pearson, ranks
from nativeear.speech.alignment import SILENCE

SPLITS = 10
"""Times that the shipped index is halved."""

SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Shares of the utterances that subsampled indexes are built from."""

PROMPT_FOLDS = 5
LEAST_MEASURED = 30
"""Left-out natives of a phone without which nothing was measured."""


@dataclass(frozen=True)
class Point:
    """A phone in one index: what the audit expected, and what was measured of how many natives."""

    fold: int
    share: float
    phone: str
    exemplars: int
    natives: int
    expected_error: float
    error: float
    expected_rejections: float
    rejections: float


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--corpus", default=str(DATA / "native-english"))
    parser.add_argument("--language", default="en-US")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shipped-only", action="store_true", help="build nothing")
    options = parser.parse_args()
    for column in ("speaker", "utterance"):
        _print_halves(PhoneIndex.open(find_index(DEFAULT_INDEX)), column, options.seed)
    if options.shipped_only:
        return
    if options.corpus == str(DATA / "native-english") and not Path(options.corpus).is_dir():
        sys.exit(f"There is no {DATA.relative_to(ROOT.parent)}/native-english: give --corpus.")
    corpus = read_corpus(options.corpus, language=options.language)
    records, settings = _pooled(corpus, options.language)
    points: list[Point] = []
    for fold, (inside, outside) in enumerate(_folds(records)):
        rng = np.random.default_rng(options.seed + fold)
        order = rng.permutation(len(inside))
        for share in SHARES:
            kept = [inside[i] for i in np.sort(order[: max(2, round(share * len(inside)))])]
            points += _points(kept, outside, settings, fold, share)
            print(f"fold {fold}, {len(kept)} utterances", file=sys.stderr)
    _print(points, f"{corpus.name}: {len(records)} utterances; seed {options.seed}")


def _pooled(corpus: Corpus, language: str) -> tuple[list[Record], IndexSettings]:
    """Records of all usable utterances, kept under `.work/`, and what an index of them is."""
    pooler = UtterancePooler(PoolingRequest(language, "auto", "default", None, "middle-third"))
    folder = CACHE / f"audit-{corpus.name}-{pooler.encoder.fingerprint[7:23]}"
    folder.mkdir(parents=True, exist_ok=True)
    if has_to_learn(pooler):
        model = folder / ALIGNER
        if not model.is_file():
            with start_workers(pooler.with_model(model), 1) as run:
                fit_from_speech(
                    pooler, list(corpus.utterances), model, run, workers=1, progress=_silent
                )
        pooler = pooler.with_model(model)
    records = []
    for utterance in corpus.utterances:
        path = folder / record_name(corpus.name, utterance.id)
        reason = "" if path.is_file() else pool_into(pooler, utterance, path)
        if reason:
            print(f"set aside {utterance.id}: {reason}", file=sys.stderr)
        else:
            records.append(Record(corpus.name, corpus.licence, utterance, path))
    settings = IndexSettings(
        name=corpus.name,
        language=language,
        inventory=pooler.inventory.to_json(),
        encoder=EncoderIdentity(
            name=pooler.encoder.name,
            layer=None,
            fingerprint=pooler.encoder.fingerprint,
            dim=pooler.encoder.dim,
        ),
        pooling="middle-third",
        aligner="auto",
        g2p=None,
        min_rating=None,
        clips=None,
        command="benchmarks.audit",
    )
    return records, settings


def _folds(records: Sequence[Record]) -> list[tuple[list[Record], list[Record]]]:
    """What is indexed and what is left out, in turn."""

    def part(number: int, utterance: Utterance) -> object:
        return utterance.speaker if len(speakers) > 1 else number % PROMPT_FOLDS

    speakers = {record.utterance.speaker for record in records}
    parts = [part(number, record.utterance) for number, record in enumerate(records)]
    return [
        (
            [r for r, its in zip(records, parts, strict=True) if its != left],
            [r for r, its in zip(records, parts, strict=True) if its == left],
        )
        for left in dict.fromkeys(parts)
    ]


def _points(
    inside: Sequence[Record],
    outside: Sequence[Record],
    settings: IndexSettings,
    fold: int,
    share: float,
) -> list[Point]:
    with tempfile.TemporaryDirectory() as folder:
        publish_new(Path(folder) / "index", inside, settings, embeddings=False)
        index = PhoneIndex.open(Path(folder) / "index")
        expected = expectations(index).phones
        labels, wrong, flagged = _measured(index, outside)
        return [
            Point(
                fold=fold,
                share=share,
                phone=phone,
                exemplars=index.manifest.counts.phones[phone],
                natives=int(own.sum()),
                expected_error=expected[phone].error,
                error=float(wrong[own].mean()),
                expected_rejections=expected[phone].false_rejections,
                rejections=float(flagged[own].mean()),
            )
            for phone in expected
            if (own := labels == phone).any()
        ]


def _measured(
    index: PhoneIndex, records: Sequence[Record]
) -> tuple[NDArray[np.str_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Phones of the index in speech that it never heard; which are misheard, and which flagged."""
    pooled = [PooledUtterance.load(record.path) for record in records]
    labels = np.array([phone.phone for one in pooled for phone in one.phones])
    known = np.isin(labels, [phone for phone in index.classes if phone != SILENCE])
    heads = np.array([phone.log_posterior for one in pooled for phone in one.phones])[known]
    embeddings = np.concatenate([one.embeddings for one in pooled])[known].astype(np.float32)
    labels = labels[known]
    own = np.array([index.classes.index(label) for label in labels])
    similar = class_similarities(
        index.transform(embeddings),
        index.vectors,
        index.bounds,
        top_m=index.manifest.decision.top_m,
    )
    margin = margins(similar, own).astype(np.float64)
    record = np.repeat(np.arange(len(pooled)), [len(one.phones) for one in pooled])[known]
    with_head, alone = evidence_sums(
        margin, heads.astype(np.float64), record, many_voices=holds_many_voices(index)
    )
    of_natives = native_sums(index)
    quantile = np.where(
        np.isnan(with_head),
        NativeMargins.of_all(of_natives[1]).log_quantile(alone),
        NativeMargins.fit(of_natives[0]).log_quantile(with_head),
    )
    return labels, ~(margin > 0), quantile < math.log(FALSE_REJECTIONS)


def _print_halves(index: PhoneIndex, column: str, seed: int) -> None:
    """Half of the speakers or utterances of an index against the other half."""
    unit = (index.speakers if column == "speaker" else index.utterances)[0]
    units = np.unique(unit)
    found = []
    for split in range(SPLITS):
        rng = np.random.default_rng(seed + split)
        first = np.isin(unit, rng.permutation(units)[: len(units) // 2])
        here, there = (
            expectations(_asked_only(index, first)).phones,
            _plain_errors(index, ~first),
        )
        pairs = [(here[p].error, wrong) for p, (n, wrong) in there.items() if n >= LEAST_MEASURED]
        expected, measured = np.array(pairs).T
        found.append(
            (
                pearson(expected, measured),
                pearson(ranks(expected), ranks(measured)),
                len(pairs),
                expected.mean(),
                measured.mean(),
            )
        )
    linear, by_rank, phones, expected_error, error = np.array(found).T
    print(
        f"{index.name}, {SPLITS} halvings of {len(units):,} {column}s, {phones.mean():.0f} phones: "
        f"Pearson {linear.mean():.3f} ± {linear.std():.3f}, "
        f"Spearman {by_rank.mean():.3f} ± {by_rank.std():.3f}; "
        f"error expected {expected_error.mean():.2%}, measured {error.mean():.2%}"
    )


def _asked_only(index: PhoneIndex, rows: NDArray[np.bool_]) -> PhoneIndex:
    """The index as if only some of its natives had been asked about themselves."""
    kept = np.where(rows, index.native_margins, np.nan).astype(np.float32)
    table = with_margins(index.table, kept)
    return PhoneIndex(index.path, index.manifest, index.transform, table)


def _plain_errors(index: PhoneIndex, rows: NDArray[np.bool_]) -> dict[str, tuple[int, float]]:
    """How many natives of each phone were asked among some rows, and which share was misheard."""
    found = {}
    for phone in index.classes:
        own = index.rows_of(phone)
        margin = index.native_margins[own][rows[own]]
        margin = margin[~np.isnan(margin)]
        if phone != SILENCE and len(margin):
            found[phone] = (len(margin), float((margin <= 0).mean()))
    return found


def _print(points: Sequence[Point], title: str) -> None:
    whole = [p for p in points if p.share == 1.0]
    rows = []
    for over, groups in (
        ("phones, mean over indexes", _by(whole, lambda p: (p.phone,))),
        ("phones in one index", _by(whole, lambda p: (p.fold, p.phone))),
        ("indexes of fewer utterances", _by(points, lambda p: (p.fold, p.share), least=1)),
        ("the same, mean over speakers", _by(points, lambda p: (p.share,), least=1)),
        ("phones in all of these", _by(points, lambda p: (p.fold, p.share, p.phone))),
    ):
        for what, columns in (("error", (0, 1)), ("false rejections", (2, 3))):
            expected, measured = groups[:, columns[0]], groups[:, columns[1]]
            both = (pearson(expected, measured), pearson(ranks(expected), ranks(measured)))
            means = (f"{expected.mean():.2%}", f"{measured.mean():.2%}")
            rows.append((over, len(groups), what, *(f"{one:.3f}" for one in both), *means))
    header = ("over", "n", "what", "Pearson", "Spearman", "expected", "measured")
    show(f"{title}; {FALSE_REJECTIONS:.0%} setting", header, rows)


def _by(
    points: Sequence[Point], key: Callable[[Point], tuple[object, ...]], least: int = LEAST_MEASURED
) -> NDArray[np.float64]:
    """Means over the points of each key, weighed by natives, `[n, 4]`; thin ones are left out."""
    grouped: dict[object, list[Point]] = {}
    for point in points:
        grouped.setdefault(key(point), []).append(point)
    rows = []
    for group in grouped.values():
        weights = np.array([p.natives for p in group], dtype=np.float64)
        if weights.sum() < least:
            continue
        values = np.array(
            [(p.expected_error, p.error, p.expected_rejections, p.rejections) for p in group]
        )
        rows.append(weights @ values / weights.sum())
    return np.array(rows)


def _silent(stage: str, done: int, total: int) -> None:
    """Show nothing."""


if __name__ == "__main__":
    main()
