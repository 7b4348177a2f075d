import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.engine import Engine, Work
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.problems import BusyError, ClientGoneError, TookTooLongError
from nativeear.service.api.references import Reference
from nativeear.service.api.settings import ServiceSettings
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import has_gpu
from tests.service.api.conftest import DATA, PROMPT, TEXT

BATCH_TOLERANCE = 0.5
"""Points of 100. Frames of a batch equal single ones to about 1e-4 in float32, 1e-2 in bfloat16."""


def engine_of(reference: Reference, **changes: object) -> Engine:
    settings = ServiceSettings(database="", **{"workers": 1, "cores": 1, **changes})
    engine = Engine(settings, Metrics())
    engine.start(reference)
    return engine


def work_of(reference: Reference, path: Path = PROMPT, text: str = TEXT, **more: str) -> Work:
    return Work(reference, Audio.load(path), text, **more)


class Held:
    """Real work that is begun only when it is let go."""

    def __init__(self, engine: Engine, reference: Reference) -> None:
        self.lock = reference._lock
        self.lock.acquire()
        self.future = engine.submit(work_of(reference))
        while not self.future.running():
            threading.Event().wait(0.01)

    def let_go(self) -> None:
        self.lock.release()


def test_recordings_that_wait_together_are_assessed_as_alone(reference: Reference) -> None:
    prompts = [
        (PROMPT, TEXT),
        (DATA / "auth-incorrect.flac", "Password incorrect."),
        (
            DATA / "priv-introsaved.flac",
            "Thank you. Please hold, while I attempt to connect you with your party!",
        ),
    ]
    alone = [reference.assessor.assess(Audio.load(path), text, id="") for path, text in prompts]
    engine = engine_of(reference, batch=4)
    held = Held(engine, reference)
    futures = [engine.submit(work_of(reference, path, text)) for path, text in prompts]
    held.let_go()
    together = [future.result(60) for future in futures]
    assert engine.stop(10)
    figures = engine._metrics.text().decode()
    assert 'nativeear_batch_recordings_bucket{le="2.0"} 1.0' in figures  # the one that was held
    assert 'nativeear_batch_recordings_bucket{le="4.0"} 2.0' in figures  # the three others
    for one, other in zip(alone, together, strict=True):
        assert verdicts(one) == verdicts(other)
        assert scores(other) == pytest.approx(scores(one), abs=BATCH_TOLERANCE, nan_ok=True)


@pytest.mark.skipif(has_gpu(), reason="a GPU takes several at a time")
def test_a_processor_takes_one_recording_at_a_time(reference: Reference) -> None:
    engine = engine_of(reference)
    held = Held(engine, reference)
    futures = [engine.submit(work_of(reference)) for _ in range(3)]
    held.let_go()
    assert all(future.result(60).words for future in futures)
    assert engine.stop(10)
    assert 'nativeear_batch_recordings_bucket{le="1.0"} 4.0' in engine._metrics.text().decode()


def verdicts(result: Assessment) -> list[str]:
    return [phone.verdict for phone in result.phones]


def scores(result: Assessment) -> list[float]:
    phones = [phone.score for phone in result.phones]
    return [np.nan if s is None else s for s in [*phones, *result.score.model_dump().values()]]


def test_a_full_queue_refuses_and_takes_again_what_was_given_up(reference: Reference) -> None:
    engine = engine_of(reference, queue=1)
    held = Held(engine, reference)
    waiting = engine.submit(work_of(reference))
    with pytest.raises(BusyError) as refused:
        engine.submit(work_of(reference))
    assert int(refused.value.headers["Retry-After"]) >= 1
    assert engine.is_full
    waiting.cancel()
    assert not engine.is_full
    taken = engine.submit(work_of(reference))
    held.let_go()
    assert taken.result(60).words
    assert engine.stop(10)


def test_no_more_wait_than_can_be_answered_in_time(reference: Reference) -> None:
    engine = engine_of(reference, timeout_s=1.0, queue=64)
    held = Held(engine, reference)
    waiting = engine.submit(work_of(reference))
    with pytest.raises(BusyError) as refused:
        engine.submit(work_of(reference))
    assert "1 recordings" in refused.value.cause
    held.let_go()
    assert waiting.result(60).words
    assert engine.stop(10)


def test_who_waits_in_vain_is_told_to_come_again_and_leaves_the_queue(reference: Reference) -> None:
    engine = engine_of(reference, timeout_s=0.2)
    held = Held(engine, reference)
    waiting = engine.submit(work_of(reference))
    with pytest.raises(BusyError) as refused:
        asyncio.run(engine.answer(waiting))
    assert int(refused.value.headers["Retry-After"]) >= 1
    assert waiting.cancelled()
    held.let_go()
    assert engine.stop(30)


def test_what_is_worked_at_for_too_long_is_given_up(reference: Reference) -> None:
    engine = engine_of(reference, timeout_s=0.2)
    held = Held(engine, reference)
    with pytest.raises(TookTooLongError):
        asyncio.run(engine.answer(held.future))
    held.let_go()
    assert engine.stop(30)


def test_a_client_that_leaves_is_not_worked_for(reference: Reference) -> None:
    async def leave() -> None:
        await asyncio.sleep(0.05)

    async def ask() -> None:
        await engine.answer(waiting, leave())

    engine = engine_of(reference)
    held = Held(engine, reference)
    waiting = engine.submit(work_of(reference))
    with pytest.raises(ClientGoneError):
        asyncio.run(ask())
    assert waiting.cancelled()
    held.let_go()
    assert engine.stop(30)


def test_stopping_finishes_what_was_taken_and_refuses_what_comes(reference: Reference) -> None:
    engine = engine_of(reference)
    held = Held(engine, reference)
    waiting = engine.submit(work_of(reference))
    engine.refuse_new()
    with pytest.raises(BusyError, match="stopping"):
        engine.submit(work_of(reference))
    held.let_go()
    assert engine.stop(60)
    assert held.future.result(0).words
    assert waiting.result(0).words


def test_a_failure_is_told_to_whoever_waits_and_the_thread_goes_on(reference: Reference) -> None:
    engine = engine_of(reference)
    failed = engine.submit(work_of(reference, text="..."))
    assert failed.exception(60).code == "no-pronunciation"
    assert engine.submit(work_of(reference)).result(60).words
    assert engine.stop(10)
