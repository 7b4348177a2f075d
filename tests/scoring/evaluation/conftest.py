from collections.abc import Sequence
from pathlib import Path

from nativeear.indexer.annotated_corpus import (
    AnnotatedPhone,
    AnnotatedUtterance,
    AnnotatedWord,
    Speaker,
)
from nativeear.scoring.assessment import (
    Assessment,
    Insertion,
    KnnEvidence,
    PhoneAssessment,
    Scores,
    SoundsLike,
    WordAssessment,
)
from nativeear.scoring.verdicts import Verdict

Judged = tuple[str, Verdict, float | None, float | None, str]
"""Phone, verdict, score, probability, and the phones that it sounds like, likeliest first."""


def assessed(
    id: str, words: Sequence[Sequence[Judged]], insertions: Sequence[tuple[float, float]] = ()
) -> Assessment:
    """A made-up assessment; phone number i lasts from i/10 to (i + 1)/10 seconds."""
    made, at = [], 0
    for word in words:
        phones = []
        for phone, verdict, score, probability, heard in word:
            phones.append(
                PhoneAssessment(
                    phone=phone,
                    ipa=phone.lower(),
                    start_s=at / 10,
                    end_s=(at + 1) / 10,
                    score=score,
                    verdict=verdict,
                    probability_mispronounced=probability,
                    sounds_like=tuple(
                        SoundsLike(phone=h, ipa=h, probability=0.5) for h in heard.split()
                    ),
                    knn=KnnEvidence(margin=None, canonical_share=None, k=0, coverage=0),
                )
            )
            at += 1
        scores = [phone.score for phone in phones if phone.score is not None]
        made.append(
            WordAssessment(
                word="w",
                start_s=None,
                end_s=None,
                score=min(scores, default=None),
                phones=tuple(phones),
            )
        )
    return Assessment(
        id=id,
        language="en-US",
        index="i",
        encoder="e",
        calibration="training-free",
        duration_s=1.0,
        score=Scores(overall=50.0, pronunciation=40.0),
        words=tuple(made),
        insertions=tuple(
            Insertion(after_word_index=0, phone="S", start_s=start, end_s=end)
            for start, end in insertions
        ),
    )


def annotated(
    id: str, speaker: Speaker, words: Sequence[Sequence[AnnotatedPhone]], **more: object
) -> AnnotatedUtterance:
    return AnnotatedUtterance(
        id=id,
        speaker=speaker,
        audio=Path("none.wav"),
        words=tuple(AnnotatedWord("w", tuple(phones), 5.0) for phones in words),
        **more,
    )
