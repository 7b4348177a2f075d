"""Utterances worked on by a Ray cluster: the same tasks, in shards, wherever there is room.

A shard is a Ray task. Ray gives it to any node that is free, also to nodes that join later, and
does it again elsewhere when its node is lost. Its files travel back as bytes and rest on the disk
of the build, so that nodes share nothing with it but the places where the corpus lies.
"""

from __future__ import annotations

import os
import re
import socket
import tempfile
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nativeear.indexer.assembly import libraries
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.remote_files import is_local
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler
from nativeear.indexer.worker_pool import BATCH, Runner, Task, run_batch
from nativeear.speech.errors import CorpusError, NativeEarError
from nativeear.speech.extras import needing

SHARD = BATCH
"""Utterances of a shard: a minute or two of speech, which take a core seconds to do again."""

ATTEMPTS = 8
"""Losses of a shard's node that are made good; something that ends eight is in the shard."""

AHEAD = 2
"""Shards that are handed out for each that can run, so that no node waits for the next."""


CONNECT_S = 10.0

HOW_TO_AUTHENTICATE = (
    "If it asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN to what "
    "`ray get-auth-token` prints on its head, here and on every node."
)
"""Ray's own settings (its documentation, Ray token authentication); 2.60 asks for a token where
one lies in `~/.ray`, and later releases everywhere."""


@dataclass(frozen=True)
class WorkerSetup:
    """What a node needs before it can work; it is the same for all shards."""

    request: PoolingRequest  # what the pooler is made of
    # Content of the files that the request names on the disk of the build; None where it names
    # none, or the model or the head is still to be learnt.
    lexicon: bytes | None
    model: bytes | None
    head: bytes | None
    libraries: dict[str, str]  # versions that the index is to be built by

    @classmethod
    def of(cls, request: PoolingRequest) -> WorkerSetup:
        """Take the content of the files that a request names."""
        lexicon, model, head = map(_content, (request.lexicon, request.model, request.head))
        return cls(request, lexicon, model, head, libraries())

    def pooler(self, folder: Path) -> UtterancePooler:
        """A pooler whose files lie in `folder`, for as long as it lives."""
        lexicon, model, head = folder / "lexicon", folder / "model", folder / "head"
        kept = ((lexicon, self.lexicon), (model, self.model), (head, self.head))
        for file, content in kept:
            if content is not None:
                file.write_bytes(content)
        return UtterancePooler(
            replace(
                self.request,
                lexicon=self.request.lexicon and lexicon,
                model=self.request.model and model,
                head=self.request.head and head,
            )
        )


