from pathlib import Path

import pytest

from nativeear.speech.errors import InputError, PhoneError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.notation import Notation, read_labels, scheme_of_labels

ENGLISH = PhoneInventory.load("en-US")


@pytest.mark.parametrize(
    ("labels", "scheme"),
    [
        ("DH IH1 S IH0 Z AH0 T EH1 S T", "arpabet"),
        ("ð ɪ s ɪ z ə tʰ ɛ s t", "mfa"),
        ("D I s I z @ t E s t", "xsampa"),
        ("T IH NG K S", "arpabet"),
        ("T I N k s", "xsampa"),
    ],
)
def test_all_labels_together_tell_the_notation(labels: str, scheme: str) -> None:
    assert scheme_of_labels(labels.split(), ENGLISH) == scheme


def test_a_label_is_read_by_its_notation() -> None:
    assert Notation(ENGLISH, "xsampa").read("D") == ("DH",)
    assert Notation(ENGLISH, "arpabet").read("D") == ("D",)
    assert Notation(ENGLISH, "xsampa").read("I@") == ("IH", "R")
    assert Notation(ENGLISH, "arpabet").read("§") is None
    assert Notation(ENGLISH, "arpabet", {"D": ("DH",), "X": ()}).read("D") == ("DH",)
    assert Notation(ENGLISH, "arpabet", {"D": ("DH",), "X": ()}).read("X") == ()


def test_nothing_is_told_where_nothing_is_known() -> None:
    assert scheme_of_labels(["§", "%%"], ENGLISH) is None


def test_a_table_of_labels(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("label,phones\ndx,T\nir,IH R\nbreath,-\n")
    assert read_labels(file, ENGLISH) == {"dx": ("T",), "ir": ("IH", "R"), "breath": ()}
    file.write_text("label,phones\ndx,XX\n")
    with pytest.raises(PhoneError, match="'XX' is not known"):
        read_labels(file, ENGLISH)
    file.write_text("label,phones\ndx\n")
    with pytest.raises(InputError, match="lack a label or its phones"):
        read_labels(file, ENGLISH)
    for other in ("", "label\n", "label\ndx\n", "label;phones\ndx;T\n"):
        file.write_text(other)
        with pytest.raises(InputError, match="has no columns label and phones"):
            read_labels(file, ENGLISH)
    with pytest.raises(InputError, match="cannot be read"):
        read_labels(tmp_path / "none.csv", ENGLISH)
