"""What a path finds beside the text is told only if the text alone explains it much worse."""

import numpy as np

from nativeear.speech.reading.beside import borne_out, odds
from nativeear.speech.reading.graph import Costs, spell
from nativeear.speech.reading.omission import Heard
from nativeear.speech.reading.path import Pass, best_reading
from tests.speech.reading.test_path import pronounced

COLUMNS = {"a": (1, 1), "b": (2, 2), "c": (3, 3)}
COSTS = Costs()
TEXT = pronounced("a b a", "b c b")


def told(said: str, *, extra: bool, probability: float = 0.97) -> bool:
    """Whether the first three of nine phones that are so likely are borne out as no part of it."""
    columns = np.repeat([".abc".index(phone) for phone in said], 4)
    log_probs = np.full((len(columns), 4), np.log((1 - probability) / 3))
    log_probs[np.arange(len(columns)), columns] = np.log(probability)
    heard = Heard.by(log_probs, np.full((4, 4), np.inf), columns != 0, COSTS)
    graph = spell(TEXT, COLUMNS, COSTS)

    def read(word: int, first: int) -> Pass:
        labels = np.flatnonzero(graph.spoken[graph.bounds[word] : graph.bounds[word + 1]])
        states = np.repeat(labels + graph.bounds[word], 2)
        return Pass(word, first, first + len(states), tuple(states.tolist()))

    beside = Pass(0, 0, 12, extra=True) if extra else read(0, 0)
    kept = (read(0, 12), read(1, 24))
    plain = best_reading(graph, log_probs, COSTS.forbidding())
    found = borne_out(
        (beside, *kept), kept, graph, heard, without=(plain.passes, graph), phones=lambda _: 3
    )
    assert found[-2:] == kept, "words that count stay"
    return beside in found


def test_what_the_text_alone_explains_badly_is_borne_out() -> None:
    assert told("abaababcb", extra=False)
    assert told("cacababcb", extra=True)


def test_what_the_text_alone_explains_as_well_is_not() -> None:
    assert not told("cacababcb", extra=True, probability=0.3)
    assert not told("aaaababcb", extra=True, probability=0.3)


def test_more_phones_need_fewer_nats_and_words_of_the_text_the_fewest() -> None:
    assert odds(20.0, 2, again=False) < 0 < odds(20.0, 4, again=False)
    assert odds(20.0, 2, again=False) < odds(20.0, 2, again=True)
    assert odds(5.0, 3, again=False) < 0 < odds(60.0, 3, again=False)
    assert odds(-3.0, 3, again=False) == odds(0.0, 3, again=False)
