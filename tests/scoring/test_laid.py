"""Phones that somebody else has laid, judged like those that we lay."""

from dataclasses import replace
from functools import cache

import pytest

import nativeear
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError, PhoneError
from tests.support.aligned import DATA, SAVED


@cache
def assessor() -> Assessor:
    return nativeear.load("en-US")


@cache
def recording() -> Audio:
    return Audio.load(DATA / SAVED[0])


@cache
def assessed() -> Assessment:
    return assessor().assess(recording(), SAVED[1])


def alignment(shift_s: float = 0.0) -> Alignment:
    """The phones where an assessment finds them, all moved by so much."""
    phones = tuple(
        AlignedPhone(phone.phone, phone.start_s + shift_s, phone.end_s + shift_s, i)
        for i, word in enumerate(assessed().words)
        for phone in word.phones
        if phone.start_s is not None and phone.end_s is not None
    )
    return Alignment(phones, tuple(word.word for word in assessed().words))


def test_phones_are_judged_as_where_we_lay_them_ourselves() -> None:
    mine, theirs = assessed().phones, assessor().assess_laid(recording(), alignment()).phones
    assert len(mine) > 15
    for own, laid in zip(mine, theirs, strict=True):
        assert (own.phone, own.verdict) == (laid.phone, laid.verdict)
        assert own.score == pytest.approx(laid.score, abs=1e-3)
        assert own.start_s == pytest.approx(laid.start_s)
        assert own.boundary_doubt == pytest.approx(laid.boundary_doubt, abs=1e-6)


def test_boundaries_are_doubted_the_more_the_farther_they_are_off() -> None:
    doubts = []
    for shift_s in (0.0, 0.05, 0.1, 0.2):
        found = assessor().assess_laid(recording(), alignment(shift_s)).phones
        known = [phone.boundary_doubt for phone in found if phone.boundary_doubt is not None]
        assert all(0 <= doubt <= 1 for doubt in known)
        doubts.append(sum(known) / len(known))
    assert doubts == sorted(doubts)
    assert doubts[0] < 0.1
    assert doubts[-1] > 0.9


def test_phones_where_nothing_is_heard_keep_their_place() -> None:
    laid = alignment()
    first, *rest = laid.phones
    early = replace(first, start_s=0.0, end_s=0.01)
    found = assessor().assess_laid(recording(), replace(laid, phones=(early, *rest)))
    assert len(found.phones) == len(laid.phones)
    assert found.phones[0].boundary_doubt == pytest.approx(1.0, abs=0.05)


def test_a_word_of_which_no_phone_is_known_is_not_judged() -> None:
    laid = alignment()
    left = tuple(phone for phone in laid.phones if phone.word_index != 1)
    found = assessor().assess_laid(recording(), replace(laid, phones=left))
    assert found.words[1].score is None
    assert not found.words[1].phones
    assert found.words[2].score is not None


def test_what_is_no_alignment_is_refused() -> None:
    silence = Alignment((AlignedPhone(SILENCE, 0.0, 1.0, -1),), ())
    with pytest.raises(InputError, match="holds no phone"):
        assessor().assess_laid(recording(), silence)
    foreign = Alignment((AlignedPhone("ʘ", 0.0, 1.0, 0),), ("word",))
    with pytest.raises(PhoneError, match="not known"):
        assessor().assess_laid(recording(), foreign)
