from collections.abc import Sequence

import pytest

from nativeear.scoring.assessment import (
    Assessment,
    Insertion,
    KnnEvidence,
    PhoneAssessment,
    Scores,
    SoundsLike,
    WordAssessment,
)
from nativeear.scoring.feedback.minimal_pairs import NOTHING, pairs_of
from nativeear.scoring.feedback.remarks import with_feedback
from nativeear.scoring.verdicts import Verdict
from nativeear.speech.errors import InputError
from nativeear.speech.inventory import PhoneInventory

ENGLISH = PhoneInventory.load("en")


def phone(
    symbol: str,
    verdict: Verdict = "correct",
    heard: str | None = None,
    probability: float = 0.9,
    inventory: PhoneInventory = ENGLISH,
) -> PhoneAssessment:
    sounds = () if heard is None else (heard, symbol)
    return PhoneAssessment(
        phone=symbol,
        ipa=inventory.ipa(symbol),
        start_s=0.0,
        end_s=0.1,
        score=None if verdict == "uncertain" else 50.0,
        verdict=verdict,
        probability_mispronounced=None if verdict == "uncertain" else probability,
        sounds_like=tuple(
            SoundsLike(phone=each, ipa=inventory.ipa(each), probability=0.4) for each in sounds
        ),
        knn=KnnEvidence(margin=0.0, canonical_share=0.5, k=1, coverage=1),
    )


def assessment(
    *words: tuple[str, Sequence[PhoneAssessment]],
    insertions: tuple[Insertion, ...] = (),
    omitted: str = "",
) -> Assessment:
    return Assessment(
        id="me",
        language="en-US",
        index="i",
        encoder="e",
        calibration="training-free",
        duration_s=1.0,
        score=Scores(),
        words=tuple(
            WordAssessment(
                word=word,
                start_s=0.0,
                end_s=1.0,
                score=50.0,
                phones=tuple(phones),
                omitted=word == omitted,
            )
            for word, phones in words
        ),
        insertions=insertions,
    )


SINK = ("think", [phone("TH", "substituted", "S"), phone("IH"), phone("NG"), phone("K", "deleted")])


def test_every_fault_gets_its_sentence_and_nothing_else_does() -> None:
    result = with_feedback(
        assessment(
            SINK,
            ("azure", [phone("AE", "accented"), phone("ZH", "uncertain", "JH")]),
            insertions=(Insertion(after_word_index=0, phone="S", start_s=0.0, end_s=0.1),),
        ),
        ENGLISH,
    )
    said = [each.feedback for each in result.phones]
    assert said[0].startswith("You said /s/ instead of /θ/: put the tip of the tongue between")
    assert said[1:3] == ["", ""]
    assert said[3].startswith("The /k/ at the end was not heard: ")
    assert said[4].startswith("Your /æ/ does not sound native yet: ")
    assert said[5] == ""
    assert result.insertions[0].feedback.startswith("An extra /s/ was heard after “think”: ")
    assert {remark.phone for remark in result.remarks} == {"TH", "K", "AE"}


def test_repeated_errors_of_one_phone_are_one_remark() -> None:
    thin = ("thin", [phone("TH", "substituted", "S"), phone("IH"), phone("N")])
    bath = ("bath", [phone("B"), phone("AE"), phone("TH", "substituted", "F", 0.5)])
    (remark,) = with_feedback(assessment(("think", SINK[1][:3]), thin, bath), ENGLISH).remarks
    assert remark.places == ((0, 0), (1, 0), (2, 2))
    assert (remark.phone, remark.heard, remark.heard_ipa) == ("TH", "S", "s")
    assert "in “think” and “thin”:" in remark.text
    assert len(remark.minimal_pairs) == 3


def test_the_contrast_that_parts_more_words_comes_first() -> None:
    vowel = phone("IH", "substituted", "IY", 0.8)
    rare = phone("ZH", "substituted", "JH", 0.8)
    remarks = with_feedback(assessment(("x", [rare, vowel])), ENGLISH).remarks
    assert [remark.phone for remark in remarks] == ["IH", "ZH"]
    sure = phone("EH", "substituted", "AE", 1.0)
    unsure = phone("IH", "substituted", "IY", 0.6)
    remarks = with_feedback(assessment(("x", [unsure, sure])), ENGLISH).remarks
    assert [remark.phone for remark in remarks] == ["EH", "IH"]


@pytest.mark.parametrize("verdict", ["accented", "substituted", "deleted"])
def test_nothing_is_said_of_what_is_more_likely_right_than_wrong(verdict: Verdict) -> None:
    doubtful = phone("TH", verdict, "S", 0.49)
    result = with_feedback(assessment(("think", [doubtful, phone("IH")])), ENGLISH)
    assert [each.feedback for each in result.phones] == ["", ""]
    assert result.remarks == ()
    likely = phone("TH", verdict, "S", 0.5)
    result = with_feedback(assessment(("think", [likely, phone("IH")])), ENGLISH)
    assert result.phones[0].feedback
    assert [remark.phone for remark in result.remarks] == ["TH"]


def test_there_are_at_most_three_and_none_of_words_left_out() -> None:
    many = [phone(symbol, "deleted") for symbol in ("S", "T", "K", "L", "AE")]
    assert len(with_feedback(assessment(("x", many)), ENGLISH).remarks) == 3
    assert with_feedback(assessment(("x", many), omitted="x"), ENGLISH).remarks == ()


