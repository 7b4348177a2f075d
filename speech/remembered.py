"""Answers that were worked out before, for objects that threads share."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")


class Remembered(Generic[Question, Answer]):
    """The answers that came last. Safe to share between threads.

    An answer is either there and whole, or not there: whoever works one out adds it when it is
    known, and goes on with its own copy, for others may have pushed it out by then.

    Parameters
    ----------
    most
        How many are kept. Of more, those that came first are forgotten.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: dict[Question, Answer] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def __reduce__(self) -> tuple[type[Remembered[Question, Answer]], tuple[int]]:
        return type(self), (self._most,)  # another process remembers for itself

    def get(self, question: Question) -> Answer | None:
        """The answer, or None where it is not remembered."""
        return self._answers.get(question)

    def add(self, answers: Mapping[Question, Answer]) -> None:
        """Remember answers."""
        with self._lock:
            self._answers.update(answers)
            while len(self._answers) > self._most:
                del self._answers[next(iter(self._answers))]
