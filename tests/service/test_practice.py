import pytest

from nativeear.service.practice import _shipped, practice, practice_languages
from nativeear.speech.pronunciation import Pronouncer


@pytest.mark.parametrize("language", practice_languages())
def test_sets_are_whole_and_none_comes_twice(language):
    found = practice(language)
    assert found.language == language
    assert len({item.id for item in found.sets}) == len(found.sets) >= 3
    sentences = [sentence for item in found.sets for sentence in item.sentences]
    assert len(set(sentences)) == len(sentences)
    for sentence in sentences:
        assert sentence == sentence.strip()
        assert sentence[-1] in ".?!"
    assert all(item.title and item.about and len(item.sentences) >= 4 for item in found.sets)


def test_a_tag_finds_its_language():
    assert practice("en-US") == practice("en_GB") == practice("en")


def test_a_language_without_sets_has_none():
    assert practice("xx").sets == ()
    assert practice("../practice/en").sets == ()


def test_every_english_word_can_be_pronounced():
    pronouncer = Pronouncer("en-US")
    for item in practice("en").sets:
        for sentence in item.sentences:
            assert pronouncer.missing(sentence) == ()


def test_languages_without_sets_are_not_kept() -> None:
    before = _shipped.cache_info().currsize
    for number in range(50):
        assert practice(f"x{number}").sets == ()
    assert _shipped.cache_info().currsize == before
