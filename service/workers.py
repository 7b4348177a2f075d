"""Items through worker processes: in order, and a process that dies costs only its own item."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import Any, Generic, TypeVar

from nativeear.service.failures import InternalError
from nativeear.speech.errors import NativeEarError
from nativeear.speech.threads import one_thread_each

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Item], Result]


@dataclass(frozen=True)
class Died:
    """In place of a result: the process that worked on the item died."""

    exit_code: int | None

    def error(self, item: str, fix: str = "") -> InternalError:
        """What to tell of it."""
        return InternalError(
            f"The process that assessed this {item} died.",
            cause=f"Its exit code was {self.exit_code}.",
            fix=fix,
        )


def in_processes(
    load: Callable[[], Work[Item, Result]], items: Sequence[Item], workers: int
) -> Generator[Result | Died, None, None]:
    """Yield the work on every item, in the order of the items.

    Even a single worker is a process of its own, so that results do not depend on their number.

    Parameters
    ----------
    load
        Called once in every process; gives the work. Must be picklable.
    items
        What to work on, one item at a time in each process.
    workers
        Number of processes.

    Raises
    ------
    NativeEarError
        If `load` raises it, or a process dies while loading. Nothing has been yielded then, unless
        it happens to a process that replaces a dead one.
    """
    waiting = deque(enumerate(items))
    busy: dict[_Worker[Item, Result], int] = {}
    finished: dict[int, Result | Died] = {}
    next_out = 0
    processes: list[_Worker[Item, Result]] = []

    def assign(process: _Worker[Item, Result]) -> None:
        if waiting:
            number, item = waiting.popleft()
            process.send(item)
            busy[process] = number

    with one_thread_each():
        try:
            processes += [_Worker(load) for _ in range(min(workers, len(items)))]
            for process in processes:
                process.wait_until_loaded()
            for process in processes:
                assign(process)
            while busy:
                ready = set(wait([process.connection for process in busy]))
                for process in [process for process in busy if process.connection in ready]:
                    number = busy.pop(process)
                    finished[number] = result = process.receive()
                    if isinstance(result, Died):
                        process.stop()
                        processes.remove(process)
                        if waiting:
                            processes.append(_Worker(load))
                            processes[-1].wait_until_loaded()
                            assign(processes[-1])
                    else:
                        assign(process)
                while next_out in finished:
                    yield finished.pop(next_out)
                    next_out += 1
        finally:
            for process in processes:
                process.stop()


class _Worker(Generic[Item, Result]):
    """One process and the pipe to it; it holds at most one item at a time."""

    def __init__(self, load: Callable[[], Work[Item, Result]]) -> None:
        # Spawned, not forked: torch and FAISS do not survive a fork of their threads.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, load), daemon=True)
        self._process.start()
        theirs.close()

    def wait_until_loaded(self) -> None:
        try:
            failure = self.connection.recv()
        except (EOFError, OSError):
            raise NativeEarError(
                "A worker process died while it was loading.",
                cause=f"Its exit code was {self._exit_code()}.",
                fix="Use fewer --workers: there may be too little memory for so many.",
            ) from None
        if failure is not None:
            raise failure

    def send(self, item: Item) -> None:
        with suppress(OSError):  # a process that died meanwhile is noticed by `receive`
            self.connection.send(item)

    def receive(self) -> Result | Died:
        try:
            result: Result = self.connection.recv()
        except (EOFError, OSError):
            return Died(self._exit_code())
        return result

    def _exit_code(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def stop(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join()


def _serve(connection: Any, load: Callable[[], Work[Item, Result]]) -> None:
    """Load once, then answer every item with its result until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    try:
        work = load()
    except NativeEarError as error:
        connection.send(error)
        return
    except Exception as error:  # may not survive pickling itself
        connection.send(RuntimeError(f"{type(error).__name__}: {error}"))
        return
    connection.send(None)
    with suppress(EOFError, OSError):
        while True:
            connection.send(work(connection.recv()))
