import pytest

from nativeear.service.sounds import sounds
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer

ENGLISH = PhoneInventory.load("en-US")


def test_every_english_sound_has_an_example_that_has_it() -> None:
    pronouncer = Pronouncer("en-US")
    for sound in sounds(ENGLISH):
        assert sound.example
        assert sound.letters in sound.example
        assert sound.respelling
        variants = pronouncer.pronounce(sound.example).words[0].variants
        assert any(sound.phone in variant.phones for variant in variants), sound.example
    respellings = [sound.respelling for sound in sounds(ENGLISH)]
    assert len(set(respellings)) == len(respellings)


def test_the_mouth_follows_from_the_chart() -> None:
    by_phone = {sound.phone: sound.mouth for sound in sounds(ENGLISH)}
    th, z, ng = by_phone["TH"], by_phone["Z"], by_phone["NG"]
    assert th and (th.place, th.manner, th.voiced) == ("dental", "fricative", False)
    assert z and z.voiced
    assert ng and ng.nasal
    iy, oy = by_phone["IY"], by_phone["OY"]
    assert iy and [vowel.height for vowel in iy.vowels] == ["close"]
    assert oy and [vowel.rounded for vowel in oy.vowels] == [True, False]
    assert all(by_phone.values())


@pytest.mark.parametrize("language", ["de-DE", "es-MX", "fr-CA", "it-IT"])
def test_other_languages_have_mouths_without_examples(language: str) -> None:
    found = sounds(PhoneInventory.load(language))
    assert all(sound.example is None for sound in found)
    assert sum(sound.mouth is not None for sound in found) > 0.9 * len(found)
