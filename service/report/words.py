"""The sentence in colours, and what stands behind each word: its sounds and their evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nativeear.scoring.assessment import (
    Assessment,
    ExemplarEvidence,
    PhoneAssessment,
    WordAssessment,
)
from nativeear.scoring.grading import quality_of
from nativeear.scoring.verdicts import FLAGGED, MEANINGS, SYMBOLS
from nativeear.service.report.clips import MARGIN_S, NativeClip
from nativeear.service.report.markup import Markup, element, joined
from nativeear.service.report.scale import LEARNER, marked, play_list, short_score

MAX_DETAILED = 400
"""Sounds whose evidence is shown, the worst first; of the rest, the scores alone."""


def by_need(assessment: Assessment) -> list[int]:
    """Places of the phones in the assessment: flagged ones first, the lowest scores first."""
    phones = assessment.phones

    def need(place: int) -> tuple[bool, float]:
        score = phones[place].score
        return phones[place].verdict not in FLAGGED, 101.0 if score is None else score

    return sorted(range(len(phones)), key=need)


def sentence(assessment: Assessment) -> Markup:
    """The words as buttons that open their panels, and the meaning of the marks."""
    words = (
        element(
            "button",
            element("span", word.word, class_="text", lang=assessment.language, dir="auto"),
            element("span", short_score(word.score), _mark_of(word), class_="score"),
            type="button",
            class_=f"word {quality_of(word.score)}" + (" omitted" if word.omitted else ""),
            aria_expanded="false",
            aria_controls=f"word-{number}",
            aria_label=_spoken(word),
        )
        for number, word in enumerate(assessment.words)
    )
    given = {phone.verdict for phone in assessment.phones}
    legend = (
        element("li", element("b", mark), f" {MEANINGS[verdict]}")
        for verdict, mark in SYMBOLS.items()
        if mark and verdict in given
    )
    return joined(element("p", *words, class_="sentence"), element("ul", *legend, class_="legend"))


def panels(
    assessment: Assessment, clips: Mapping[int, NativeClip], ipa: Callable[[str], str]
) -> Markup:
    """One panel per word: its sounds, scores and evidence, and the buttons to listen.

    Parameters
    ----------
    assessment
        The result.
    clips
        Native clips by row of the index.
    ipa
        Writes a phone of the index in IPA.
    """
    detailed = set(by_need(assessment)[:MAX_DETAILED])
    made, place = [], 0
    for number, word in enumerate(assessment.words):
        cards = []
        for phone in word.phones:
            opened = phone.verdict in FLAGGED or len(word.phones) == 1
            rest = _details(word, phone, clips, ipa) if place in detailed else None
            cards.append(_card(phone, rest, opened=opened))
            place += 1
        flagged = any(phone.verdict in FLAGGED for phone in word.phones)
        made.append(
            element(
                "section",
                element(
                    "h3",
                    element("span", word.word, lang=assessment.language, dir="auto"),
                    element("small", _word_note(word)),
                    _button("Hear it", _stretches_of(word), f"Hear the learner’s “{word.word}”"),
                ),
                *cards,
                id=f"word-{number}",
                class_="panel flagged" if flagged else "panel",
                aria_label=f"Sounds of “{word.word}”",
                hidden=True,
            )
        )
    return joined(*made)


def _spoken(word: WordAssessment) -> str:
    """A word, its score and what was found, for those who hear the page."""
    found = dict.fromkeys(
        MEANINGS[phone.verdict] for phone in word.phones if SYMBOLS[phone.verdict]
    )
    score = "not measured" if word.score is None else f"{word.score:.0f}"
    return ", ".join((word.word, score, *(("left out",) if word.omitted else found)))


def _mark_of(word: WordAssessment) -> str | None:
    """The marks of a word's sounds, each once; of a word left out, that it was."""
    if word.omitted:
        return " left out"
    marks = dict.fromkeys(SYMBOLS[phone.verdict] for phone in word.phones)
    return " " + "".join(marks) if any(marks) else None


def _word_note(word: WordAssessment) -> str:
    score = "not measured" if word.score is None else f"{word.score:.0f} of 100"
    if word.omitted:
        return f"{score}, left out"
    if word.start_s is not None and word.end_s is not None:
        score += f", {word.start_s:.2f}–{word.end_s:.2f} s"
    if word.stress is None or word.stress.observed is None:
        return score
    if word.stress.observed == word.stress.expected:
        return f"{score}, stressed where it should be"
    return (
        f"{score}, stressed on syllable {word.stress.observed + 1} "
        f"instead of {word.stress.expected + 1}"
    )


def _card(phone: PhoneAssessment, rest: Markup | None, *, opened: bool) -> Markup:
    head = (
        element("span", marked(phone), class_="ipa"),
        element("span", short_score(phone.score), class_="score"),
        element("span", MEANINGS[phone.verdict], class_="verdict"),
    )
    class_ = f"phone {quality_of(phone.score)}"
    if rest is None:
        return element("div", element("p", *head, class_="head"), class_=class_)
    return element(
        "details", element("summary", *head, class_="head"), rest, class_=class_, open=opened
    )


