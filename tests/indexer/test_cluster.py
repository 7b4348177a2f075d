"""Builds on a real Ray cluster of two nodes on this machine, one of which is lost on the way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from nativeear.indexer import cluster as cluster_module
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.cluster import start_ray_workers
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler
from nativeear.speech.errors import CorpusError, MissingDependencyError
from tests.indexer.test_resume import corpus as unaligned_corpus  # noqa: F401 - a fixture

REQUEST = PoolingRequest("en-US", "textgrid", "spectral", None, "middle-third")


class TwoNodes:
    """A head without cores, and two nodes of one core each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        self.address: str = self.cluster.address
        self.nodes = [self.cluster.add_node(num_cpus=1) for _ in range(2)]

    def lose(self, node: Any) -> None:
        """Kill a node with all that runs on it."""
        self.nodes.remove(node)
        self.cluster.remove_node(node, allow_graceful=False)

    def restore(self) -> None:
        """Let there be two nodes again."""
        while len(self.nodes) < 2:
            self.nodes.append(self.cluster.add_node(num_cpus=1))


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[TwoNodes]:
    pytest.importorskip("ray")
    nodes = TwoNodes()
    yield nodes
    nodes.cluster.shutdown()


@pytest.fixture
def nodes(two_nodes: TwoNodes, monkeypatch: pytest.MonkeyPatch) -> TwoNodes:
    monkeypatch.setattr(cluster_module, "SHARD", 3)
    two_nodes.restore()
    return two_nodes


def sign(pooler: UtterancePooler, utterance: Utterance, path: Path) -> str:
    """Write which node works; the first one to come never comes to an end."""
    import ray

    node = ray.get_runtime_context().get_node_id()
    victim = Path(utterance.text or "")
    try:
        victim.open("x").close()
    except FileExistsError:
        path.write_text(node, encoding="utf-8")
        return f"not {utterance.id}"
    victim.write_text(node, encoding="utf-8")
    time.sleep(600)
    return "too late"


def test_the_shard_of_a_lost_node_is_done_by_the_other(nodes: TwoNodes, tmp_path: Path) -> None:
    victim = tmp_path / "victim"

    def lose_it() -> None:
        while not victim.exists() or not victim.read_text(encoding="utf-8"):
            time.sleep(0.05)
        named = victim.read_text(encoding="utf-8")
        nodes.lose(next(node for node in nodes.nodes if node.node_id == named))

    thread = Thread(target=lose_it)
    thread.start()
    seen = tmp_path / "seen"
    seen.touch()
    utterances = [Utterance(f"{i}", seen, str(victim), "anna") for i in range(14)]
    paths = [tmp_path / f"{i}.made" for i in range(14)]
    with start_ray_workers(UtterancePooler(REQUEST), nodes.address) as run:
        reasons = list(run(sign, utterances, paths))
    thread.join()
    assert reasons == [f"not {i}" for i in range(14)]  # in order, whoever was first
    workers = {path.read_text(encoding="utf-8") for path in paths}
    assert workers == {nodes.nodes[0].node_id} != {victim.read_text(encoding="utf-8")}


def test_a_build_that_loses_a_node_is_byte_for_byte_that_of_one_machine(
    nodes: TwoNodes, tone_corpus: Path, tmp_path: Path
) -> None:
    lost: list[Any] = []

    def lose_one(stage: str, done: int, total: int) -> None:
        if stage == "Aligning and encoding" and done == 4 and not lost:
            lost.append(nodes.nodes[0])
            nodes.lose(nodes.nodes[0])

    def build(place: str, ray: str | None) -> dict[str, bytes]:
        out = tmp_path / place / "index"
        request = BuildRequest((str(tone_corpus),), "en-US", out, encoder="spectral", ray=ray)
        report = build_index(request, lose_one)
        assert report.utterances == 30
        return {file.name: file.read_bytes() for file in out.iterdir()}

    on_cluster = build("cluster", nodes.address)
    assert lost
    assert on_cluster == build("alone", None)


