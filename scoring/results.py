"""From evidence and grades to the models of the result."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import IntArray, PhoneIndex
from nativeear.retriever.deviations import InsertedPhone
from nativeear.retriever.evidence import PhoneEvidence, sounds_like
from nativeear.scoring.assessment import (
    Assessment,
    ExemplarEvidence,
    FalseRejections,
    GopEvidence,
    Insertion,
    KnnEvidence,
    PhoneAssessment,
    Reading,
    ScoredPhone,
    Scores,
    SoundsLike,
    SyllableScore,
    Transcript,
    WordAssessment,
)
from nativeear.scoring.fusion.marks import Marks
from nativeear.scoring.gop_evidence import GopMeasurement
from nativeear.scoring.grading import (
    BELOW,
    DELETED,
    GOOD_SCORE,
    UNCERTAIN,
    Grade,
    combine,
    mean,
)
from nativeear.scoring.prosody.assessing import NOTHING_MEASURED, ProsodyAssessment, overall_score
from nativeear.scoring.reliability import mostly_unjudged, reliability_warnings
from nativeear.scoring.verdicts import FLAGGED
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.spelling import graphemes

MAX_EVIDENCE = 3
MAX_NBEST = 5
LEAST_OF_NBEST = 1e-4


class ResultBuilder:
    """Makes results of recordings that were judged by one index. Safe to share between threads."""

    def __init__(self, index: PhoneIndex) -> None:
        self._index = index

    def phone(
        self,
        phone: AlignedPhone,
        retrieved: PhoneEvidence,
        gop: GopEvidence,
        grade: Grade,
        boundary_doubt: float | None = None,
    ) -> PhoneAssessment:
        """One phone that was found; what it sounds like is left out where it is uncertain."""
        judged = grade.verdict != "uncertain"
        ipa = self._index.inventory.ipa
        return PhoneAssessment(
            phone=phone.phone,
            ipa=ipa(phone.phone),
            start_s=phone.start_s,
            end_s=phone.end_s,
            score=grade.score,
            verdict=grade.verdict,
            probability_mispronounced=grade.probability_mispronounced,
            sounds_like=tuple(
                SoundsLike(phone=name, ipa=ipa(name), probability=probability)
                for name, probability in (sounds_like(self._index, retrieved) if judged else ())
            ),
            nbest=self._nbest(retrieved) if judged else (),
            knn=KnnEvidence(
                margin=retrieved.margin if judged else None,
                canonical_share=retrieved.canonical_share if judged else None,
                k=len(retrieved.neighbours),
                coverage=retrieved.coverage,
            ),
            gop=gop,
            boundary_doubt=boundary_doubt,
            evidence=self._exemplars(retrieved),
        )

    def unread_phone(self, phone: str, grade: Grade) -> PhoneAssessment:
        """One phone of a word that was not read."""
        own = self._index.rows_of(phone)
        return PhoneAssessment(
            phone=phone,
            ipa=self._index.inventory.ipa(phone),
            start_s=None,
            end_s=None,
            score=grade.score,
            verdict=grade.verdict,
            probability_mispronounced=grade.probability_mispronounced,
            knn=KnnEvidence(margin=None, canonical_share=None, k=0, coverage=own.stop - own.start),
        )

    def words(
        self,
        pronunciation: Pronunciation,
        alignment: Alignment,
        phones: Sequence[PhoneAssessment],
        omitted: Collection[int] = (),
        deleted: Grade = DELETED,
    ) -> tuple[WordAssessment, ...]:
        """The words of a text from their aligned phones, and those that were not read, in order.

        Phones of a word that was left out are `deleted`.
        """
        by_word: list[list[PhoneAssessment]] = [[] for _ in pronunciation.words]
        for aligned, phone in zip(alignment.spoken, phones, strict=True):
            by_word[aligned.word_index].append(phone)
        found = []
        for i, (word, taken) in enumerate(
            zip(pronunciation.words, pronunciation.taken(alignment.variants), strict=True)
        ):
            form, own = word.variants[taken], by_word[i]
            variant: int | None = taken
            if i in omitted:
                own = [self.unread_phone(phone, deleted) for phone in form.phones]
                variant = None
            own = written(own, graphemes(word.word, form, self._index.inventory))
            found.append(word_assessment(word.word, form.syllables, own, variant, i in omitted))
        return tuple(found)

    def unjudged_words(self, pronunciation: Pronunciation) -> tuple[WordAssessment, ...]:
        """The words of a text that the recording is not of."""
        first_forms = [(word.word, word.variants[0]) for word in pronunciation.words]
        found = []
        for word, form in first_forms:
            phones = [self.unread_phone(phone, UNCERTAIN) for phone in form.phones]
            phones = written(phones, graphemes(word, form, self._index.inventory))
            found.append(word_assessment(word, form.syllables, phones))
        return tuple(found)

    def assessment(
        self,
        id: str,
        recording: Audio,
        words: tuple[WordAssessment, ...],
        insertions: Sequence[Insertion],
        warnings: Iterable[str],
        *,
        calibration: str,
        false_rejections: FalseRejections | None = None,
        prosody: ProsodyAssessment = NOTHING_MEASURED,
        unsure: frozenset[int] = frozenset(),
        transcript: Transcript | None = None,
        reading: Reading | None = None,
        marks: Marks | None = None,
    ) -> Assessment:
        """The whole result, without remarks.

        `unsure` are indices of words that may be others; `marks` what experts would give, where
        that is known.
        """
        manifest = self._index.manifest
        matches = reading is None or reading.matches
        sure = [
            phone
            for i, word in enumerate(words)
            if matches and i not in unsure and not word.omitted
            for phone in word.phones
        ]
        warnings = [*warnings, *reliability_warnings(manifest, sure)]
        # how it flows, or what few sounds say, is no score of what cannot be judged
        score = Scores() if mostly_unjudged(sure) else scores_of(words, prosody, transcript, marks)
        if marks is not None:
            words = marked(words, marks)
        return Assessment(
            id=id,
            language=self._index.language,
            index=self._index.name,
            encoder=manifest.encoder.name,  # not the folder it was opened from
            calibration=calibration,
            false_rejections=false_rejections,
            duration_s=recording.duration_s,
            score=score,
            words=words,
            insertions=tuple(insertions),
            fluency=prosody.fluency,
            prosody=prosody.prosody,
            transcript=transcript,
            reading=reading,
            warnings=tuple(dict.fromkeys(filter(None, warnings))),
        )

    def _nbest(self, retrieved: PhoneEvidence) -> tuple[ScoredPhone, ...]:
        """The likeliest phones, however unlikely the last of them is."""
        likeliest = sounds_like(self._index, retrieved, most=MAX_NBEST, least=LEAST_OF_NBEST)
        return tuple(
            ScoredPhone(
                phone=phone,
                ipa=self._index.inventory.ipa(phone),
                score=round(100.0 * probability, 2),
            )
            for phone, probability in likeliest
        )

    def _exemplars(self, retrieved: PhoneEvidence) -> tuple[ExemplarEvidence, ...]:
        """The exemplars that the sound resembles most, then how natives say what was meant."""
        near = zip(
            retrieved.neighbours[:MAX_EVIDENCE], retrieved.similarities[:MAX_EVIDENCE], strict=True
        )
        models = zip(retrieved.models, retrieved.model_similarities, strict=True)
        rows = dict(near) | dict(models)
        phones = np.searchsorted(self._index.bounds, list(rows), side="right") - 1
        words, word_of = self._words
        speakers, speaker_of = self._speakers
        return tuple(
            ExemplarEvidence(
                exemplar=row,
                phone=self._index.classes[phone],
                similarity=similarity,
                word=word_of[words[row]],
                speaker=speaker_of[speakers[row]],
            )
            for (row, similarity), phone in zip(rows.items(), phones.tolist(), strict=True)
        )

    @cached_property
    def _words(self) -> tuple[IntArray, tuple[str, ...]]:
        """Word of every exemplar, as `PhoneIndex.codes` gives them; so with speakers."""
        return self._index.codes("word")

    @cached_property
    def _speakers(self) -> tuple[IntArray, tuple[str, ...]]:
        return self._index.codes("speaker")


def gop_evidence(gop: GopMeasurement) -> tuple[GopEvidence, ...]:
    """What goes into the result of each phone."""
    rows = np.stack((gop.sf, gop.sf_sd, gop.margin), axis=1).tolist()
    return tuple(
        GopEvidence(sf=sf, sf_sd=sf_sd, margin=margin) if not math.isnan(sf) else GopEvidence()
        for sf, sf_sd, margin in rows
    )


def gop_warning(gop: GopMeasurement) -> str:
    """Why there is no GOP, or not of all phones; empty where there is."""
    if gop.reason and gop.features is None:
        return f"GOP was not measured, retrieval alone judges. {gop.reason}"
    return gop.reason


def written(
    phones: Sequence[PhoneAssessment], letters: Sequence[str] | None
) -> list[PhoneAssessment]:
    """The phones of a word with the letters that write each, where these are known."""
    if letters is None:
        return list(phones)
    return [
        phone.model_copy(update={"grapheme": grapheme})
        for phone, grapheme in zip(phones, letters, strict=True)
    ]


def word_assessment(
    word: str,
    syllables: Sequence[tuple[int, int]],
    phones: Sequence[PhoneAssessment],
    variant: int | None = None,
    omitted: bool = False,
) -> WordAssessment:
    """One word from its phones."""
    starts = [phone.start_s for phone in phones if phone.start_s is not None]
    ends = [phone.end_s for phone in phones if phone.end_s is not None]

    def combined(part: Sequence[PhoneAssessment]) -> float | None:
        flagged = any(phone.verdict in FLAGGED for phone in part)
        return combine([phone.score for phone in part], flagged=flagged)

    return WordAssessment(
        word=word,
        start_s=min(starts, default=None),
        end_s=max(ends, default=None),
        score=combined(phones),
        omitted=omitted,
        variant=variant,
        syllables=tuple(
            SyllableScore(
                phones=(first, past_last),
                grapheme=joined_graphemes(phones[first:past_last]),
                score=combined(phones[first:past_last]),
            )
            for first, past_last in syllables
        ),
        phones=tuple(phones),
    )


def joined_graphemes(phones: Sequence[PhoneAssessment]) -> str | None:
    """The letters that write several phones; None where they are not known of all."""
    letters = [phone.grapheme for phone in phones if phone.grapheme is not None]
    return "".join(letters) if len(letters) == len(phones) else None


def insertion(alignment: Alignment, found: InsertedPhone) -> Insertion:
    """An inserted phone, after the word that was said before it."""
    before = [phone.word_index for phone in alignment.phones[: found.after + 1]]
    return Insertion(
        after_word_index=max(before, default=-1),
        phone=found.phone,
        start_s=found.start_s,
        end_s=found.end_s,
    )


def expected_of_words(
    words: Sequence[WordAssessment],
    alignment: Alignment,
    grades: Sequence[Grade],
    unsure: Collection[int],
) -> tuple[NDArray[np.float64], IntArray]:
    """What experts would give every phone of a text, 0–2, and its word, `[N]` each.

    Nothing for phones of words that were left out; NaN where it is not known.
    """
    found: list[list[float]] = [[0.0] * len(w.phones) if w.omitted else [] for w in words]
    for phone, grade in zip(alignment.spoken, grades, strict=True):
        unknown = grade.expected is None or phone.word_index in unsure
        found[phone.word_index].append(np.nan if unknown else cast("float", grade.expected))
    lengths = [len(values) for values in found]
    return np.concatenate([*found, []]), np.repeat(np.arange(len(words)), lengths)


def marked(words: Sequence[WordAssessment], marks: Marks) -> tuple[WordAssessment, ...]:
    """Words with the marks that experts would give; one with a flagged phone is not all good."""
    found = []
    for word, total, stressed in zip(words, marks.words, marks.stress, strict=True):
        changed: dict[str, object] = {}
        if total is not None and word.score is not None and not word.omitted:
            flagged = any(phone.verdict in FLAGGED for phone in word.phones)
            changed["score"] = min(total, GOOD_SCORE - BELOW) if flagged else total
        if word.stress is not None and stressed is not None:
            changed["stress"] = word.stress.model_copy(update={"score": stressed})
        found.append(word.model_copy(update=changed))
    return tuple(found)


def scores_of(
    words: Sequence[WordAssessment],
    prosody: ProsodyAssessment,
    transcript: Transcript | None,
    marks: Marks | None = None,
) -> Scores:
    """Scores of a whole recording; none where no sound of it could be judged.

    Words that were left out count for completeness alone, which is asked of a given text only. Runs
    of phones that stand in for words count by their phones. Experts' marks are taken where they
    are known; what was not measured has no score all the same.
    """
    by_phone = transcript is not None and transcript.source == "phones"
    read = [word for word in words if not word.omitted]
    parts = [phone for word in read for phone in word.phones] if by_phone else read
    pronunciation = mean([part.score for part in parts])
    if pronunciation is None:
        return Scores()
    if marks is not None:
        return Scores(
            overall=marks.total,
            pronunciation=marks.accuracy,
            fluency=None if prosody.fluency_score is None else marks.fluency,
            prosody=None if prosody.prosody_score is None else marks.prosody,
            completeness=marks.completeness if transcript is None else None,
        )
    return Scores(
        overall=overall_score(pronunciation, prosody),
        pronunciation=pronunciation,
        fluency=prosody.fluency_score,
        prosody=prosody.prosody_score,
        completeness=100.0 * len(read) / len(words) if transcript is None else None,
    )
