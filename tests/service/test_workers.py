"""The processes are real; their work is arithmetic, so that each way to fail can be had."""

import os
import time
from collections.abc import Callable

import pytest

from nativeear.service.workers import Died, in_processes
from nativeear.speech.errors import MissingDependencyError, NativeEarError


def load() -> Callable[[int], str]:
    return square


def square(number: int) -> str:
    time.sleep(0.05 * (number % 3))  # later items finish first
    if number < 0:
        os._exit(9)
    return f"{number * number} {os.environ['OMP_NUM_THREADS']}"


def load_without_a_library() -> Callable[[int], str]:
    raise MissingDependencyError("Something is not installed.", cause="because", fix="install it")


def load_with_a_fault() -> Callable[[int], str]:
    raise ZeroDivisionError("oh")


def load_and_die() -> Callable[[int], str]:
    os._exit(7)


@pytest.mark.parametrize("workers", [1, 3, 20])
def test_results_come_in_order_whatever_the_number_of_workers(workers: int) -> None:
    items = [5, 4, 3, 2, 1, 0]
    assert list(in_processes(load, items, workers)) == [f"{n * n} 1" for n in items]


def test_the_own_environment_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    assert list(in_processes(load, [2], 1)) == ["4 1"]
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_that_dies_costs_only_its_item(workers: int) -> None:
    answers = list(in_processes(load, [1, -1, 2, -2, 3], workers))
    assert answers == ["1 1", Died(9), "4 1", Died(9), "9 1"]


def test_an_error_while_loading_stops_everything() -> None:
    with pytest.raises(MissingDependencyError) as caught:
        list(in_processes(load_without_a_library, [1, 2], 2))
    assert caught.value.fix == "install it"


def test_a_fault_while_loading_names_itself() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError: oh"):
        list(in_processes(load_with_a_fault, [1], 1))


def test_a_death_while_loading_is_told() -> None:
    with pytest.raises(NativeEarError, match="died while it was loading") as caught:
        list(in_processes(load_and_die, [1], 1))
    assert "exit code was 7" in caught.value.cause


def test_no_items_start_no_process() -> None:
    assert list(in_processes(load_and_die, [], 4)) == []
