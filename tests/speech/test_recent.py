import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.recent import RecentAnswers


def test_the_answers_that_came_last_are_kept() -> None:
    kept: RecentAnswers[str, int] = RecentAnswers(2)
    kept.add({"a": 1, "b": 2})
    kept.add({"c": 3})
    assert [kept.get(word) for word in "abc"] == [None, 2, 3]
    assert len(kept) == 2
    assert len(pickle.loads(pickle.dumps(kept))) == 0  # noqa: S301


def test_many_threads_may_push_answers_out() -> None:
    kept: RecentAnswers[int, int] = RecentAnswers(3)

    def work(start: int) -> None:
        for i in range(start, start + 3000):
            kept.add({i: -i})
            assert kept.get(i) in {None, -i}

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(work, range(0, 24_000, 3000)))
    finally:
        sys.setswitchinterval(before)
    assert len(kept) == 3


def test_a_word_that_another_thread_is_looking_up_is_not_without_a_pronunciation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from nativeear.speech.g2p import espeak

    pronouncer, entered, goes_on = Pronouncer(), threading.Event(), threading.Event()
    transcribe = espeak.transcribe

    def slow(name: str, words: list[str]) -> list[str]:
        entered.set()
        assert goes_on.wait(30)
        return transcribe(name, words)

    text = "Your zorblaxian message has been saved"
    monkeypatch.setattr(espeak, "transcribe", slow)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(pronouncer.pronounce, text)
        assert entered.wait(30)
        others = [threads.submit(pronouncer.pronounce, text) for _ in range(3)]
        spelt = threads.submit(pronouncer.missing, text)
        threading.Timer(0.2, goes_on.set).start()
        expected = Pronouncer().pronounce(text)
        assert [done.result() for done in (first, *others)] == [expected] * 4
        assert spelt.result() == ()


def test_new_words_by_the_dozen_in_eight_threads() -> None:
    syllables = ["zor", "bla", "xi", "plim", "kra", "vun", "teg"]
    texts = [f"the {a}{b}{c} of {b}{a}" for a in syllables for b in syllables for c in ("n", "st")]
    alone = [Pronouncer().pronounce(text) for text in texts]
    shared = Pronouncer()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(shared.pronounce, texts)) == alone
            assert list(threads.map(shared.pronounce, reversed(texts))) == alone[::-1]
    finally:
        sys.setswitchinterval(before)


def test_words_and_labels_are_not_kept_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nativeear.speech.pronunciation.MOST_WORDS", 10)
    monkeypatch.setattr("nativeear.speech.labels.MOST_LABELS", 10)
    inventory = PhoneInventory.load("en-US")
    pronouncer = Pronouncer(inventory=inventory)
    said = pronouncer.pronounce(" ".join(f"zorb{'a' * i}x" for i in range(1, 31)))
    assert len(said.words) == 30
    for i in range(30):
        assert not inventory.knows(f"QQ{i}")
    assert len(pronouncer._words) == 10
    assert len(inventory._labels._read) == 10