def _details(
    word: WordAssessment,
    phone: PhoneAssessment,
    clips: Mapping[int, NativeClip],
    ipa: Callable[[str], str],
) -> Markup:
    chance = phone.probability_mispronounced
    return element(
        "div",
        element(
            "div",
            element("p", phone.feedback, class_="feedback") if phone.feedback else None,
            element(
                "p",
                "Probability of a mispronunciation: ",
                element("b", "not measured" if chance is None else f"{chance:.0%}"),
            ),
            _resemblance(phone),
            _numbers(phone),
        ),
        _listening(word, phone, clips, ipa),
        class_="columns",
    )


def _resemblance(phone: PhoneAssessment) -> Markup | None:
    """Bars of the phones that the sound is like; of a sound that is missing, none."""
    if not phone.sounds_like or phone.verdict == "deleted":
        return None
    rows = (
        element(
            "tr",
            element("th", heard.ipa, class_="ipa", scope="row"),
            element(
                "td",
                element(
                    "svg",
                    element("rect", class_="full", width="100", height="8"),
                    element("rect", class_="bar", width=100 * heard.probability, height="8"),
                    viewBox="0 0 100 8",
                    preserveAspectRatio="none",
                    aria_hidden="true",
                ),
            ),
            element("td", f"{heard.probability:.0%}", class_="number"),
        )
        for heard in phone.sounds_like
    )
    return element("table", element("caption", "Sounds like"), *rows, class_="resemblance")


def _numbers(phone: PhoneAssessment) -> Markup:
    """The measurements behind the verdict, for those who know them."""
    knn, gop = phone.knn, phone.gop
    values = (
        ("phone", phone.phone),
        ("neighbours asked", str(knn.k)),
        ("exemplars of the phone", str(knn.coverage)),
        ("margin", _measured(knn.margin)),
        ("share that is canonical", _measured(knn.canonical_share)),
        ("GOP-SF", _measured(gop.sf)),
        ("GOP-SF with deletion", _measured(gop.sf_sd)),
        ("GOP margin", _measured(gop.margin)),
    )
    rows = (joined(element("dt", name), element("dd", value)) for name, value in values)
    return element("details", element("summary", "Numbers"), element("dl", *rows), class_="numbers")


def _measured(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _listening(
    word: WordAssessment,
    phone: PhoneAssessment,
    clips: Mapping[int, NativeClip],
    ipa: Callable[[str], str],
) -> Markup:
    """The learner's sound and word, and those of the natives nearest to it, to hear in turn."""
    sound, whole = _stretches_of(phone), _stretches_of(word)
    rows = [
        element(
            "tr",
            element("th", "Learner", scope="row"),
            element("td", _button("sound", sound, f"Hear the learner’s {phone.ipa}")),
            element("td", _button("word", whole, f"Hear the learner’s “{word.word}”")),
        )
    ]
    for item in phone.evidence:
        clip = clips.get(item.exemplar)
        heard: tuple[tuple[str, float, float], ...] = ()
        said: tuple[tuple[str, float, float], ...] = ()
        if clip is not None:
            heard = ((clip.id, clip.start_s, clip.end_s),)
            said = ((clip.id, 0.0, clip.duration_s),)
        sound, whole = sound + heard, whole + said
        name = f"{ipa(item.phone)} in native “{item.word}”"
        rows.append(
            element(
                "tr",
                element("th", _named(item, ipa), scope="row"),
                element("td", _button("sound", heard, f"Hear {name}")),
                element("td", _button("word", said, f"Hear native “{item.word}”")),
            )
        )
    if len(sound) > 1 or len(whole) > 1:
        rows.append(
            element(
                "tr",
                element("th", "All in turn", scope="row"),
                element("td", _button("sounds", sound, "Hear all sounds in turn")),
                element("td", _button("words", whole, "Hear all words in turn")),
            )
        )
    if not phone.evidence:
        note = "No native exemplars stand behind this verdict."
    elif not any(item.exemplar in clips for item in phone.evidence):
        note = "No recordings of these native words are at hand."
    else:
        note = None
    return element(
        "div",
        element("table", element("caption", "Listen"), *rows, class_="listen")
        if phone.evidence or sound
        else None,
        element("p", note, class_="note") if note else None,
        class_="listening",
    )


def _named(item: ExemplarEvidence, ipa: Callable[[str], str]) -> Markup:
    """An exemplar by its phone, word, speaker and similarity."""
    return joined(
        element("span", ipa(item.phone), class_="ipa"),
        f" in “{item.word}”" if item.word else None,
        element("small", f"speaker {item.speaker}, similarity {item.similarity:.2f}"),
    )


def _stretches_of(part: WordAssessment | PhoneAssessment) -> tuple[tuple[str, float, float], ...]:
    """Where a word or phone is to be heard in the learner's recording; nowhere if not found."""
    if part.start_s is None or part.end_s is None:
        return ()
    return ((LEARNER, max(0.0, part.start_s - MARGIN_S), part.end_s + MARGIN_S),)


def _button(
    text: str, stretches: tuple[tuple[str, float, float], ...], label: str
) -> Markup | None:
    """A button that plays; none where there is nothing to play."""
    if not stretches:
        return None
    return element(
        "button",
        element("span", "▶", class_="sign", aria_hidden="true"),
        f" {text}",
        type="button",
        class_="play",
        data_play=play_list(*stretches),
        aria_label=label,
    )
