import csv
from pathlib import Path

import pytest

from nativeear.speech.errors import InputError
from nativeear.speech.first_languages import (
    COLUMNS,
    convert_phoible,
    first_language,
)
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.tables import table

PHOIBLE = """InventoryID,Glottocode,ISO6393,LanguageName,Dialect,Phoneme,Allophones,Marginal,Source
9,malt1254,mlt,Maltese,NA,p,p,FALSE,xx
2,malt1254,mlt,Maltese,NA,t,t ɾ,FALSE,spa
2,malt1254,mlt,Maltese,NA,ħ,NA,NA,spa
7,kore1280,kor,Korean,NA,t,t d,TRUE,upsid
"""


def note(l1: str, meant: str, heard: str | None = None) -> str | None:
    english = PhoneInventory.load("en")
    return first_language(l1).note(
        english.phone(meant), None if heard is None else english.phone(heard)
    )


def test_a_sound_that_the_first_language_lacks_is_told() -> None:
    assert note("zh", "TH") == "Mandarin has no /θ/."
    assert note("zh", "TH", "S") == "Mandarin has /s/ but no /θ/."
    assert note("fr", "TH", "Z") == "French has /z/ but no /θ/."
    assert note("ar", "P", "B") == "Arabic has /b/ but no /p/."


def test_nothing_is_claimed_of_a_sound_that_it_has_or_may_have() -> None:
    assert note("zh", "S") is None
    assert note("es", "TH") is None
    assert note("es-MX", "TH") == "Mexican Spanish has no /θ/."
    assert note("ja", "SH") is None  # as a variant of s
    assert note("ru", "AA") is None  # written a
    assert note("es", "EY") is None  # diphthongs are not judged


def test_a_language_has_its_own_sounds() -> None:
    for language in ("en", "es", "fr", "it", "de", "pl"):
        own = first_language(language)
        for phone in PhoneInventory.load(language):
            assert own.note(phone) is None, (language, phone.ipa)


def test_a_language_is_found_by_tag_code_and_name() -> None:
    names = {first_language(name).name for name in ("zh", "zh-Hans-CN", "cmn", "mandarin", "ZH")}
    assert names == {"Mandarin"}


def test_an_unknown_language_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        first_language("tlh")
    assert "zh" in caught.value.cause
    assert "yue" in caught.value.cause


def test_every_shipped_row_is_whole_and_names_its_source() -> None:
    rows = table("first_languages")
    assert tuple(rows[0]) == COLUMNS
    assert all(all(row.values()) for row in rows)
    assert all(row["Source"][-4:].isdigit() for row in rows)
    assert len({(row["Tag"], row["Phoneme"]) for row in rows}) == len(rows)
    assert len({row["Tag"] for row in rows}) >= 20


def test_phoible_becomes_a_table_that_answers(tmp_path: Path) -> None:
    source, out = tmp_path / "phoible.csv", tmp_path / "more.csv"
    source.write_text(PHOIBLE, encoding="utf-8")
    assert convert_phoible(source, out) == 2
    with out.open(encoding="utf-8", newline="") as file:
        assert {row["Phoneme"] for row in csv.DictReader(file) if row["Tag"] == "mlt"} == {
            "t",
            "ħ",
            "ɾ",
        }
    maltese = first_language(f"{out}:mlt")
    assert maltese.has("ɾ")
    assert not maltese.has("p")  # of the inventory with the higher number
    assert first_language(f"{out}:Korean").source == "upsid"


@pytest.mark.parametrize(
    "content",
    ["", "a,b\n1,2\n", PHOIBLE.splitlines()[0] + "\n", PHOIBLE.replace("\n9,", "\nnine,")],
)
def test_another_table_is_refused_and_nothing_is_written(tmp_path: Path, content: str) -> None:
    source, out = tmp_path / "phoible.csv", tmp_path / "more.csv"
    source.write_text(content, encoding="utf-8")
    with pytest.raises(InputError):
        convert_phoible(source, out)
    assert list(tmp_path.iterdir()) == [source]


def test_an_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    source = tmp_path / "phoible.csv"
    source.write_text(PHOIBLE, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        convert_phoible(source, tmp_path / "nowhere" / "more.csv")
