"""A cache of answers for objects that threads share and processes copy."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")


class RecentAnswers(Generic[Question, Answer]):
    """The latest answers, at most so many. Safe to share between threads.

    Whoever works answers out adds them together and goes on with their own copy: others may have
    pushed them out by then. (`functools.lru_cache` asks one by one, and cannot be pickled.)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: dict[Question, Answer] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def __reduce__(self) -> tuple[type[RecentAnswers[Question, Answer]], tuple[int]]:
        return type(self), (self._most,)  # another process works them out for itself

    def get(self, question: Question) -> Answer | None:
        """The answer, or None where it is not kept."""
        return self._answers.get(question)

    def add(self, answers: Mapping[Question, Answer]) -> None:
        """Keep answers, and forget those that came first where they get too many."""
        with self._lock:
            self._answers.update(answers)
            while len(self._answers) > self._most:
                del self._answers[next(iter(self._answers))]
