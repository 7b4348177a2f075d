"""What a person decides about the service when it starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nativeear.service.language_use import TextJudge
from nativeear.service.second_ear import Judge

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

# A service that listens on a loopback address is asked under one of these names.
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


def default_workers(cores: int) -> int:
    """Inference threads for a number of cores: encoders get the other cores of each."""
    return max(1, cores // 2)


@dataclass(frozen=True)
class InBrowser:
    """What a page hears by: the built package, and folders of packs by the names of indexes."""

    package: Path
    packs: Mapping[str, Path]


@dataclass(frozen=True)
class ServiceSettings:
    """Settings of one service.

    Attributes
    ----------
    database
        URL, `sqlite:///file` or `postgresql+psycopg://…`.
    host, port
        Where it listens.
    indexes
        Names of the indexes that it offers; all of the catalogue if empty.
    workers
        Inference threads.
    cores
        Cores that they share.
    queue
        Requests that may wait.
    batch
        Waiting recordings that go through the encoder together; if None, a few on a GPU and one on
        a processor, which takes as long for four together as for four by themselves.
    timeout_s
        How long a request may wait and be worked on.
    max_seconds, max_bytes
        Longest and largest recording.
    max_corpus_bytes
        Largest corpus that can be uploaded, packed and unpacked. All that are being sent may hold
        as much together, and all that are unpacked and not yet built, twice.
    max_held_bytes
        What all recordings that are being sent, wait or are assessed hold together: as they were
        sent, and as they were decoded.
    max_queued, max_queued_bytes
        Recordings that may wait in the database for their jobs.
    max_batch, max_batch_bytes
        Recordings of a batch, and their bytes, packed and unpacked.
    async_above_s
        Longer recordings are answered with a job.
    retain_days
        Assessments are deleted after so many days; never if None.
    keep_audio_days, keep_results_days
        What is older is deleted, also where it was stored before this was decided; never if None.
    corpora
        Folder whose corpora may be built into indexes; uploads only if None.
    jobs_dir
        Folder for unpacked uploads and for what a build says; the system's if None.
    asr
        Folder of the recogniser for free speech; that of `NATIVEEAR_ASR`, if any, if None.
    record
        Name of the index that natives may record for; nobody records if None.
    record_dir
        Folder of that recording session; one in the user's data folder if None.
    record_minutes
        Length of the script of a session that begins.
    judge
        The second ear, to which recordings are sent, too; none if None.
    text_judge
        The language model to which the recognised words of free speech are sent; none if None.
    in_browser
        What the page hears by itself with, so that no speech is sent; the service hears if None.
    allow_origins
        Other web pages that may ask.
    trusted_hosts
        Names, beside those of loopback, under which it is reached, in small letters: those that a
        reverse proxy passes on. Without any, a service beyond loopback answers to every name.
    proxies
        Addresses and networks of reverse proxies, which tell whom they ask for.
    webhook_networks
        Networks that webhooks may lead to though they are private, and without TLS.
    connections, connections_per_client
        How many there may be at a time.
    connections_per_s, connections_per_client_per_s
        How many may be made each second for long; five times as many at once.
    streams, streams_per_client
        How many there may be at a time; a client is a key, or an address where none is wanted.
    access_log, log_text
        Whether a line is logged for each request, and with its address as it was asked and the text
        to be said.
    log_level
        From which level on the service logs what it says: `debug`, `info`, `warning` or `error`.
    reload_s
        How often a changed index is looked for.
    drain_s
        How long running requests may take when the service stops.
    """

    database: str
    host: str = "127.0.0.1"
    port: int = 8000
    indexes: tuple[str, ...] = ()
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    workers: int = field(default_factory=lambda: default_workers(os.cpu_count() or 1))
    queue: int = 64
    batch: int | None = None
    timeout_s: float = 60.0
    max_seconds: float = 300.0
    max_bytes: int = 64 << 20
    max_corpus_bytes: int = 2 << 30
    max_held_bytes: int = 512 << 20
    max_queued: int = 10_000
    max_queued_bytes: int = 4 << 30
    max_batch: int = 2_000
    max_batch_bytes: int = 256 << 20
    async_above_s: float = 60.0
    retain_days: float | None = None
    keep_audio_days: float | None = None
    keep_results_days: float | None = None
    corpora: Path | None = None
    jobs_dir: Path | None = None
    asr: Path | None = None
    record: str | None = None
    record_dir: Path | None = None
    record_minutes: float = 10.0
    judge: Judge | None = None
    text_judge: TextJudge | None = None
    in_browser: InBrowser | None = None
    allow_origins: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    webhook_networks: tuple[str, ...] = ()
    connections: int = 1000
    connections_per_client: int = 256
    connections_per_s: float = 1024.0
    connections_per_client_per_s: float = 64.0
    streams: int = 64
    streams_per_client: int = 32
    access_log: bool = False
    log_text: bool = False
    log_level: str = "info"
    reload_s: float = 2.0
    drain_s: float = 30.0

    @property
    def kept_days(self) -> float | None:
        """After how many days an assessment that is stored now will be deleted; None is never."""
        limits = (self.retain_days, self.keep_results_days)
        return min((days for days in limits if days is not None), default=None)

    @property
    def on_loopback(self) -> bool:
        """Whether it listens to this machine only."""
        return self.host in LOOPBACK

    @property
    def is_private(self) -> bool:
        """Whether only this machine can reach it: nothing is said of a proxy that asks for more."""
        return self.on_loopback and not self.trusted_hosts and not self.proxies
