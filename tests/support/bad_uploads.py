"""Uploads that nobody should send, as many as wanted, always the same ones."""

from __future__ import annotations

import http.client
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np
import soundfile

from tests.support.served import ROOT, Served

PROMPT = ROOT / "service" / "data" / "vm-msgsaved.flac"
BOUNDARY = "b0undary"
RATE = 16_000
Random = np.random.Generator


@dataclass(frozen=True)
class Upload:
    """One request for an assessment.

    Attributes
    ----------
    kind
        What is wrong with it.
    body
        As it goes over the wire.
    headers
        In place of the usual ones, or beside them.
    """

    kind: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def bad_uploads(count: int, good: bytes, seed: int = 9) -> Iterator[Upload]:
    """Uploads of every kind in turn; `good` is a real recording as FLAC."""
    rng = np.random.default_rng(seed)
    makers = (
        *(_of_audio(kind, make) for kind, make in _SOUNDS.items()),
        _odd_name,
        _odd_field,
        _odd_headers,
        _odd_form,
    )
    for number in range(count):
        yield makers[number % len(makers)](rng, good)


def sent(served: Served, upload: Upload) -> tuple[str, str]:
    """Send an upload; the status, and what is wrong with the answer."""
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=120)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **upload.headers}
    try:
        connection.request("POST", "/v1/assessments", upload.body, headers)
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    status = str(answer.status)
    if not 400 <= answer.status < 500:
        return status, f"{status}: {body[:200]}"
    if answer.headers.get_content_type() != "application/problem+json":
        # What is no HTTP is refused by the server before the service sees it.
        no_http = answer.status in {400, 431} and upload.kind == "odd header"
        return status, "" if no_http else f"{status}, not as a problem: {body[:80]}"
    told = json.loads(body)
    plain = told["detail"] and "Traceback" not in body and "/tmp" not in body  # noqa: S108
    return status, "" if plain else f"{status}: {body[:200]}"


def form(
    audio: bytes, *, name: str = "me.wav", fields: tuple[tuple[str, bytes], ...] = ()
) -> bytes:
    """A multipart form with a recording."""
    parts = [(f'name="{key}"', value) for key, value in (fields or (("text", b"I think so."),))]
    parts.append((f'name="audio"; filename="{name}"', audio))
    return (
        b"".join(
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode()
            + about.encode("utf-8", "surrogatepass")
            + b"\r\n\r\n"
            + value
            + b"\r\n"
            for about, value in parts
        )
        + f"--{BOUNDARY}--\r\n".encode()
    )


def _of_audio(
    kind: str, make: Callable[[Random, bytes], bytes]
) -> Callable[[Random, bytes], Upload]:
    return lambda rng, good: Upload(kind, form(make(rng, good)))


def _written(samples: np.ndarray, rate: int, container: str, coding: str | None = None) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=container, subtype=coding)
    return out.getvalue()


def _wav(good: bytes) -> bytes:
    samples, rate = soundfile.read(io.BytesIO(good), dtype="int16")
    return _written(samples, rate, "WAV")


def _truncated(rng: Random, good: bytes) -> bytes:
    data = good if rng.random() < 0.5 else _wav(good)
    return data[: int(rng.integers(0, min(len(data), 600)))]


def _scrambled(rng: Random, good: bytes) -> bytes:
    data = bytearray(good[:2000] if rng.random() < 0.5 else _wav(good)[:2000])
    for place in rng.integers(0, min(len(data), 120), 12):
        data[int(place)] = int(rng.integers(0, 256))
    return bytes(data)


def _polyglot(rng: Random, good: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../me.wav", bytes(1 << 16))
    heads = (
        b"RIFF\x24\0\0\0WAVE",
        b"fLaC",
        b"OggS\0\x02",
        b"\x1a\x45\xdf\xa3",
        b"\0\0\0\x18ftypM4A ",
    )
    bodies = (
        packed.getvalue(),
        b"<script>fetch('/v1/assessments')</script>",
        b"\x89PNG\r\n\x1a\n" + rng.bytes(200),
        b"%PDF-1.7\n" + rng.bytes(200),
        good[4:400],
    )
    return heads[rng.integers(len(heads))] + bodies[rng.integers(len(bodies))]


def _playlist(rng: Random, _good: bytes) -> bytes:
    texts = (
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/\n#EXT-X-ENDLIST\n",
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>',
        b"v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
        b'<?xml version="1.0"?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>',
    )
    return texts[rng.integers(len(texts))]


def _bomb(rng: Random, _good: bytes) -> bytes:
    """Little that wants to become much: hours of silence, or a header that promises it."""
    which = rng.integers(4)
    if which == 0:
        return _HOURS
    rate, channels = int(rng.choice([1, 8000, 2**31])), int(rng.choice([0, 1, 2, 65535]))
    promised = 2**32 - 1
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", promised, b"WAVE", b"fmt ", 16, 1, channels, rate),
        *(rate * channels * 2 % 2**32, channels * 2 % 2**16, 16, b"data", promised),
    )
    return header + bytes(int(rng.integers(0, 400)))


