"""How many threads libraries of arithmetic take in processes that work side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What libraries of arithmetic ask for the number of their threads, when they are loaded."""

LIMIT = "NATIVEEAR_THREADS"
"""Names, in the environment, the most threads of a graph that is opened."""


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Have processes that are started meanwhile compute in one thread each.

    Workers that each use every core only get in each other's way. It has to be said before they
    load NumPy, and they do so before anything of ours runs in them.
    """
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def one_blas_thread() -> None:
    """Have NumPy's linear algebra compute in one thread, unless the environment says otherwise.

    It has to be said before NumPy is loaded. Retrieval is many small products in turn: on cores
    that others need, too, their threads wait for one another, and an assessment takes more time
    and far more of the processor's.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def session_threads() -> int:
    """How many threads one pass of a graph may take: `OMP_NUM_THREADS`, else what was left to it.

    onnxruntime asks neither the environment nor which cores the process may run on.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if asked.isdigit() and int(asked):
        return int(asked)
    affinity = getattr(os, "sched_getaffinity", None)  # neither on macOS nor on Windows
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    limit = os.environ.get(LIMIT, "")
    return min(cores, int(limit)) if limit.isdigit() and int(limit) else cores


def limit_sessions(threads: int) -> None:
    """Leave so many threads to each graph that is opened from now on, here and in children."""
    os.environ[LIMIT] = str(threads)
