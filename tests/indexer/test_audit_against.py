from collections import Counter
from pathlib import Path

import pytest

from nativeear.indexer.audit.against import AgainstReport, against
from nativeear.indexer.audit.coverage import coverage
from nativeear.indexer.audit.needs import MIN_CONTEXT, IndexContents
from nativeear.indexer.audit.script import Script, greedy_script
from nativeear.indexer.audit.vocabulary import record_next, vocabulary_of
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.errors import InputError


def ask(index: PhoneIndex, source: object) -> AgainstReport:
    return against(index, coverage(index), str(source))


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    path = tmp_path / "practice.txt"
    path.write_text("See me.\n\nSee me.\nSee a seat.\nMa!\n—\n", encoding="utf-8")
    return path


def test_sentences_are_told_what_the_index_can_judge(
    tone_index: PhoneIndex, practice: Path
) -> None:
    found = ask(tone_index, practice)
    assert found.kind == "text"
    see, seat, ma, nothing = found.lines
    assert see.phones == ("S", "IY", "M", "IY")
    assert see.judged_share == 1
    assert see.uncertain == ()
    assert seat.uncertain == ("AH", "T")
    assert seat.judged_share == pytest.approx(4 / 6, abs=1e-4)
    assert ma.judged_share == 1
    assert nothing.problem
    assert nothing.judged_share is None
    assert found.missing == ("AH", "T")
    assert found.uncertain == ()
    total = [p for line in found.lines for p in line.phones]
    judged = [p for p in total if p in {"S", "IY", "M", "AA"}]
    assert found.judged_share == pytest.approx(len(judged) / len(total), abs=1e-4)


def test_thin_contexts_are_those_that_the_index_has_hardly_heard(
    tone_index: PhoneIndex, practice: Path
) -> None:
    report = coverage(tone_index)
    seen = {p.phone: p.contexts for p in report.phones}
    classes = report.context_classes
    for line in ask(tone_index, practice).lines:
        for thin in line.thin:
            before, after = classes.index(thin.before), classes.index(thin.after)
            assert seen[thin.phone][before][after] < MIN_CONTEXT


def test_the_script_closes_every_gap_that_the_text_can_close(
    tone_index: PhoneIndex, practice: Path
) -> None:
    found = ask(tone_index, practice)
    assert found.script.lines[0].text == "See a seat."  # it alone has the phones that are missing
    closes_all(found.script)
    told = {line.text: line.times for line in found.script.lines}
    assert told["See a seat."] == 10  # an unheard phone that it has once


def closes_all(script: Script) -> None:
    lefts = [line.left for line in script.lines]
    assert lefts == sorted(lefts, reverse=True)
    assert lefts[-1] == 0
    assert script.gaps == sum(line.fills for line in script.lines)
    assert all(line.times >= 1 and line.fills >= 1 for line in script.lines)


def test_said_so_often_the_script_closes_what_it_lists(
    tone_index: PhoneIndex, practice: Path
) -> None:
    report = coverage(tone_index)
    held = IndexContents.of(report, tone_index.inventory)
    found = ask(tone_index, practice)
    phones = {line.text: line.phones for line in found.lines}
    said: Counter[tuple[str, ...]] = Counter()
    for line in found.script.lines:
        for need, count in held.offers(phones[line.text]).items():
            said[need] += line.times * count
    wanted = {need for line in found.lines for need in held.offers(line.phones)}
    missing = held.lacking(wanted)
    assert sum(missing.values()) == found.script.gaps > 0
    assert all(said[need] >= count for need, count in missing.items())


def test_without_a_text_the_words_of_the_language_tell_what_to_record() -> None:
    index = PhoneIndex.open(find_index("en-US"))
    vocabulary = vocabulary_of(index)
    report = coverage(index, vocabulary.contexts)
    found = record_next(vocabulary, IndexContents.of(report, index.inventory))
    assert found.words == len(vocabulary.phones) > 3000
    closes_all(found.script)
    zh = sum(line.times for line in found.script.lines if "ZH" in vocabulary.phones[line.text])
    assert zh >= 8  # two are held, of the ten that make it judged
    assert {p.phone for p in report.phones if not p.judged} == {"ZH"}


def test_contexts_that_the_language_forbids_are_not_unseen() -> None:
    index = PhoneIndex.open(find_index("en-US"))
    vocabulary = vocabulary_of(index)
    phones = {p.phone: p for p in coverage(index, vocabulary.contexts).phones}
    assert not [pair for pair in phones["NG"].unseen or () if pair[0] == "silence"]
    # [h] ends no English word, and no word has lacked it at its beginning.
    assert not [pair for pair in phones["HH"].unseen or () if "silence" in pair]
    assert ("ZH", "vowel", "vowel") in vocabulary.contexts  # measure
    for phone in phones.values():
        for before, after in phone.unseen or ():
            assert vocabulary.contexts[phone.phone, before, after] > 0
    assert all(p.unseen is None for p in coverage(index).phones)