def _wrong_type(rng: Random, _good: bytes) -> bytes:
    contents = (
        b"",
        b"\0",
        b"I think so.",
        b'{"audio": "me.wav"}',
        b"\x7fELF" + rng.bytes(60),
        b"\x89PNG\r\n\x1a\n" + rng.bytes(60),
        b"PK\x03\x04" + rng.bytes(60),
        rng.bytes(int(rng.integers(1, 3000))),
    )
    return contents[rng.integers(len(contents))]


def _no_speech(rng: Random, _good: bytes) -> bytes:
    """Sound in which nothing can be heard."""
    samples = (
        np.zeros(int(rng.integers(1, RATE)), np.float32),
        np.ones(RATE, np.float32),
        np.full(RATE, np.nan, np.float32),
        np.full(int(rng.integers(1, 800)), 0.1, np.float32),
    )
    return _written(samples[rng.integers(len(samples))], RATE, "WAV", "FLOAT")


_SOUNDS: dict[str, Callable[[Random, bytes], bytes]] = {
    "truncated": _truncated,
    "scrambled": _scrambled,
    "polyglot": _polyglot,
    "playlist": _playlist,
    "bomb": _bomb,
    "wrong type": _wrong_type,
    "no speech": _no_speech,
}

_HOURS = _written(np.zeros(3 * 3600 * 4000, np.int16), 4000, "FLAC")


def _odd_name(rng: Random, _good: bytes) -> Upload:
    names = (
        "../../../../tmp/out.wav",
        "..\\\\..\\\\out.wav",
        "/etc/passwd",
        "C:\\\\out.wav",
        "out.wav\0.txt",
        "%2e%2e%2fout.wav",
        "a" * int(rng.integers(300, 7000)),
        "\u202egnp.wav",
        "|touch out.wav",
        "$(touch out.wav).wav",
        "con",
        "",
    )
    return Upload("odd name", form(rng.bytes(50), name=names[rng.integers(len(names))]))


def _odd_field(rng: Random, good: bytes) -> Upload:
    fields: tuple[tuple[tuple[str, bytes], ...], ...] = (
        (("text", b"a" * int(rng.integers(5001, 60_000))),),
        (("text", b"\0"),),
        (("text", b"   "),),
        (("phones", b"QQ ZZ9 \xc9\x99\xc9\x99"),),
        (("text", b"I think so."), ("index", b"../../etc")),
        (("text", b"I think so."), ("index", rng.bytes(20))),
        (("text", b"I think so."), ("language", b"x" * 40)),
        (("text", b"I think so."), ("language", b"'; drop table")),
        (("text", b"I think so."), ("l1", b"\xf0\x9f\x92\xa9")),
        (("text", b"I think so."), ("calibration", b"best")),
        (("text", b"I think so."), ("learner_id", b"a" * 300)),
        (("text", b"I think so."), ("keep_audio", b"perhaps")),
        tuple((f"field{n}", b"x") for n in range(1500)),
    )
    return Upload("odd field", form(good, fields=fields[rng.integers(len(fields))]))


def _odd_headers(rng: Random, _good: bytes) -> Upload:
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    headers = (
        {"X-Long": "a" * int(rng.integers(20_000, 90_000))},
        {f"X-{n}": "a" * 60 for n in range(400)},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "multipart/form-data; boundary=" + "b" * 400},
        {"Content-Type": "application/json"},
        {"Content-Type": "\u00e9\u00ff"},
        {"Idempotency-Key": "k" * 300},
        {"Authorization": "Bearer nek_" + "x" * 5000},
        {"Authorization": "Basic \u00ff"},
        {"Content-Encoding": "gzip"},
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
    )
    chosen = headers[rng.integers(len(headers))]
    return Upload("odd header", form(rng.bytes(100)), {"Content-Type": kind, **chosen})


def _odd_form(rng: Random, good: bytes) -> Upload:
    whole = form(good[:300])
    forms = (
        b"",
        whole[: int(rng.integers(1, len(whole)))],
        whole.replace(BOUNDARY.encode(), b"another"),
        whole.replace(b"\r\n\r\n", b"\r\n", 1),
        whole.replace(b"form-data", b"attachment"),
        whole.replace(b'name="audio"', b'name="sound"'),
        whole.replace(b'; filename="me.wav"', b""),
        whole + whole,
        b"--" + BOUNDARY.encode() + b"\r\n" + b"X-Part: a\r\n" * 300 + b"\r\n\r\n",
        rng.bytes(500),
    )
    return Upload("odd form", forms[rng.integers(len(forms))])
