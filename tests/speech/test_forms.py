"""Which form of a word was said, told by posteriors that are made for it."""

import csv
from pathlib import Path

import numpy as np
import pytest

import nativeear.speech
from nativeear.speech.aligners.frame_scores import frame_edges_s
from nativeear.speech.english import weak_forms
from nativeear.speech.forms import accepted_phones
from nativeear.speech.frames import Frames
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import label_map
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.reading.head import WHOLE
from nativeear.speech.reading.reading import phone_distances, read_text

DATA = Path(nativeear.speech.__file__).parent / "data"
ENGLISH = PhoneInventory.load("en-US")
LABELS = ("<blank>", *ENGLISH.symbols)


def heard(phones: str, *, unsure: dict[int, str] | None = None, floor: float = 1e-4) -> Frames:
    """Frames in which a head hears these phones, a blank after each; some as surely as others."""
    probabilities = []
    for i, phone in enumerate(phones.split()):
        row = np.full(len(LABELS), floor)
        row[LABELS.index(phone)] = 1.0
        if unsure and i in unsure:
            row[LABELS.index(unsure[i])] = 1.0
        blank = np.full(len(LABELS), floor)
        blank[0] = 1.0
        probabilities += [row, row, blank]
    log_probs = np.log(np.array(probabilities) / np.sum(probabilities, axis=1, keepdims=True))
    return Frames(
        np.zeros((len(log_probs), 4), np.float32), 0.02, 0.01, log_probs.astype(np.float32), LABELS
    )


def forms(text: str, frames: Frames, **lexicon: list[str]) -> list[str]:
    meant = Pronouncer(lexicon=lexicon or None).pronounce(text)
    head = label_map(frames.labels, ENGLISH)
    assert frames.log_probs is not None
    found = read_text(
        meant,
        head.pool(frames.log_probs),
        columns=head.columns,
        spelling=head.spelling,
        edges_s=frame_edges_s(frames, 0.02 * len(frames)),
        distances=phone_distances(head.columns, ENGLISH),
        model=WHOLE,
    )
    assert not found.omitted
    chosen = found.alignment.variants
    return [" ".join(w.variants[v].phones) for w, v in zip(meant.words, chosen, strict=True)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("to go", ["T UW", "G OW"]), ("to go", ["T AH", "G OW"]), ("to go", ["T IH", "G OW"]),
        ("go to", ["G OW", "D AH"]), ("bread and tea", ["B R EH D", "AH N", "T IY"]),
        ("and tea", ["AE N D", "T IY"]), ("with them", ["W IH TH", "AH M"]),
        ("for your", ["F ER", "Y ER"]), ("the end", ["DH IY", "EH N D"]),
        ("the key", ["DH AH", "K IY"]), ("a key", ["EY", "K IY"]),
    ],
)  # fmt: skip
def test_the_form_that_is_heard_is_taken(text: str, said: list[str]) -> None:
    assert forms(text, heard(" ".join(said))) == said


def test_the_first_form_is_taken_where_both_are_heard_alike() -> None:
    lexicon = {"one": ["HH AY", "HH IY"], "two": ["B EH T", "B AE T"]}
    alike = heard("HH AY B EH T", unsure={1: "IY", 3: "AE"})
    assert forms("one two", alike, **lexicon) == ["HH AY", "B EH T"]
    turned = {word: own[::-1] for word, own in lexicon.items()}
    assert forms("one two", alike, **turned) == ["HH IY", "B AE T"]


def test_the_prior_weighs_as_much_as_it_says() -> None:
    lexicon = {"one": ["HH AY", "HH IY"]}
    for nats, taken in ((WHOLE.costs.form - 0.2, "HH AY"), (WHOLE.costs.form + 0.2, "HH IY")):
        frames = heard("HH AY")
        assert frames.log_probs is not None
        log_probs = frames.log_probs.copy()
        # two frames of the vowel, of which the other form gets so much more in all
        own, other = LABELS.index("AY"), LABELS.index("IY")
        log_probs[3:5, other] = log_probs[3:5, own] + nats / 2
        frames = Frames(frames.embeddings, 0.02, 0.01, log_probs, LABELS)
        assert forms("one", frames, **lexicon) == [taken]


def test_phones_in_which_forms_differ_are_right_as_either() -> None:
    found = accepted_phones(
        Pronouncer(lexicon={"x": ["K AA T S", "K UW T", "G AA T S"]}).pronounce("x")
    )
    assert found == (("G",), ("UW", "AO"), (), ())


def test_natives_of_the_us_merge_cot_and_caught_but_not_before_r() -> None:
    def others(word: str, phones: str, language: str = "en-US") -> tuple[tuple[str, ...], ...]:
        return accepted_phones(Pronouncer(language, lexicon={word: [phones]}).pronounce(word))

    assert others("thought", "TH AO T") == ((), ("AA",), ())
    assert others("cot", "K AA T") == ((), ("AO",), ())
    assert others("cot", "K AA T", "en") == ((), ("AO",), ())
    assert others("car", "K AA R") == others("cord", "K AO R D")[:3] == ((), (), ())
    assert others("cot", "K AA T", "en-GB") == ((), (), ())
    given = given_phones("K AO T", ENGLISH, "caught", Pronouncer())
    assert accepted_phones(given) == ((), (), ())


def test_weak_forms_are_listed_after_the_dictionary_and_never_twice() -> None:
    for word in {row["word"] for row in csv.DictReader((DATA / "weak_forms.csv").open())}:
        (found,) = Pronouncer().pronounce(word).words
        sources = [form.source for form in found.variants]
        assert sources == sorted(sources)  # cmudict, then weak forms
        weak = [form.phones for form in found.variants if form.source == "weak forms"]
        assert weak
        assert len(set(weak)) == len(weak)
        assert not {*weak} & {f.phones for f in found.variants if f.source == "cmudict"}
    assert len(weak_forms("And")) == 4
    assert weak_forms("zebra") == ()
    own = Pronouncer(lexicon={"and": ["AE N D"]}).pronounce("and").words[0]
    assert len(own.variants) == 1
