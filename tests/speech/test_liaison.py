import pytest

from nativeear.speech.pronunciation import Pronouncer

LINKED = """
les enfants | l e z ɑ̃ f ɑ̃
les amis | l e z a m i
un ami | œ̃ n a m i
mon ami | m ɔ̃ n a m i
bon ami | b ɔ n a m i
premier étage | p ʁ ə m j ɛ ʁ e t a ʒ
grand homme | ɡ ʁ ɑ̃ t ɔ m
nous avons | n u z a v ɔ̃
vous êtes | v u z ɛ t
les yeux | l e z j ø
les oiseaux | l e z w a z o
les héroïnes | l e z e ʁ ɔ i n
six heures | s i z œ ʁ
six livres | s i l i v ʁ
huit jours | ɥ i ʒ u ʁ
neuf ans | n œ v ɑ̃
dix-huit heures | d i z ɥ i t œ ʁ
deux cents ans | d ø s ɑ̃ z ɑ̃
vas-y | v a z i
prend-il | p ʁ ɑ̃ t i l
"""
UNLINKED = """
les haricots | l e a ʁ i k o
les héros | l e e ʁ o
les onze | l e ɔ̃ z
les yaourts | l e j a u ʁ t
les chats | l e ʃ a
neuf amis | n œ f a m i
"""
OPTIONAL = """
c'est un | c'est | s ɛ | s ɛ t
il est ici | est | ɛ | ɛ t
trop aimable | trop | t ʁ o | t ʁ o p
"""


def cases(text: str) -> list[list[str]]:
    return [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]


@pytest.fixture(scope="module")
def french() -> Pronouncer:
    return Pronouncer("fr-FR")


def said(pronouncer: Pronouncer, text: str, form: int = 0) -> str:
    words = [word.variants for word in pronouncer.pronounce(text).words]
    return " ".join(" ".join(forms[min(form, len(forms) - 1)].phones) for forms in words)


@pytest.mark.parametrize(("text", "phones"), cases(LINKED))
def test_obligatory_liaison_comes_first_and_is_one_of_the_forms(french, text, phones) -> None:
    assert said(french, text) == phones
    assert said(french, text, 9) != phones  # the word as it is said alone is listed, too


def test_the_t_of_an_inversion_is_a_sound_and_no_letter(french) -> None:
    assert said(french, "a-t-il") == "a t i l"


@pytest.mark.parametrize(("text", "phones"), cases(UNLINKED))
def test_nothing_is_linked_to_a_consonant_or_an_aspirated_h(french, text, phones) -> None:
    assert said(french, text) == phones
    assert all(len(word.variants) == 1 for word in french.pronounce(text).words)


@pytest.mark.parametrize(("text", "word", "plain", "linked"), cases(OPTIONAL))
def test_optional_liaison_comes_last(french, text, word, plain, linked) -> None:
    (found,) = (each for each in french.pronounce(text).words if each.word == word)
    assert [" ".join(form.phones) for form in found.variants] == [plain, linked]


def test_a_plural_noun_may_be_linked_and_a_singular_one_is_not(french) -> None:
    _, noun, _ = french.pronounce("des enfants aimables").words
    assert [" ".join(form.phones) for form in noun.variants] == ["ɑ̃ f ɑ̃", "ɑ̃ f ɑ̃ z"]
    _, noun, _ = french.pronounce("un soldat anglais").words
    assert len(noun.variants) == 1


def test_a_linked_form_is_whole(french) -> None:
    les, _ = french.pronounce("les amis").words
    form = les.variants[0]
    assert (form.source, form.stress, form.syllables) == ("liaison", (None, 1, None), ((0, 3),))


def test_other_languages_and_lexicons_are_left_alone() -> None:
    own = Pronouncer("fr", lexicon={"les": ["l ɛ"]})
    assert [" ".join(form.phones) for form in own.pronounce("les amis").words[0].variants] == [
        "l ɛ"
    ]
    assert len(Pronouncer("es").pronounce("los amigos").words[0].variants) == 1
