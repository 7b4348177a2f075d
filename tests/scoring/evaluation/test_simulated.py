from itertools import pairwise

import pytest

from nativeear.indexer.annotated_corpus import AnnotatedPhone, Speaker
from nativeear.indexes.reliability import PhoneReliability
from nativeear.scoring.evaluation.judgements import JudgementTable
from nativeear.scoring.evaluation.simulated import (
    APART,
    EVERY,
    NEAR,
    Simulation,
    claimable,
    paired_measures,
)
from nativeear.speech.inventory import PhoneInventory
from tests.scoring.evaluation.conftest import annotated, assessed

ANNA, BEN = Speaker("anna"), Speaker("ben")
INVENTORY = PhoneInventory.load("en-US")
FOX = "DH AH K W IH K B R AW N F AA K S JH AH M P S OW V ER DH AH L EY Z IY D AO G"
LINE = FOX.split()


def right(phones: list[str]) -> list[tuple[str, str, float, float, str]]:
    return [(phone, "correct", 80.0, 0.0, phone) for phone in phones]


@pytest.mark.parametrize("kind", ["any", "near"])
def test_errors_are_seeded_apart_and_of_their_kind(kind: str) -> None:
    untouched = assessed("u", [right(LINE[:17]), right(LINE[17:])])
    simulation = Simulation(INVENTORY.symbols, INVENTORY, seed=4)
    claimed = set()
    for number in range(60):
        utterance = annotated(f"u{number}", ANNA, [])
        altered = simulation.with_errors(utterance, untouched, kind)
        assert altered is not None
        assert altered == Simulation(INVENTORY.symbols, INVENTORY, seed=4).with_errors(
            utterance, untouched, kind
        )
        assert [len(word.phones) for word in altered.words] == [17, len(LINE) - 17]
        errors = [i for i, phone in enumerate(altered.phones) if phone.mispronounced]
        assert 1 <= len(errors) <= -(-len(LINE) // EVERY)
        assert all(later - earlier >= APART for earlier, later in pairwise(errors))
        for i, phone in enumerate(altered.phones):
            if i not in errors:
                assert phone == AnnotatedPhone(LINE[i])
                continue
            assert (phone.perceived, phone.label != LINE[i]) == (LINE[i], True)
            assert phone.label not in LINE[max(i - 1, 0) : i + 2]
            others = [o for o in INVENTORY.symbols if o != LINE[i]]
            others.sort(key=lambda other, meant=LINE[i]: INVENTORY.distance(meant, other))
            claimed.add(others.index(phone.label))
    assert (max(claimed) < NEAR + 2) is (kind == "near")  # equal distances may change places
    other = Simulation(INVENTORY.symbols, INVENTORY, seed=5)
    assert other.with_errors(utterance, untouched, kind) != altered


def test_where_nothing_can_be_claimed_there_is_no_error() -> None:
    reliability = {
        "S": PhoneReliability(10, 10, 10),
        "T": PhoneReliability(9, 9, 9),
        "M": PhoneReliability(90, 90, 20),
    }
    assert claimable(reliability, INVENTORY) == ("S",)
    only_s = Simulation(("S",), INVENTORY)
    utterance = annotated("u", ANNA, [])
    assert only_s.with_errors(utterance, assessed("u", [right(["S"])]), "any") is None
    found = only_s.with_errors(utterance, assessed("u", [right(["T"])]), "any")
    assert found is not None
    assert found.given_phones == "S"


def test_spill_is_what_an_error_adds_on_its_neighbours() -> None:
    untouched, altered = JudgementTable(INVENTORY), JudgementTable(INVENTORY)
    flagged, doubt = "substituted", "uncertain"
    phones = ["S", "T", "IY", "M", "K"]
    # One of the four neighbours of the two errors is flagged untouched, three with the errors;
    # one more was uncertain without them and does not count.
    for name, speaker, verdicts in (
        ("other", ANNA, ["correct"] * 5),
        ("a", ANNA, ["correct", "correct", flagged, "correct", flagged]),
        ("b", BEN, ["correct", "correct", "correct", doubt, "correct"]),
    ):
        words = [[(p, v, 60.0, 0.4, p) for p, v in zip(phones, verdicts, strict=True)]]
        untouched.add(annotated(name, speaker, []), assessed(name, words))
    for name, speaker, place, verdicts in (
        ("a", ANNA, 1, [flagged, flagged, flagged, "correct", "correct"]),
        ("b", BEN, 4, ["correct", "correct", "correct", flagged, flagged]),
        ("b", BEN, 0, ["correct", flagged, "correct", "correct", "correct"]),
    ):
        said = [*phones[:place], "N", *phones[place + 1 :]]
        people = [
            AnnotatedPhone(p, mispronounced=i == place, perceived=phones[i] if i == place else None)
            for i, p in enumerate(said)
        ]
        scores = [40.0 if v == flagged else 60.0 for v in verdicts]
        words = [[(p, v, s, 0.5, p) for p, v, s in zip(said, verdicts, scores, strict=True)]]
        altered.add(annotated(name, speaker, [people]), assessed(name, words))
    found = paired_measures(altered.judgements(), untouched.judgements(), resamples=40)
    assert found["neighbours_flagged"].value == pytest.approx(3 / 3)
    assert found["neighbours_flagged_untouched"].value == pytest.approx(1 / 3)
    assert found["spill"].value == pytest.approx(2 / 3)
    # Errors at 40, 40 and 60 against 60 each untouched.
    assert found["paired_roc_auc"].value == pytest.approx((3 + 3 + 1.5) / 9)
    spill = found["spill"]
    assert spill.low is not None
    assert spill.high is not None
    assert spill.low <= 2 / 3 <= spill.high
