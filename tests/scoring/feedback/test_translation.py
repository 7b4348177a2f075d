"""Results whose advice is in another language."""

import pytest

from nativeear.scoring.assessment import Insertion
from nativeear.scoring.feedback.articulation import inserted
from nativeear.scoring.feedback.remarks import with_feedback
from nativeear.scoring.feedback.sentences import languages, note_on_new_sound, sentence, texts
from nativeear.scoring.feedback.translation import with_advice_in
from nativeear.speech.errors import InputError
from nativeear.speech.first_languages import first_language
from nativeear.speech.inventory import PhoneInventory
from tests.scoring.feedback.test_remarks import SINK, assessment

ENGLISH = PhoneInventory.load("en")
EXTRA = Insertion(phone="S", after_word_index=0, start_s=0.5, end_s=0.6)
FOUND = with_feedback(assessment(SINK, insertions=(EXTRA,)), ENGLISH, "zh")


@pytest.mark.parametrize("language", languages())
def test_all_advice_of_a_result_is_in_the_language(language: str) -> None:
    told = with_advice_in(FOUND, language, ENGLISH)
    assert told.remarks
    for remark in told.remarks:
        assert remark.advice is not None
        assert remark.text == sentence(remark.advice, language)
    for phone in told.phones:
        assert phone.feedback == ("" if not phone.advice else sentence(phone.advice, language))
    advice = inserted("s").model_copy(update={"place": "after", "words": ("think",)})
    assert told.insertions[0].feedback == sentence(advice, language)
    note = next(remark.l1_note for remark in told.remarks if remark.phone == "TH")
    assert note is not None
    assert texts(language)["language.zh"] in note
    assert "/θ/" in note
    assert told.score == FOUND.score
    assert with_advice_in(told, "en", ENGLISH) == FOUND


def test_a_language_of_an_imported_table_is_named_as_it_is_there() -> None:
    new = next(remark.new_sound for remark in FOUND.remarks if remark.new_sound)
    told = note_on_new_sound(new.model_copy(update={"language": "Malti"}), "θ", "s", "de")
    assert "Malti" in told


def test_the_note_is_what_the_first_language_says_in_english() -> None:
    for remark in FOUND.remarks:
        if remark.new_sound:
            heard = ENGLISH.phone(remark.heard) if remark.heard else None
            said = first_language("zh").note(ENGLISH.phone(remark.phone), heard)
            assert note_on_new_sound(remark.new_sound, remark.ipa, remark.heard_ipa) == said


def test_a_language_without_advice_is_refused() -> None:
    with pytest.raises(InputError, match="No advice is given in 'pt'"):
        with_advice_in(FOUND, "pt", ENGLISH)
