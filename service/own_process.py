"""A module of NativeEar in a process of its own, spoken to by lines of text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def started(module: str, *, own_session: bool = False) -> subprocess.Popen[str]:
    """Start `python -m module` with pipes for what it is told and tells.

    With `own_session` whatever it starts can be killed with it.
    """
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=own_session,
    )
