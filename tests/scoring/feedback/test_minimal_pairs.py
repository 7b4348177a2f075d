from nativeear.scoring.feedback.minimal_pairs import MAX_PAIRS, NOTHING, find_pairs, pairs_of
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.tables import table

WORDS = [
    ("see", ("S", "IY")),
    ("sink", ("S", "IH", "NG", "K")),
    ("think", ("TH", "IH", "NG", "K")),
    ("thing", ("TH", "IH", "NG")),
    ("sing", ("S", "IH", "NG")),
    ("sea", ("S", "IY")),
]


def test_pairs_of_a_handful_of_words() -> None:
    pairs = find_pairs(WORDS)
    assert pairs.of("TH", "S") == (("think", "sink"), ("thing", "sing"))
    assert pairs.of("S", "TH") == (("sink", "think"), ("sing", "thing"))
    assert pairs.of("K", NOTHING) == (("think", "thing"), ("sink", "sing"))
    assert pairs.of("IY", "IH") == ()
    assert set(pairs.by_contrast) == {("S", "TH"), ("K", NOTHING)}  # sea and see are one sound


def test_pairs_to_practise_are_few_and_repeat_no_word() -> None:
    english = PhoneInventory.load("en")
    pairs = pairs_of(english)
    assert pairs is not None
    phones = {row["word"]: row["phones"].split() for row in table("common_words_en")}
    for meant, heard in (("TH", "S"), ("IH", "IY"), ("R", "L"), ("T", NOTHING)):
        chosen = pairs.to_practise(meant, heard)
        assert len(chosen) == MAX_PAIRS
        assert len({word for pair in chosen for word in pair}) == 2 * MAX_PAIRS
        for ours, theirs in chosen:
            i = next(
                i
                for i, phone in enumerate(phones[ours])
                if phone == meant
                and [*phones[ours][:i], *([heard] if heard else []), *phones[ours][i + 1 :]]
                == phones[theirs]
            )
            assert i >= 0


def test_words_are_those_of_the_dictionary() -> None:
    from nativeear.speech.pronunciation import Pronouncer

    pronouncer = Pronouncer("en-US")
    for row in table("common_words_en")[::50]:
        (word,) = pronouncer.pronounce(row["word"]).words
        assert " ".join(word.variants[0].phones) == row["phones"]


def test_a_language_without_a_lexicon_has_none() -> None:
    assert pairs_of(PhoneInventory.load("fr")) is None


def test_functional_load_runs_from_0_to_1_and_knows_what_matters() -> None:
    english = PhoneInventory.load("en")
    pairs = pairs_of(english)
    assert pairs is not None
    loads = {
        (a, b): pairs.load(a, b)
        for a in english.symbols
        for b in (*english.symbols, NOTHING)
        if a != b
    }
    assert all(0.0 <= load <= 1.0 for load in loads.values())
    assert max(load for (_, b), load in loads.items() if b) == 1.0
    assert loads["L", "R"] == loads["R", "L"]
    assert loads["L", "R"] > loads["TH", "DH"]
    assert loads["IH", "IY"] > loads["UH", "UW"]
    assert loads["ZH", "JH"] == 0.0
