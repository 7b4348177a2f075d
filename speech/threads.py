"""How many threads libraries of arithmetic take in processes that work side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What libraries of arithmetic ask for the number of their threads, when they are loaded."""


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
