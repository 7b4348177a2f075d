"""Utterances worked on side by side: by this process alone, or by several."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import chain
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

from nativeear.indexer.corpus import Utterance
from nativeear.indexer.utterances import UtterancePooler
from nativeear.speech.errors import CorpusError
from nativeear.speech.threads import one_thread_each

Task = Callable[[UtterancePooler, Utterance, Path], str]
"""Makes a file of an utterance; returns the reason if it has to be set aside, else ''. It is a
function of a module, so that it travels by name."""

Runner = Callable[[Task, Sequence[Utterance], Sequence[Path]], Iterator[str]]
"""Does a task for many utterances; the reasons come in their order."""

BATCH = 16
"""Utterances that a worker is given at a time, at most: it decodes them together."""


@contextmanager
def start_workers(pooler: UtterancePooler, workers: int) -> Iterator[Runner]:
    """As many workers as were asked for, each with a pooler like this one."""
    if workers <= 1:
        yield lambda task, utterances, paths: chain.from_iterable(
            run_batch(pooler, task, *part) for part in _parts(utterances, paths, 1)
        )
        return
    with spawned(workers, UtterancePooler, pooler.request) as run:
        yield lambda task, utterances, paths: chain.from_iterable(
            run(partial(_batch_of, task), _parts(utterances, paths, workers))
        )


@contextmanager
def spawned(
    workers: int, make: Callable[..., object], *arguments: object
) -> Iterator[Callable[..., Iterator[Any]]]:
    """Processes which each hold what is made of the arguments: a map over calls with it first.

    Spawned, not forked: torch and FAISS do not survive a fork of their threads.

    Raises
    ------
    CorpusError
        If a process was ended from outside.
    """
    with (
        one_thread_each(),
        ProcessPoolExecutor(
            workers,
            mp_context=get_context("spawn"),
            initializer=_start,
            initargs=(make, arguments),
        ) as executor,
    ):
        try:
            yield partial(_mapped, executor)
        except BrokenProcessPool as error:
            raise CorpusError(
                "A worker process was ended from outside.",
                cause="Most often the system does that when memory runs out.",
                fix="Go on with --resume and fewer --workers: what is finished is kept.",
            ) from error
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def run_batch(
    pooler: UtterancePooler, task: Task, utterances: Sequence[Utterance], paths: Sequence[Path]
) -> Iterator[str]:
    """Do a task for a few utterances, which are heard together."""
    with pooler.together(utterances):
        for utterance, path in zip(utterances, paths, strict=True):
            yield task(pooler, utterance, path)


Part = tuple[Sequence[Utterance], Sequence[Path]]


def _parts(utterances: Sequence[Utterance], paths: Sequence[Path], workers: int) -> list[Part]:
    """Parts of the work, a few for each worker, so that none waits long for another."""
    size = max(1, min(BATCH, len(utterances) // (4 * workers)))
    return [
        (utterances[at : at + size], paths[at : at + size])
        for at in range(0, len(utterances), size)
    ]


def end_with_parent() -> None:
    """Have this worker end when the process that started it is gone.

    One that is killed tells its workers nothing: they would wait for work, and hold their memory,
    until the machine is restarted.
    """
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()


_held: object = None
"""What this process holds, made when it starts."""


def _start(make: Callable[..., object], arguments: tuple[object, ...]) -> None:
    global _held  # noqa: PLW0603 - one per process, made by the pool's initialiser
    end_with_parent()
    _held = make(*arguments)


def _mapped(
    executor: ProcessPoolExecutor, task: Callable[..., Any], *columns: Sequence[Any]
) -> Iterator[Any]:
    with _interruptible(False):  # the processes that start here begin with it
        return executor.map(partial(_with_held, task), *columns)


def _with_held(task: Callable[..., Any], *arguments: object) -> Any:
    with _interruptible(True):  # and give up, but live on: a pool that is broken says so aloud
        return task(_held, *arguments)


@contextmanager
def _interruptible(yes: bool) -> Iterator[None]:
    """Whether Ctrl-C, which goes to all processes of a terminal, reaches this one now."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(
        signal.SIG_UNBLOCK if yes else signal.SIG_BLOCK, {signal.SIGINT}
    )
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _batch_of(task: Task, pooler: UtterancePooler, part: Part) -> list[str]:
    return list(run_batch(pooler, task, *part))