def test_the_greedy_choice_is_the_best_for_its_length() -> None:
    needs = {("A",): 2, ("B",): 1, ("C",): 1, ("A", "x", "y"): 1}
    candidates = [
        ("a long one", Counter({("A",): 2, ("B",): 1, ("D",): 40})),
        ("a short one", Counter({("A",): 2, ("B",): 1, ("A", "x", "y"): 1})),
        ("nothing new", Counter({("A",): 1})),
        ("the rest", Counter({("C",): 3})),
    ]
    script = greedy_script(candidates, needs)
    assert [line.text for line in script.lines] == ["a short one", "the rest"]
    assert [line.left for line in script.lines] == [1, 0]
    assert [line.fills for line in script.lines] == [4, 1]
    often = greedy_script(candidates, {("A",): 5, ("C",): 4, ("E",): 9})
    told = {line.text: line.times for line in often.lines}
    assert told == {"the rest": 2, "a short one": 2, "nothing new": 1}
    assert often.gaps == 9  # nothing offers E
    assert greedy_script(candidates, {("A",): 0}).lines == ()


def test_a_lexicon_is_read_word_by_word(tone_index: PhoneIndex, tmp_path: Path) -> None:
    path = tmp_path / "words.dict"
    path.write_text(";;; mine\nsama S AA1 M AA0\nsama(2) S IY1 M AA0\nzee Z IY1\n", "utf-8")
    found = ask(tone_index, path)
    assert found.kind == "lexicon"
    assert [line.text for line in found.lines] == ["sama", "zee"]
    assert found.lines[0].phones == ("S", "AA", "M", "AA")
    assert found.missing == ("Z",)
    assert found.script.lines[0].text == "zee"


def test_words_of_a_curriculum_are_told_by_level(tone_index: PhoneIndex, tmp_path: Path) -> None:
    path = tmp_path / "cefr.csv"
    path.write_text(
        "headword;pos;CEFR_level\nsee;verb;A1\nme;pron;A1\nseat/see;noun;B1\nma;noun;\nxq—;;A1\n",
        encoding="utf-8",
    )
    found = ask(tone_index, path)
    assert found.kind == "words"
    assert [(line.text, line.level) for line in found.lines] == [
        ("see", "A1"),
        ("me", "A1"),
        ("seat", "B1"),
        ("ma", ""),
        ("xq—", "A1"),
    ]
    first, second = found.levels
    known = sum(line.level == "A1" and bool(line.phones) for line in found.lines)
    assert (first.level, first.words) == ("A1", known)
    assert (second.level, second.words, second.whole) == ("B1", 1, 0)
    assert second.judged_share == pytest.approx(2 / 3, abs=1e-4)  # S and IY, but no T
    assert 0 <= second.thin_contexts <= second.contexts == 3
    (tmp_path / "none.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="names no column of words"):
        ask(tone_index, tmp_path / "none.csv")


def test_a_language_of_phoibles_table(tone_index: PhoneIndex, tmp_path: Path) -> None:
    path = tmp_path / "phoible.csv"
    rows = ["InventoryID,Glottocode,ISO6393,LanguageName,Phoneme,Allophones,Marginal,Source"]
    for number, iso, sound, marginal in (
        (2, "eng", "x", "FALSE"),
        (1, "eng", "iː", "FALSE"),
        (1, "eng", "s", "FALSE"),
        (1, "eng", "t̠ʃ", "FALSE"),
        (1, "eng", "ħ", "FALSE"),
        (1, "eng", "ɬ", "TRUE"),
        (3, "fra", "y", "FALSE"),
    ):
        rows.append(f"{number},stan1293,{iso},English,{sound},{sound} ɓ,{marginal},test")
    path.write_text("\n".join(rows), encoding="utf-8")
    found = ask(tone_index, f"{path}:eng")
    assert (found.kind, found.source) == ("inventory", "phoible.csv:eng")
    assert found.phones == ("IY", "S", "CH", "ħ")
    assert found.missing == ("CH", "ħ")
    with pytest.raises(InputError, match="many languages"):
        ask(tone_index, path)
    with pytest.raises(InputError, match="no sounds of a language 'xyz'"):
        ask(tone_index, f"{path}:xyz")


def test_inventories_are_a_language_a_list_or_json(tone_index: PhoneIndex, tmp_path: Path) -> None:
    assert ask(tone_index, "en").kind == "inventory"
    assert "TH" in ask(tone_index, "en-GB").missing
    listed = tmp_path / "few.phones"
    listed.write_text("IY\ns\nθ\n", encoding="utf-8")
    found = ask(tone_index, listed)
    assert found.phones == ("IY", "S", "TH")
    assert found.missing == ("TH",)
    assert found.judged_share == pytest.approx(2 / 3, abs=1e-4)
    import json

    whole = tmp_path / "all.json"
    whole.write_text(json.dumps(tone_index.inventory.to_json(), indent=1), encoding="utf-8")
    assert ask(tone_index, whole).phones == tone_index.inventory.symbols


def test_an_inventory_of_another_language_is_refused(
    tone_index: PhoneIndex, tmp_path: Path
) -> None:
    """French [s] is not English [s], though both are written with the same letter."""
    import json

    from nativeear.speech.inventory import PhoneInventory

    french = tmp_path / "french.json"
    french.write_text(json.dumps(PhoneInventory.load("fr").to_json()), encoding="utf-8")
    for source in ("fr", "de", french):
        with pytest.raises(InputError, match="the index is of en-US") as caught:
            ask(tone_index, source)
        assert caught.value.fix


@pytest.mark.parametrize(
    ("name", "text"),
    [("none.txt", None), ("empty.txt", "\n"), ("bad.json", "{"), ("bad.phones", " ")],
)
def test_what_cannot_be_used_is_refused(
    tone_index: PhoneIndex, tmp_path: Path, name: str, text: str | None
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        ask(tone_index, tmp_path / name)