def test_an_aligner_is_learnt_on_a_cluster_as_on_one_machine(
    nodes: TwoNodes,
    unaligned_corpus: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    def build(place: str, ray: str | None) -> dict[str, bytes]:
        out = tmp_path / place / "index"
        build_index(
            BuildRequest(
                (str(unaligned_corpus),),
                "en-US",
                out,
                encoder="spectral",
                aligner="flatstart",
                ray=ray,
            )
        )
        return {file.name: file.read_bytes() for file in out.iterdir()}

    assert build("cluster", nodes.address) == build("alone", None)


def test_nodes_that_cannot_open_the_encoder_say_so(nodes: TwoNodes, tmp_path: Path) -> None:
    missing = PoolingRequest("en-US", "textgrid", str(tmp_path / "none"), None, "middle-third")
    utterance = Utterance("one", Path(__file__), "one", "anna")
    with (
        pytest.raises(Exception, match="encoder") as told,
        start_ray_workers(UtterancePooler(missing), nodes.address) as run,
    ):
        list(run(sign, [utterance], [tmp_path / "made"]))
    assert type(told.value).__module__ == "nativeear.speech.errors"


def test_other_libraries_on_the_nodes_are_refused(
    nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "libraries", lambda: {"torch": "0"})
    utterance = Utterance("one", tmp_path / "one.wav", "one", "anna")
    with (
        pytest.raises(CorpusError, match="other libraries"),
        start_ray_workers(UtterancePooler(REQUEST), nodes.address) as run,
    ):
        list(run(sign, [utterance], [tmp_path / "made"]))


def test_files_that_a_node_does_not_see_are_no_reason_to_leave_them_out(
    nodes: TwoNodes, tmp_path: Path
) -> None:
    utterance = Utterance("one", tmp_path / "one.wav", "one", "anna")
    with (
        pytest.raises(CorpusError, match=r"does not see .*one\.wav"),
        start_ray_workers(UtterancePooler(REQUEST), nodes.address) as run,
    ):
        list(run(sign, [utterance], [tmp_path / "made"]))


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "nonsense"])
def test_where_there_is_no_cluster_a_sentence_says_so(address: str) -> None:
    pytest.importorskip("ray")
    with (
        pytest.raises(CorpusError, match="There is no Ray cluster"),
        start_ray_workers(UtterancePooler(REQUEST), address),
    ):
        pass


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[int, int, str]]:
    """A cluster of one node that asks for a token: its two ports, and the token."""
    pytest.importorskip("ray", minversion="2.52")
    token = "0123456789abcdef" * 2
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"),
            *(f"--port={ports[0]}", f"--ray-client-server-port={ports[1]}", "--num-cpus=1"),
            *("--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}"),
        ]
        env = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
        head = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert head.stdout is not None
        try:
            started = next((line for line in head.stdout if b"runtime started" in line), b"")
            assert started, "the head did not start"
            yield ports[0], ports[1], token
        finally:
            head.terminate()
            head.stdout.read()
            head.stdout.close()
            head.wait()


ENTER = """
import sys
from nativeear.indexer.cluster import start_ray_workers
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler
from nativeear.speech.errors import CorpusError
pooler = UtterancePooler(PoolingRequest("en-US", "textgrid", "spectral", None, "middle-third"))
try:
    with start_ray_workers(pooler, sys.argv[1]):
        print("in")
except CorpusError as error:
    print(error.message, error.fix)
"""


REFUSED = "lets nobody in without its token"


@pytest.mark.parametrize(
    ("client", "token", "told"),
    [
        (False, None, REFUSED),
        (False, "", REFUSED),
        (False, "f" * 32, REFUSED),
        (False, "right", "in"),
        (True, None, "did not take this machine into a Ray cluster"),
        (True, "", REFUSED),
    ],
    ids=["nothing", "no token", "another token", "the token", "client, nothing", "client, none"],
)
def test_a_cluster_that_asks_for_a_token_is_told_by_its_name(
    guarded: tuple[int, int, str], client: bool, token: str | None, told: str, tmp_path: Path
) -> None:
    port, client_port, right = guarded
    address = f"ray://127.0.0.1:{client_port}" if client else f"127.0.0.1:{port}"
    env = {name: text for name, text in os.environ.items() if not name.startswith("RAY_AUTH")}
    env |= {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    if token is not None:
        env["RAY_AUTH_MODE"] = "token"
    if token:
        env["RAY_AUTH_TOKEN"] = right if token == "right" else token  # noqa: S105
    done = subprocess.run(
        [sys.executable, "-c", ENTER, address], env=env, capture_output=True, text=True, check=False
    )
    assert told in done.stdout, done.stdout + done.stderr
    assert ("RAY_AUTH_TOKEN" in done.stdout) == (told != "in")
    assert "Traceback" not in done.stderr


def test_without_ray_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(MissingDependencyError) as told,
        start_ray_workers(UtterancePooler(REQUEST), "auto"),
    ):
        pass
    assert "nativeear[ray]" in told.value.fix
