from nativeear.scoring.assessment import Insertion, KnnEvidence, PhoneAssessment, WordAssessment
from nativeear.scoring.prosody.hesitations import repeated_words, restarts


def word(text: str, phones: str) -> WordAssessment:
    knn = KnnEvidence(margin=None, canonical_share=None, k=0, coverage=0)
    return WordAssessment(
        word=text,
        start_s=0.0,
        end_s=1.0,
        score=None,
        phones=tuple(
            PhoneAssessment(
                phone=phone,
                ipa=phone,
                start_s=0.0,
                end_s=1.0,
                score=None,
                verdict="uncertain",
                probability_mispronounced=None,
                knn=knn,
            )
            for phone in phones.split()
        ),
    )


def inserted(after: int, *phones: str) -> list[Insertion]:
    return [
        Insertion(after_word_index=after, phone=phone, start_s=i / 10, end_s=(i + 1) / 10)
        for i, phone in enumerate(phones)
    ]


WORDS = (word("I", "AY"), word("think", "TH IH NG K"))


def test_sounds_that_begin_a_word_again_are_a_restart() -> None:
    assert restarts(WORDS, inserted(0, "TH")) == ((0.0, 0.1),)
    assert restarts(WORDS, inserted(0, "TH", "IH")) == ((0.0, 0.2),)
    assert restarts(WORDS, inserted(0, "AY")) == ((0.0, 0.1),)
    assert restarts(WORDS, inserted(-1, "AY")) == ((0.0, 0.1),)
    assert restarts(WORDS, inserted(1, "TH", "IH", "NG", "K")) == ((0.0, 0.4),)


def test_other_sounds_are_none() -> None:
    assert restarts(WORDS, inserted(0, "TH", "S")) == ()
    assert restarts(WORDS, inserted(0, "IH")) == ()
    assert restarts(WORDS, inserted(-1, "TH")) == ()
    assert restarts(WORDS, ()) == ()


def test_a_word_after_itself_is_a_repetition() -> None:
    the, cat = word("The", "DH AH"), word("cat", "K AE T")
    assert repeated_words([the, word("the", "DH AH"), cat, the]) == {1}
    assert repeated_words([]) == frozenset()