def test_the_first_language_is_noted() -> None:
    (_, remark) = sorted(
        with_feedback(assessment(SINK), ENGLISH, "zh").remarks, key=lambda each: each.phone
    )
    assert remark.l1_note == "Mandarin has /s/ but no /θ/."
    assert all(each.l1_note is None for each in with_feedback(assessment(SINK), ENGLISH).remarks)
    unknown = with_feedback(assessment(SINK), ENGLISH, "tlh")
    assert unknown.remarks == with_feedback(assessment(SINK), ENGLISH).remarks
    (warning,) = set(unknown.warnings) - set(assessment(SINK).warnings)
    assert "'tlh'" in warning
    assert "Known: ar, de, en" in warning
    with pytest.raises(InputError):
        with_feedback(assessment(SINK), ENGLISH, "no-such.csv:tlh")


def test_a_language_without_a_lexicon_gets_sentences_but_no_pairs() -> None:
    french = PhoneInventory.load("fr")
    vowel = phone("y", "substituted", "u", inventory=french)
    (remark,) = with_feedback(assessment(("tu", [vowel])), french).remarks
    assert remark.text == "You said /u/ instead of /y/ in “tu”: move the tongue forward."
    assert remark.minimal_pairs == ()


def test_the_assessment_that_came_in_is_not_changed() -> None:
    before = assessment(SINK)
    copy = before.model_copy(deep=True)
    with_feedback(before, ENGLISH, "zh")
    assert before == copy


def test_a_result_with_remarks_survives_json() -> None:
    result = with_feedback(assessment(SINK), ENGLISH, "zh")
    assert Assessment.model_validate_json(result.model_dump_json()) == result


def test_words_are_named_and_many_are_not() -> None:
    def said(count: int) -> str:
        words = [(f"w{i}", [phone("TH", "substituted", "S")]) for i in range(count)]
        return with_feedback(assessment(*words), ENGLISH).remarks[0].text

    assert "in “w0”:" in said(1)
    assert "in “w0” and “w1”:" in said(2)
    assert "in “w0”, “w1” and “w2”:" in said(3)
    for count in (4, 6):
        assert "in “w0”, “w1”, “w2” and other words:" in said(count)


def test_an_insertion_is_placed_before_the_first_word_or_after_one() -> None:
    extra = [Insertion(after_word_index=i, phone="S", start_s=0.0, end_s=0.1) for i in (-1, 0, 1)]
    result = with_feedback(
        assessment(("a", [phone("AH")]), ("b", [phone("B")]), insertions=tuple(extra)), ENGLISH
    )
    before, first, second = (item.feedback for item in result.insertions)
    assert "before the first word" in before
    assert "after “a”" in first
    assert "after “b”" in second


def test_remarks_are_ranked_by_load_and_confidence_over_all_places() -> None:
    """Importance is the sum of (0.1 + load) · probability."""
    pairs = pairs_of(ENGLISH)
    assert pairs is not None
    load = pairs.load("IH", "IY")
    assert load > 0.3
    rare = [phone("ZH", "substituted", "JH", 0.9)]
    assert pairs.load("ZH", "JH") == 0
    vowel = [phone("IH", "substituted", "IY", 0.9)]
    few = int((0.1 + load) / 0.1)
    for count, first in ((few - 1, "IH"), (few + 2, "ZH")):
        remarks = with_feedback(assessment(("x", vowel), *[("y", rare)] * count), ENGLISH).remarks
        assert remarks[0].phone == first


def test_what_an_accented_phone_is_practised_against_is_what_was_heard() -> None:
    accented = phone("IH", "accented", "IY")
    deleted = phone("T", "deleted", "S")
    by_phone = {
        remark.phone: remark
        for remark in with_feedback(assessment(("x", [accented, deleted])), ENGLISH).remarks
    }
    pairs = pairs_of(ENGLISH)
    assert pairs is not None
    assert by_phone["IH"].minimal_pairs == pairs.to_practise("IH", "IY")
    assert by_phone["T"].minimal_pairs == pairs.to_practise("T", NOTHING)
    assert (by_phone["IH"].heard, by_phone["T"].heard) == ("IY", None)


def test_where_no_probability_is_known_the_worst_score_comes_first() -> None:
    def unknown(name: str, score: float) -> PhoneAssessment:
        changes = {"probability_mispronounced": None, "score": score}
        return phone(name, "accented").model_copy(update=changes)

    phones = [unknown("ZH", 45.0), unknown("OY", 5.0), unknown("DH", 30.0)]
    remarks = with_feedback(assessment(("x", phones)), ENGLISH).remarks
    assert [remark.phone for remark in remarks] == ["OY", "DH", "ZH"]


def test_the_place_of_a_deleted_phone_is_told() -> None:
    for i, where in enumerate(("at the beginning", "in the middle", "at the end")):
        phones = [phone("S"), phone("T"), phone("K")]
        phones[i] = phone(phones[i].phone, "deleted")
        told = with_feedback(assessment(("x", phones)), ENGLISH).phones[i].feedback
        assert where in told
    alone = with_feedback(assessment(("x", [phone("S", "deleted")])), ENGLISH).phones[0].feedback
    assert not any(where in alone for where in ("beginning", "middle", "end"))
