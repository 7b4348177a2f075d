"""The command computes linear algebra in one thread, where its user says nothing else."""

import os
import subprocess
import sys

import pytest

from nativeear.speech.threads import session_threads

COMMAND = """
import sys
sys.argv = ["nativeear", "--version"]
from nativeear.__main__ import main
try:
    main()
except SystemExit:
    pass
import numpy
from threadpoolctl import threadpool_info
print({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
"""


@pytest.mark.parametrize(("said", "threads"), [({}, 1), ({"OPENBLAS_NUM_THREADS": "2"}, 2)])
def test_the_command_takes_one_thread(said: dict[str, str], threads: int) -> None:
    if session_threads() < 2:
        pytest.skip("one core has one thread in any case")
    left = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    found = subprocess.run(
        [sys.executable, "-c", COMMAND],
        env=left | said,
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.splitlines()[-1] == str({threads})
