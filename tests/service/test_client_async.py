"""The client that waits without blocking, and whether both have a method for each route."""

import ast
import asyncio
import importlib.util
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest

from nativeear.scoring.assessment import Assessment
from nativeear.service.client import AsyncClient, Client, FinishedWord, ProblemError
from nativeear.service.client.asynchronous.people import AsyncPeopleOfService
from nativeear.service.client.people import PeopleOfService
from nativeear.service.database.people_store import People
from nativeear.service.database.store import Store
from nativeear.speech.audio import Audio
from tests.service.conftest import BUSY
from tests.service.test_client import PROMPT, TEXT
from tests.support.recorded import asked_for, recorded, routes
from tests.support.served import ROOT, Served, serving

WRITER = ROOT / "packages" / "client" / "asynchronous.py"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("asynchronous", WRITER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_what_is_written_from_the_one_that_blocks(writer: ModuleType) -> None:
    for name in writer.MODULES:
        kept = ast.parse((writer.OUT / f"{name}.py").read_text(encoding="utf-8"))
        made = ast.parse(writer.asynchronous(name))
        for tree in (kept, made):  # how imports are sorted, and which are used, is ruff's business
            tree.body = [node for node in tree.body if not isinstance(node, ast.ImportFrom)]
        assert ast.dump(kept) == ast.dump(made), "run: python packages/client/asynchronous.py"


async def together(url: str) -> None:
    async with AsyncClient(url) as client:
        asked = [client.assess(PROMPT, text=TEXT, learner_id="cleo") for _ in range(3)]
        results = await asyncio.gather(*asked)
        assert {type(result) for result in results} == {Assessment}
        listed = [item.id async for item in client.assessments(learner_id="cleo", page=2)]
        assert set(listed) == {result.id for result in results}
        done = await client.wait(await client.submit(PROMPT, text=TEXT), timeout_s=240)
        assert isinstance(done.result, Assessment)
        assert (await client.practice("en-US")).sets
        with pytest.raises(ProblemError) as refused:
            await client.assess(b"no sound", text=TEXT)
        assert (refused.value.status, refused.value.code) == (415, "unsupported-media")
        await client.delete_learner("cleo")
        assert [item async for item in client.assessments(learner_id="cleo")] == []


def test_recordings_are_assessed_while_others_are(served: Served) -> None:
    asyncio.run(together(served.url))


async def spoken(url: str) -> None:
    heard = (Audio.load(PROMPT).samples * 32767).astype("<i2").tobytes()

    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(heard), 3200):
            yield heard[at : at + 3200]
            await asyncio.sleep(0)

    async with AsyncClient(url) as client:
        *words, final = [found async for found in client.stream(parts(), 16_000, text=TEXT)]
        assert isinstance(final, Assessment)
        assert all(isinstance(word, FinishedWord) for word in words)
        with pytest.raises(ProblemError) as refused:
            _ = [found async for found in client.stream(parts(), 16_000, text="")]
        assert refused.value.status == 422


def test_words_come_while_a_recording_is_spoken(served: Served) -> None:
    asyncio.run(spoken(served.url))


async def come_in(url: str, code: str) -> None:
    async with AsyncClient(url) as teacher, AsyncClient(url) as ana:
        assert (await teacher.people.join(code)).name == "Tom"
        group = await teacher.people.create_group("3b")
        joined = await ana.people.join((await teacher.people.group_code(group.id)).code, "Ana")
        await teacher.people.end_group_code(group.id)
        assert [person.id for person in await teacher.people.list()] == [joined.id]
        assert {entry.actor async for entry in ana.people.audit(page=1)} == {joined.id}
        await ana.people.remove_member(group.id, joined.id)
        await teacher.people.delete_group(group.id)
        receipt = await ana.people.erase()
        assert await teacher.people.receipt(receipt.id) == receipt
        await teacher.people.sign_out()
        with pytest.raises(ProblemError) as refused:
            await teacher.people.me()
        assert refused.value.status == 401


def test_people_come_in_by_codes(tmp_path: Any) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'service.db'}")
    code = People(store).create("teacher", "Tom", expires_at=None)[1]
    store.close()
    with serving(tmp_path, *BUSY, "--workers", "1", until_ready=False) as served:
        asyncio.run(come_in(served.url, code))


GIVEN: dict[str, Any] = {"audio": b"x", "archive": b"x", "row": 1, "url": "https://a.example"}


def methods_of(*parts: object) -> Iterator[Callable[..., Any]]:
    """The methods that ask something, but for streams."""
    for part in parts:
        for name, method in inspect.getmembers(part, inspect.ismethod):
            if name[0] != "_" and name not in {"close", "aclose", "stream"}:
                yield method


def arguments_of(method: Callable[..., Any], **more: str) -> dict[str, Any]:
    wanted = inspect.signature(method).parameters.values()
    needed = [
        parameter.name
        for parameter in wanted
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    return {name: GIVEN.get(name, "a") for name in needed} | more


def test_every_route_has_a_method() -> None:
    with recorded() as (url, asked), Client(url, patience_s=0) as client:
        for method in methods_of(client, client.people):
            ways = [{"id": "a"}, {}] if method.__name__ in {"export", "erase"} else [{}]
            for more in ways:
                with suppress(ProblemError):
                    answer = method(**arguments_of(method, **more))
                    list(answer) if isinstance(answer, Iterator) else None
    assert asked_for(asked, routes()) == routes()


def test_both_have_the_same_methods() -> None:
    for blocking, waiting in ((Client, AsyncClient), (PeopleOfService, AsyncPeopleOfService)):
        one = {name for name in dir(blocking) if name[0] != "_"}
        other = {name for name in dir(waiting) if name[0] != "_"}
        assert one ^ other <= {"close", "aclose"}


def test_the_one_that_waits_is_not_done_with_before_it_is_waited_for() -> None:
    async def ask_all(url: str) -> None:
        async with AsyncClient(url, patience_s=0) as client:
            for method in methods_of(client, client.people):
                with suppress(ProblemError):
                    answer = method(**arguments_of(method))
                    if isinstance(answer, AsyncIterator):
                        _ = [item async for item in answer]
                    else:
                        await answer

    with recorded() as (url, asked):
        asyncio.run(ask_all(url))
    assert len(asked_for(asked, routes())) >= len(routes()) - 2  # export and erase have two