@contextmanager
def start_ray_workers(pooler: UtterancePooler, address: str) -> Iterator[Runner]:
    """The cores, or the GPUs where it has some, of a Ray cluster, each with a pooler like this one.

    Parameters
    ----------
    address
        As Ray takes it: `auto`, `host:6379`, `ray://host:10001`; `local` starts one here.

    Raises
    ------
    MissingDependencyError
        If Ray is not installed.
    CorpusError
        If there is no cluster, or its nodes cannot do the work.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before `local` would tell of itself
    with needing("ray", "A build on a cluster"):
        import ray
    reachable = False
    try:
        reachable = _is_reachable(address)
        ray.init(address=address, logging_level="ERROR", log_to_driver=False)
    except (ImportError, OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        if _lacks_token(error):
            raise CorpusError(
                f"The Ray cluster at {address} lets nobody in without its token.",
                cause="There is none here, or another one.",
                fix=HOW_TO_AUTHENTICATE,
            ) from error
        cause = next(iter(str(error).splitlines()), type(error).__name__)
        if reachable:
            raise CorpusError(
                f"What listens at {address} did not take this machine into a Ray cluster.",
                cause=cause,
                fix=f"See that it is a Ray cluster of the same version. {HOW_TO_AUTHENTICATE}",
            ) from error
        raise CorpusError(
            f"There is no Ray cluster at {address}.",
            cause=cause,
            fix="Start one with `ray start --head`, and give the address that it prints.",
        ) from error
    try:
        yield lambda task, utterances, paths: _in_shards(pooler, task, utterances, paths)
    except ray.exceptions.RayError as error:
        raise CorpusError(
            "The Ray cluster could not do the work.",
            cause=str(error).strip().splitlines()[-1],
            fix="Install the same nativeear on every node, and go on with --resume: what is"
            " finished is kept.",
        ) from error
    finally:
        ray.shutdown()


def _lacks_token(error: BaseException | None) -> bool:
    """Whether a cluster turned this machine away for want of its token, as Ray tells it.

    A `ray://` address tells nothing: there Ray tries until its time is up.
    """
    while error is not None:
        message = str(error)
        if type(error).__name__ == "AuthenticationError" or "InvalidAuthToken" in message:
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_reachable(address: str) -> bool:
    """See whether anybody listens at `host:port`, if it is one; Ray would try for minutes.

    Raises
    ------
    OSError
        If nobody does.
    """
    found = re.fullmatch(r"(?:ray://)?([\w.-]+):(\d+)", address)
    if found is not None:
        socket.create_connection((found[1], int(found[2])), timeout=CONNECT_S).close()
    return found is not None


def _in_shards(
    pooler: UtterancePooler, task: Task, utterances: Sequence[Utterance], paths: Sequence[Path]
) -> Iterator[str]:
    """Do a task for many utterances; files are written as shards come in, reasons told in order."""
    import ray

    setup = WorkerSetup.of(pooler.request)
    key = uuid.uuid4().hex  # by it a process knows whether it has opened this build's encoder
    shared = ray.put(setup)
    remote = ray.remote(max_calls=0)(work_on_shard)  # a GPU's process, too, keeps its encoder
    waiting = deque(slice(at, at + SHARD) for at in range(0, len(utterances), SHARD))
    running: dict[Any, slice] = {}
    finished: dict[int, list[str]] = {}
    next_out = 0
    while waiting or running:
        unit, capacity = _capacity(ray.cluster_resources())
        work = remote.options(num_cpus=1, max_retries=ATTEMPTS, **unit)
        while waiting and len(running) < AHEAD * capacity:
            shard = waiting.popleft()
            names = [path.name for path in paths[shard]]
            running[work.remote(key, shared, task, utterances[shard], names)] = shard
        for done in ray.wait(list(running))[0]:
            shard = running.pop(done)
            outcome = ray.get(done)
            if isinstance(outcome, NativeEarError):
                raise outcome
            for path, (_, content) in zip(paths[shard], outcome, strict=True):
                _write(path, content)
            finished[shard.start] = [reason for reason, _ in outcome]
        while next_out in finished:
            reasons = finished.pop(next_out)
            next_out += len(reasons)
            yield from reasons


def _capacity(resources: dict[str, float]) -> tuple[dict[str, int], int]:
    """What a shard asks for beside a core, and how many of them can run."""
    if gpus := int(resources.get("GPU", 0)):
        return {"num_gpus": 1}, gpus
    return {}, max(1, int(resources.get("CPU", 0)))


def _content(file: Path | None) -> bytes | None:
    return file.read_bytes() if file is not None and file.is_file() else None


def _write(path: Path, content: bytes | None) -> None:
    """Write a file whole or not at all."""
    if content is not None:
        partial = path.with_suffix(".partial")
        partial.write_bytes(content)
        partial.rename(path)


_open: dict[str, tuple[UtterancePooler, tempfile.TemporaryDirectory[str]]] = {}
"""The pooler of the last setup and the folder of its files, which goes when the process ends."""


def work_on_shard(
    key: str, setup: WorkerSetup, task: Task, utterances: Sequence[Utterance], names: Sequence[str]
) -> list[tuple[str, bytes | None]] | NativeEarError:
    """Do a task for the utterances of a shard, on a node.

    Parameters
    ----------
    key
        Tells setups apart: the encoder of the last one stays open in this process.
    utterances, names
        For each utterance the name of the file that is to be made.

    Returns
    -------
    list of tuple or NativeEarError
        For each utterance the reason for which it is set aside, and its file; or the error for
        which no utterance at all can be worked on.
    """
    if setup.libraries != libraries():
        return CorpusError(
            "The nodes of the cluster have other libraries than the build.",
            cause=f"{libraries()} there, {setup.libraries} here.",
            fix="Install the same versions everywhere.",
        )
    unseen = [u.audio for u in utterances if is_local(u.audio) and not u.audio.is_file()]
    if unseen:  # the build has seen it: to leave it out would be silent loss
        return CorpusError(
            f"A node of the cluster does not see {unseen[0]}.",
            fix="Put the corpus where every node sees it under the same path, or at an address"
            " such as s3://bucket/corpus.csv.",
        )
    if key not in _open:
        _open.clear()
        files = tempfile.TemporaryDirectory()
        try:
            pooler = setup.pooler(Path(files.name))
            _ = pooler.encoder, pooler.aligner_name
        except NativeEarError as error:
            return error
        _open[key] = pooler, files
    pooler, _ = _open[key]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in names]
        reasons = list(run_batch(pooler, task, utterances, paths))
        return [(reason, _content(path)) for reason, path in zip(reasons, paths, strict=True)]
