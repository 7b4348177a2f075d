"""`nativeear serve`: the service and its page."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from nativeear.service.commands.options import (
    JudgeModel,
    JudgeUrl,
    LanguageUseModel,
    LanguageUseUrl,
    judge_of,
    text_judge_of,
)
from nativeear.speech.errors import InputError
from nativeear.speech.extras import needing


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond loopback, a key is needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="sqlite:///FILE or postgresql+psycopg://…; a file in the user's data folder by "
            "default.",
        ),
    ] = None,
    index: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Offer this index, repeatable; the first is the default one."
        ),
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR",
            help="Where the model of an index lies, or a folder of models, repeatable.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Inference threads; half as many as cores by default."),
    ] = None,
    queue: Annotated[int, typer.Option(min=1, help="Requests that may wait.")] = 64,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for one request.")] = 60.0,
    retain: Annotated[
        float | None,
        typer.Option(min=0, metavar="DAYS", help="Delete assessments after so many days."),
    ] = None,
    keep_audio_days: Annotated[
        float | None,
        typer.Option(min=0, metavar="DAYS", help="Delete recordings that are older, now and on."),
    ] = None,
    keep_results_days: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="DAYS",
            help="Delete assessments that are older, those that are stored already too.",
        ),
    ] = None,
    max_seconds: Annotated[float, typer.Option(min=0.1, help="Longest recording.")] = 300.0,
    max_bytes: Annotated[int, typer.Option(min=1, help="Largest recording.")] = 64 << 20,
    max_held: Annotated[
        int,
        typer.Option(min=1, metavar="BYTES", help="What all recordings may hold at a time."),
    ] = 512 << 20,
    corpora: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Corpora in here may be built into indexes."),
    ] = None,
    jobs_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where uploaded corpora are unpacked.")
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Natives read for this index on the page /record/."),
    ] = None,
    record_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where their takes are kept; in the user's data folder by default."
        ),
    ] = None,
    record_minutes: Annotated[
        float, typer.Option(min=0.1, help="How long what each reads should take.")
    ] = 10.0,
    asr: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A faster-whisper model that writes down the words of free speech; NATIVEEAR_ASR "
            "by default. Without any, the encoder's own phones are taken.",
        ),
    ] = None,
    judge: JudgeUrl = None,
    judge_model: JudgeModel = None,
    in_browser: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder dist of nativeear-web, built: the page hears read texts by itself, "
            "and no speech of them leaves the device.",
        ),
    ] = None,
    language_use: LanguageUseUrl = None,
    language_use_model: LanguageUseModel = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A web page that may ask, repeatable."),
    ] = None,
    trusted_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name under which a reverse proxy offers the service, repeatable; it answers to "
            "no other then.",
        ),
    ] = None,
    forwarded_allow_ips: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address or network of a reverse proxy, repeatable: for whom it asks is believed "
            "from X-Forwarded-For.",
        ),
    ] = None,
    webhook_allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NETWORK",
            help="Address or network that webhooks may lead to though it is private, repeatable.",
        ),
    ] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option(help="What is said from this level on."),
    ] = "info",
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Say who asked for what, and how it went.")
    ] = False,
    log_text: Annotated[
        bool,
        typer.Option(
            "--log-text", help="With --access-log: learners, groups and texts, too, by name."
        ),
    ] = False,
) -> None:
    """Serve assessments over HTTP, and a page for learners and teachers."""
    from nativeear.indexes.catalogue import find_index

    with needing("server", "The service"):
        from nativeear.service.api.serving import run
        from nativeear.service.api.settings import ServiceSettings, default_workers
        from nativeear.service.browser.offering import offer
        from nativeear.service.database.connection import default_database
    from nativeear.speech.encoders.model_folders import look_in

    if record is not None and index and record not in index:
        index = [*index, record]
    for name in (*(index or ()), *([] if record is None else [record])):
        find_index(name)  # refused, if at all, before anything slow is loaded
    if corpora is not None and not corpora.is_dir():
        raise InputError(f"There is no folder {corpora}.", fix="Give --corpora an existing folder.")
    look_in(encoder or ())
    defaults = ServiceSettings(database="")
    run(
        ServiceSettings(
            database=database or default_database(),
            host=host,
            port=port,
            indexes=tuple(index or ()),
            workers=workers or default_workers(defaults.cores),
            queue=queue,
            timeout_s=timeout,
            max_seconds=max_seconds,
            max_bytes=max_bytes,
            max_held_bytes=max_held,
            retain_days=retain,
            keep_audio_days=keep_audio_days,
            keep_results_days=keep_results_days,
            corpora=corpora,
            jobs_dir=jobs_dir,
            record=record,
            record_dir=record_dir,
            record_minutes=record_minutes,
            asr=asr,
            judge=judge_of(judge, judge_model),
            text_judge=text_judge_of(language_use, language_use_model),
            in_browser=None if in_browser is None else offer(index or (), in_browser),
            allow_origins=tuple(allow_origin or ()),
            trusted_hosts=tuple(_host(name) for name in trusted_host or ()),
            webhook_networks=tuple(_network(address) for address in webhook_allow or ()),
            access_log=access_log,
            log_text=log_text,
            log_level=log_level,
            proxies=tuple(_network(address) for address in forwarded_allow_ips or ()),
        )
    )


def _host(name: str) -> str:
    host = name.lower()
    if re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]", host) is None:
        raise InputError(
            f"{name!r} is not the name of a host.",
            fix="Give the name alone, such as ear.example.org: no scheme, port, path or star.",
        )
    return host


def _network(address: str) -> str:
    try:
        return str(ipaddress.ip_network(address, strict=False))
    except ValueError as error:
        raise InputError(
            f"{address!r} is no address and no network.",
            cause=str(error),
            fix="Give it as 127.0.0.1, or as 172.16.0.0/12.",
        ) from None
