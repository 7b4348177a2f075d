"""What is written does not depend on the machine's cores."""

from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from nativeear.indexes.locking import writing


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_linear_algebra_has_one_thread_while_an_index_is_written(tmp_path: Path) -> None:
    assert np.ones((2, 2)).dot(np.ones(2)).tolist() == [2, 2]  # its library is loaded
    with threadpool_limits(2, user_api="blas"):
        with writing(tmp_path / "index", "a test"):
            assert blas_threads() == {1}
        assert blas_threads() == {2}
