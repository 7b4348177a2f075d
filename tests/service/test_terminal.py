import io

import pytest
from rich.console import Console

from nativeear.scoring.assessment import Assessment, Scores
from nativeear.service.terminal import render


def shown(assessment: Assessment, **options: object) -> str:
    file = io.StringIO()
    Console(file=file, **({"width": 100} | options)).print(render(assessment))  # type: ignore[arg-type]
    return file.getvalue()


def test_a_line_per_word_with_marks_that_need_no_colour(assessment: Assessment) -> None:
    lines = [line.split() for line in shown(assessment).splitlines()]
    assert ["91", "I", "aɪ"] in lines
    assert ["33", "think", "θ×", "ɪ", "ŋ~", "k−"] in lines
    assert ["–", "azure", "ʒ?"] in lines


def test_every_mark_is_explained(assessment: Assessment) -> None:
    text = shown(assessment)
    for words in ("× another sound was heard", "− not heard", "? cannot be judged", "~ understood"):
        assert words in text


def test_what_was_read_beside_the_text_is_marked_and_explained(slipped: Assessment) -> None:
    lines = [line.split() for line in shown(slipped).splitlines()]
    table = [line for line in lines if {"↻", "+", "think", "azure"} & set(line)]
    assert table[:3] == [
        ["91", "I", "↻", "aɪ"],
        ["0", "think", "left", "out"],
        ["–", "azure", "ʒ?"],
    ]
    assert table[3:] == [
        ["+", "so"],
        ["?", "cannot", "be", "judged", "↻", "said", "again", "+", "not", "in", "the", "text"],
    ]


def test_a_problem_says_what_was_heard_and_which_natives_say_so(assessment: Assessment) -> None:
    line = next(line for line in shown(assessment, width=300).splitlines() if "θ× in" in line)
    assert "“think”" in line
    assert "most like s (81%)" in line
    assert "as in native “sink”, “since”" in line
    assert "natives say θ in “thing”" in line


def test_the_worst_sound_comes_first_and_correct_ones_are_not_listed(
    assessment: Assessment,
) -> None:
    text = shown(assessment)
    places = [text.index(f"{sound} in “think”") for sound in ("k−", "θ×", "ŋ~")]
    assert places == sorted(places)
    assert "ɪ in “think”" not in text
    assert "ʒ? in" not in text


def test_insertions_and_warnings_are_shown(assessment: Assessment) -> None:
    text = shown(assessment)
    assert "s after “think” (0.80–0.91 s)" in text
    assert "Note: The recording has two channels; they were mixed." in text


def test_scores_that_were_not_measured_are_not_shown(assessment: Assessment) -> None:
    first = shown(assessment).splitlines()[0]
    assert first.split() == ["me", "overall", "62", "pronunciation", "62", "completeness", "100"]
    unmeasured = assessment.model_copy(update={"score": Scores()})
    assert "no score could be measured" in shown(unmeasured)


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_line_is_wider_than_the_terminal(assessment: Assessment, width: int) -> None:
    long = assessment.words[1].model_copy(update={"word": "Donaudampfschifffahrtsgesellschaft"})
    wide = assessment.model_copy(update={"words": (*assessment.words, long)})
    assert all(len(line) <= width for line in shown(wide, width=width).splitlines())


def test_colours_only_in_a_terminal(assessment: Assessment) -> None:
    assert "\x1b[" not in shown(assessment)
    assert "\x1b[1;31mθ×" in shown(assessment, force_terminal=True, color_system="standard")


def test_a_text_that_looks_like_markup_is_left_alone(assessment: Assessment) -> None:
    odd = assessment.model_copy(update={"id": "[red]x[/red]", "warnings": ("[bold]see[/]",)})
    assert "[red]x[/red]" in shown(odd)
    assert "[bold]see[/]" in shown(odd)


def test_many_problems_are_cut_short_and_said_to_be(assessment: Assessment) -> None:
    many = assessment.model_copy(update={"words": assessment.words * 5})
    assert "… and 3 more: see --json" in shown(many)
