"""Every format that is promised, every refusal and its message. Files are made in `tmp_path`."""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import nativeear.speech.ffmpeg
from nativeear.speech.audio import SAMPLE_RATE, Audio, decoded_ahead
from nativeear.speech.encoders.log_mel import log_mel
from nativeear.speech.errors import AudioError, MissingDependencyError, NativeEarError

SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "mfa-samples"

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not there")

FloatArray = NDArray[np.float64]


def tone(
    duration_s: float = 1.0, rate: int = 16_000, *, hz: float = 440.0, peak: float = 0.5
) -> FloatArray:
    return peak * np.sin(2 * np.pi * hz * np.arange(round(duration_s * rate)) / rate)


def write(path: Path, samples: FloatArray, rate: int = 16_000, **options: str) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


def wav_bytes(samples: NDArray[Any], rate: int = 16_000, **options: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", **options)
    return buffer.getvalue()


def encode(path: Path, samples: FloatArray, rate: int, *options: str) -> Path:
    source = write(path.with_name("source.wav"), samples, rate)
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(source), *options]
    subprocess.run([*command, str(path.absolute())], check=True, timeout=120)
    return path


def assert_tone(audio: Audio, *, hz: float = 440.0, duration_s: float = 1.0) -> None:
    assert audio.sample_rate == SAMPLE_RATE
    assert audio.samples.dtype == np.float32
    assert audio.samples.ndim == 1
    assert audio.samples.flags.c_contiguous
    assert audio.duration_s == pytest.approx(duration_s, abs=0.030)
    spectrum = np.abs(np.fft.rfft(audio.samples * np.hanning(len(audio.samples))))
    assert spectrum.argmax() / audio.duration_s == pytest.approx(hz, abs=3)


def refusal(source: object, **options: float) -> AudioError:
    with pytest.raises(AudioError) as caught:
        Audio.load(source, **options)  # type: ignore[arg-type]
    assert "Traceback" not in str(caught.value) + caught.value.cause
    return caught.value


# ------------------------------------------------------------------------------- formats


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize(
    "subtype",
    [
        *("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
        *("ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM"),
    ],
)
def test_wav_of_every_subtype(tmp_path: Path, subtype: str, rate: int) -> None:
    audio = Audio.load(write(tmp_path / "a.wav", tone(rate=rate), rate, subtype=subtype))
    # ADPCM pads its last block: at 8 kHz up to 63 ms.
    duration_s = soundfile.info(tmp_path / "a.wav").duration
    assert_tone(audio, duration_s=duration_s)
    assert float(np.abs(audio.samples[1600:-1600]).max()) == pytest.approx(0.5, abs=0.03)
    assert len(audio.warnings) == (rate == 8_000)


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("a.flac", "PCM_16"),
        ("a.flac", "PCM_24"),
        ("a.ogg", "VORBIS"),
        ("a.opus", "OPUS"),
        ("a.mp3", "MPEG_LAYER_III"),
        ("a.aiff", "PCM_16"),
        ("a.caf", "PCM_16"),
        ("a.au", "PCM_16"),
        ("a.w64", "PCM_16"),
    ],
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_other_libsndfile_formats(
    tmp_path: Path, name: str, subtype: str, as_bytes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    container = {".opus": "OGG"}.get(Path(name).suffix, Path(name).suffix[1:].upper())
    path = write(tmp_path / name, tone(rate=48_000), 48_000, subtype=subtype, format=container)
    audio = Audio.load(path.read_bytes() if as_bytes else path)
    assert_tone(audio)
    assert audio.warnings == ()


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "rate", "options"),
    [
        ("a.m4a", 44_100, ["-c:a", "aac"]),
        ("a.mp4", 48_000, ["-c:a", "aac", "-movflags", "+faststart"]),
        ("a.aac", 44_100, ["-c:a", "aac"]),
        ("a.webm", 48_000, ["-c:a", "libopus"]),
        ("a.wma", 44_100, ["-c:a", "wmav2"]),
        ("a.wv", 16_000, ["-c:a", "wavpack"]),
        ("a.mp3", 44_100, ["-c:a", "libmp3lame", "-metadata", "title=x" * 100]),
        ("yamaha.wav", 16_000, ["-c:a", "adpcm_yamaha"]),
        ("piped.flac", 16_000, ["-c:a", "flac"]),
    ],
)
def test_formats_through_ffmpeg(tmp_path: Path, name: str, rate: int, options: list[str]) -> None:
    path = encode(tmp_path / name, tone(rate=rate), rate, *options)
    audio = Audio.load(path)
    # Bare ADTS and Windows Media carry no count of their padding: up to two frames of 2048.
    padding_s = 0.047 if name.endswith((".aac", ".wma")) else 0.0
    assert abs(audio.duration_s - 1.0) <= 0.030 + padding_s
    assert_tone(audio, duration_s=audio.duration_s)
    assert audio.warnings == ()
    np.testing.assert_array_equal(Audio.load(path.read_bytes()).samples, audio.samples)


@needs_ffmpeg
def test_file_object_through_ffmpeg(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", tone(), 16_000)
    with path.open("rb") as file:
        np.testing.assert_array_equal(Audio.load(file).samples, Audio.load(path).samples)


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.mp3", "a.opus", "a.m4a"])
def test_encoder_delay_is_taken_off(tmp_path: Path, name: str) -> None:
    sound = np.concatenate([np.zeros(24_000), tone(0.5, 48_000)])
    audio = Audio.load(encode(tmp_path / name, sound, 48_000))
    onset_s = int(np.argmax(np.abs(audio.samples) > 0.25)) / SAMPLE_RATE
    assert onset_s == pytest.approx(0.5, abs=0.010)


@needs_ffmpeg
def test_g722_is_known_by_its_suffix(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.g722", tone(), 16_000)
    assert_tone(Audio.load(path))
    with path.open("rb") as file:
        assert_tone(Audio.load(file))
    assert str(refusal(path.read_bytes())) == "The recording is not audio."


def test_text_named_g722_is_not_audio(tmp_path: Path) -> None:
    path = tmp_path / "a.g722"
    path.write_text("This is a text about G.722.\n" * 100)
    assert str(refusal(path)) == "a.g722 is not audio."


@needs_ffmpeg
def test_wav_from_a_pipe_has_no_length_and_is_complete() -> None:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=440:d=1:r=16000"]
    for container in ("wav", "flac"):
        result = subprocess.run(
            [*command, "-f", container, "pipe:1"], capture_output=True, check=True, timeout=120
        )
        audio = Audio.load(result.stdout)
        assert_tone(audio)
        assert audio.warnings == ()


def test_file_object_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"header" + wav_bytes(tone()))
    file.seek(6)
    assert_tone(Audio.load(file))
    assert "seek(0)" in refusal(file).fix


def test_suffix_does_not_decide(tmp_path: Path) -> None:
    for name in ("a.raw", "a.txt", "a.mp3", "a", "a.g722"):
        path = tmp_path / name
        path.write_bytes(wav_bytes(tone()))
        assert_tone(Audio.load(path))


@needs_ffmpeg
@pytest.mark.parametrize("name", ["-i.m4a", "http:a.m4a", "concat:a|b.m4a", "ä %d 'x'.m4a"])
def test_hostile_names(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = encode(tmp_path / "a.m4a", tone(), 16_000)
    if os.name == "nt":
        pytest.skip("Windows does not allow such names")
    made.rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    audio = Audio.load(name)
    assert_tone(audio, duration_s=audio.duration_s)


@needs_samples
def test_real_recordings() -> None:
    paths = [p for p in SAMPLES.iterdir() if p.suffix in {".wav", ".flac", ".mp3", ".opus"}]
    assert len(paths) >= 8
    for path in paths:
        audio = Audio.load(path)
        assert audio.warnings == ()
        assert audio.duration_s == pytest.approx(soundfile.info(path).duration, abs=0.010)


# ------------------------------------------------------------------------------- samples


def test_16_khz_pcm_is_untouched() -> None:
    noise = np.random.default_rng(0).integers(-20_000, 20_000, 16_000).astype(np.int16)
    expected = noise.astype(np.float32) / 32_768
    np.testing.assert_array_equal(Audio.load(wav_bytes(noise)).samples, expected)
    np.testing.assert_array_equal(Audio.from_samples(noise, 16_000).samples, expected)


def test_resampling_keeps_the_signal_and_its_place() -> None:
    audio = Audio.load(wav_bytes(tone(rate=44_100), 44_100, subtype="FLOAT"))
    np.testing.assert_allclose(audio.samples[400:-400], tone()[400:-400], atol=1e-4)


def test_resampling_suppresses_what_would_alias() -> None:
    sound = tone(rate=48_000) + tone(rate=48_000, hz=11_000, peak=0.4)
    audio = Audio.load(wav_bytes(sound, 48_000))
    np.testing.assert_allclose(audio.samples[400:-400], tone()[400:-400], atol=1e-3)


def test_blocks_leave_no_joint() -> None:
    audio = Audio.load(wav_bytes(tone(5, 44_100), 44_100, subtype="FLOAT"))
    np.testing.assert_allclose(audio.samples[400:-400], tone(5)[400:-400], atol=1e-4)


def test_channels_are_mixed_with_a_warning() -> None:
    stereo = np.stack([tone(), 0.5 * tone()], axis=1)
    audio = Audio.load(wav_bytes(stereo))
    assert audio.warnings == ("2 channels were mixed down to one.",)
    np.testing.assert_allclose(audio.samples, 0.75 * tone(), atol=1e-4)


def test_dead_channels_are_left_out() -> None:
    surround = np.zeros((16_000, 6))
    surround[:, 2] = tone()
    audio = Audio.load(wav_bytes(surround))
    np.testing.assert_allclose(audio.samples, tone(), atol=1e-4)
    assert "6 channels" in audio.warnings[0]
    assert "5 of them nearly silent" in audio.warnings[0]


def test_cancelling_channels_are_not_mixed() -> None:
    audio = Audio.load(wav_bytes(np.stack([0.9 * tone(), -tone()], axis=1)))
    np.testing.assert_allclose(audio.samples, -tone(), atol=1e-4)
    assert audio.warnings == ("The 2 channels cancel each other out; channel 2 alone was taken.",)


def test_offset_is_removed_with_a_warning() -> None:
    audio = Audio.load(wav_bytes(tone() + 0.2))
    assert abs(float(audio.samples.mean())) < 1e-4
    assert "offset of +20%" in audio.warnings[0]
    assert Audio.load(wav_bytes(tone() + 0.005)).warnings == ()


def test_unscaled_floats_are_scaled_with_a_warning() -> None:
    audio = Audio.load(wav_bytes(tone() * 32_768, subtype="FLOAT"))
    assert float(np.abs(audio.samples).max()) == pytest.approx(1.0)
    assert "scaled to 1" in audio.warnings[0]
    # What a lossy decoder overshoots by is left as it is.
    assert Audio.load(wav_bytes(tone(peak=1.05), subtype="FLOAT")).samples.max() > 1.04


def test_telephone_rate_is_said() -> None:
    audio = Audio.load(wav_bytes(tone(rate=8_000), 8_000))
    assert audio.warnings[0].startswith("Sampled at 8000 Hz: nothing above 4000 Hz can be heard")


# ------------------------------------------------------------------------------- refusals


def test_missing_file(tmp_path: Path) -> None:
    fault = refusal(tmp_path / "a.wav")
    assert str(fault) == "a.wav does not exist."
    assert str(tmp_path) in fault.cause
    assert "does not exist" in str(refusal("a\0b.wav"))
    assert "does not exist" in str(refusal("http://localhost/a.wav"))


def test_folder(tmp_path: Path) -> None:
    assert str(refusal(tmp_path)) == f"{tmp_path.name} is a folder, not a recording."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert str(refusal(tmp_path / "pipe.wav")) == "pipe.wav is not a regular file."


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert str(refusal(tmp_path / "a.wav")) == "a.wav is empty."
    assert str(refusal(b"")) == "The recording is empty."


def test_no_samples() -> None:
    assert str(refusal(wav_bytes(np.zeros(0)))) == "The recording holds no sound."


def test_too_short() -> None:
    fault = refusal(wav_bytes(tone(0.05)))
    assert str(fault) == "The recording is 0.050 s long; at least 0.1 s are needed."
    assert Audio.load(wav_bytes(tone(0.1))).duration_s == 0.1


def test_too_long() -> None:
    sound = wav_bytes(tone(3.0))
    fault = refusal(sound, limit_s=2.5)
    assert str(fault) == "The recording is longer than the limit of 2.5 s."
    assert "higher limit" in fault.fix
    assert Audio.load(sound, limit_s=3.0).duration_s == 3.0
    assert "longer than the limit of 600 s" in str(refusal(wav_bytes(np.zeros(601 * 4000), 4000)))


def test_header_alone_tells_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = wav_bytes(tone(3.0))
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("was decoded"))
    assert "longer than" in str(refusal(sound, limit_s=1.0))


@needs_ffmpeg
def test_decompression_bomb_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "anullsrc=r=8000:d=900"]
    subprocess.run([*command, "-c:a", "aac", str(path)], check=True, timeout=120)
    assert path.stat().st_size < 1_000_000
    fault = refusal(path, limit_s=5.0)
    assert "longer than the limit of 5 s" in str(fault)


@pytest.mark.parametrize("limit_s", [0, -1, float("nan"), float("inf")])
def test_bad_limit(limit_s: float) -> None:
    assert "positive number" in str(refusal(wav_bytes(tone()), limit_s=limit_s))


def test_silence() -> None:
    rng = np.random.default_rng(0)
    click = np.zeros(16_000)
    click[8_000:8_010] = 0.9
    for sound in (np.zeros(16_000), rng.integers(-1, 2, 16_000) / 32_768, click):
        fault = refusal(wav_bytes(sound))
        assert str(fault) == "The recording is silent."
        assert "microphone" in fault.fix


def test_quiet_speech_is_not_silence() -> None:
    quiet = tone(hz=200, peak=10 ** (-50 / 20)) * (np.arange(16_000) % 4_000 < 2_000)
    assert Audio.load(wav_bytes(quiet)).warnings == ()


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_constant(rate: int) -> None:
    fault = refusal(wav_bytes(np.full(rate, 0.3), rate))
    assert str(fault) == "The recording holds a constant signal, no sound."
    assert "0.300" in fault.cause


def test_clipped_to_noise() -> None:
    rng = np.random.default_rng(0)
    noise = np.clip(rng.normal(size=16_000) * 20, -1, 1)
    for subtype in ("PCM_16", "PCM_U8", "ULAW", "FLOAT"):
        fault = refusal(wav_bytes(noise, subtype=subtype))
        assert str(fault) == "The recording is clipped to noise."
        assert "at full scale" in fault.cause


def test_some_clipping_is_a_warning() -> None:
    audio = Audio.load(wav_bytes(np.clip(tone(peak=1.1), -1, 1)))
    assert "of the samples are clipped" in audio.warnings[0]
    assert Audio.load(wav_bytes(tone(peak=0.95))).warnings == ()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_no_numbers(bad: float) -> None:
    sound = tone()
    sound[5_000] = bad
    for subtype in ("FLOAT", "DOUBLE"):
        fault = refusal(wav_bytes(sound, subtype=subtype))
        assert "samples that are NaN, infinite or far out of range" in str(fault)
    with pytest.raises(AudioError, match="NaN"):
        Audio.from_samples(sound, 16_000)


@pytest.mark.parametrize(
    "content",
    [
        b"Hello, this is a text and no recording.\n" * 50,
        "Grüße, 你好\n".encode("utf-16") * 50,
        b"\x89PNG\r\n\x1a\n" + bytes(1_000),
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(1_000),
        b"%PDF-1.7\n" + bytes(1_000),
        b"PK\x03\x04" + bytes(1_000),
        b"RIFF\x00\x10\x00\x00AVI LIST" + bytes(1_000),
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b'<?xml version="1.0"?><svg><image href="file:///etc/passwd"/></svg>',
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
        b"[Script Info]\nTitle: x\n",
        np.random.default_rng(1).bytes(10_000),
        bytes(10_000),
        b"x",
    ],
)
@pytest.mark.parametrize("suffix", [".wav", ".m3u8", ".mp3"])
def test_not_audio(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    fault = refusal(path)
    assert str(fault) == f"a{suffix} is not audio."
    assert "WAV" in fault.fix


@needs_ffmpeg
def test_video_without_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=red:s=16x16:d=0.2"]
    subprocess.run([*command, str(path)], check=True, timeout=120)
    fault = refusal(path)
    assert str(fault) == "a.mp4 cannot be decoded: the file is damaged, cut off or without sound."


@pytest.mark.parametrize("length", [12, 20, 30, 40])
def test_truncated_header(length: int) -> None:
    assert "cannot be decoded" in str(refusal(wav_bytes(tone())[:length]))


def test_header_without_data() -> None:
    assert str(refusal(wav_bytes(tone())[:44])) == "The recording holds no sound."


def test_truncated_data() -> None:
    whole = wav_bytes(tone(2.0))
    audio = Audio.load(whole[: 44 + 48_000])
    assert audio.duration_s == 1.5
    assert audio.warnings == ("The file is cut off: 1.50 s of 2.00 s are there.",)
    fault = refusal(whole[: 44 + 16_000])
    assert str(fault) == "The recording is cut off."
    assert fault.cause == "Only 0.50 s of 2.00 s are there."


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.flac", "a.opus", "a.ogg", "a.mp3", "a.m4a", "a.aiff", "a.au"])
def test_truncated_data_of_other_formats(tmp_path: Path, name: str) -> None:
    faststart = ["-movflags", "+faststart"] if name == "a.m4a" else []
    noise = np.random.default_rng(0).normal(size=4 * 48_000) * 0.1
    path = encode(tmp_path / name, noise, 48_000, *faststart)
    data = path.read_bytes()
    audio = Audio.load(data[: len(data) * 3 // 4])
    assert 1.9 < audio.duration_s < 3.6
    assert any("cut off" in text or "damaged" in text for text in audio.warnings), audio.warnings


@needs_ffmpeg
def test_m4a_without_its_directory(tmp_path: Path) -> None:
    data = encode(tmp_path / "a.m4a", tone(), 44_100).read_bytes()
    fault = refusal(data[: len(data) // 2])
    assert "cannot be decoded" in str(fault)
    assert "moov atom not found" in fault.cause
    assert "/" not in fault.cause


def test_too_many_channels() -> None:
    fault = refusal(wav_bytes(np.zeros((1_600, 9))))
    assert str(fault) == "The recording has 9 channels; at most 8 are accepted."


def test_absurd_rate() -> None:
    sound = bytearray(wav_bytes(tone()))
    sound[24:28] = struct.pack("<I", 10)
    assert "is sampled at 10 Hz" in str(refusal(bytes(sound)))


def test_wrong_kinds_of_source() -> None:
    assert "given as a path" in str(refusal(3))
    assert "text instead of bytes" in str(refusal(io.StringIO("text")))
    closed = io.BytesIO(b"x")
    closed.close()
    assert "cannot be read" in str(refusal(closed))


def test_oversized_file_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nativeear.speech.sound_source.MAX_FILE_OBJECT_BYTES", 1 << 20)
    assert str(refusal(io.BytesIO(bytes(1 << 21)))) == "The recording is larger than 1 MiB."


@needs_ffmpeg
def test_without_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode(tmp_path / "a.m4a", tone(), 44_100)
    damaged = wav_bytes(tone())[:30]
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingDependencyError, match="ffmpeg is needed") as caught:
        Audio.load(path)
    assert "apt install ffmpeg" in caught.value.fix
    fault = refusal(damaged)
    assert str(fault) == "The recording cannot be decoded without ffmpeg, or is damaged."
    assert "libsndfile" in fault.cause


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for ffmpeg is a shell script")
def test_hanging_ffmpeg_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "ffmpeg"
    stand_in.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(nativeear.speech.ffmpeg, "_TIMEOUT_S", 0.2)
    fault = refusal(b"\x00\x00\x00\x18ftypM4A " + bytes(100), limit_s=1.0)
    assert "took longer than" in fault.cause


@needs_ffmpeg
def test_what_is_decoded_ahead_is_the_same(tmp_path: Path) -> None:
    paths = [
        encode(tmp_path / f"{number}.{kind}", tone(0.2 + number / 10, hz=200 + number), 16_000)
        for number, kind in enumerate(("g722", "m4a", "g722", "wav"))
    ]
    alone = [Audio.load(path) for path in paths]
    with decoded_ahead(paths) as ahead:
        assert list(ahead) == paths[:3]  # libsndfile reads WAV itself
        kept = list(ahead.values())
        together = [Audio.load(path, ahead=ahead) for path in paths]
        with pytest.raises(AudioError, match="longer than the limit"):
            Audio.load(paths[2], limit_s=0.2, ahead=ahead)
    for one, other in zip(alone, together, strict=True):
        assert one.samples.tobytes() == other.samples.tobytes()
        assert one.warnings == other.warnings
    assert not any(file.exists() for file in kept)


@needs_ffmpeg
def test_bad_company_leaves_all_to_be_decoded_alone(tmp_path: Path) -> None:
    good = [encode(tmp_path / f"{n}.g722", tone(), 16_000) for n in range(2)]
    bad = tmp_path / "bad.m4a"
    bad.write_bytes(b"\x00\x00\x00\x18ftypM4A " + bytes(100))
    text = tmp_path / "text.m4a"
    text.write_text("no sound")
    with decoded_ahead([*good, text, tmp_path / "missing.g722"]) as ahead:
        assert list(ahead) == good
    with decoded_ahead([*good, bad]) as ahead:
        assert not ahead
        assert_tone(Audio.load(good[0], ahead=ahead))
        with pytest.raises(AudioError, match=r"bad\.m4a cannot be decoded"):
            Audio.load(bad, ahead=ahead)


@needs_ffmpeg
def test_long_sound_and_hanging_decoders_are_left_to_be_decoded_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [encode(tmp_path / f"{s}.g722", tone(s), 16_000) for s in (1, 2, 3)]
    monkeypatch.setattr(nativeear.speech.ffmpeg, "TOGETHER_BYTES", 100_000)
    with decoded_ahead(paths) as ahead:
        assert list(ahead) == paths[:1]
    monkeypatch.setattr(nativeear.speech.ffmpeg, "_TIMEOUT_S", 1e-3)
    with decoded_ahead(paths) as ahead:
        assert not ahead
    monkeypatch.setenv("PATH", "")
    with decoded_ahead(paths) as ahead:
        assert not ahead


@needs_ffmpeg
def test_damage_anywhere_is_an_error_of_ours_or_a_recording(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a.wav", "a.flac", "a.ogg", "a.mp3", "a.m4a"):
        data = encode(tmp_path / name, tone(0.3, 22_050), 22_050).read_bytes()
        for _ in range(3):
            broken = bytearray(data)
            for at in rng.integers(0, min(len(data), 400), 6):
                broken[at] = rng.integers(256)
            try:
                audio = Audio.load(bytes(broken[: rng.integers(16, len(data))]), limit_s=60)
            except NativeEarError:
                continue
            assert np.isfinite(audio.samples).all()


# ------------------------------------------------------------------------------- Audio itself


def test_from_samples_takes_the_usual_arrays() -> None:
    sound = tone()
    for array in (
        sound,
        sound.astype(np.float32),
        sound.astype(np.float16),
        (sound * 32_767).astype(np.int16),
        (sound * (2**31 - 1)).astype(np.int32),
        np.round(sound * 127 + 128).astype(np.uint8),
        sound[:, None],
        np.repeat(sound, 2)[::2],
        sound.tolist(),
    ):
        audio = Audio.from_samples(array, 16_000)
        np.testing.assert_allclose(audio.samples, sound, atol=0.01)
    assert_tone(Audio.from_samples(tone(rate=44_100), 44_100))


def test_from_samples_leaves_the_array_alone() -> None:
    sound = tone().astype(np.float32) + np.float32(0.3)
    before = sound.copy()
    Audio.from_samples(sound, 16_000).samples[:] = 0
    np.testing.assert_array_equal(sound, before)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2, 2)), "Samples have the shape"),
        (np.zeros((1, 16_000)), "has 16000 channels"),
        (np.zeros(16_000, complex), "floating point, int16, int32 or uint8"),
        (np.zeros(16_000), "is silent"),
        (np.zeros(0), "holds no sound"),
        (np.zeros(100), "at least 0.1 s"),
    ],
)
def test_from_samples_checks(array: NDArray[np.generic], message: str) -> None:
    with pytest.raises(AudioError, match=message):
        Audio.from_samples(array, 16_000)


def test_from_samples_has_a_limit_and_a_rate() -> None:
    with pytest.raises(AudioError, match=r"longer than the limit of 0\.5 s"):
        Audio.from_samples(tone(), 16_000, limit_s=0.5)
    for rate in (0, -16_000, 100):
        with pytest.raises(AudioError, match="is sampled at"):
            Audio.from_samples(tone(), rate)


def test_slice() -> None:
    audio = Audio.from_samples(tone(), 16_000)
    part = audio.slice(0.25, 0.5)
    np.testing.assert_array_equal(part.samples, audio.samples[4_000:8_000])
    assert audio.slice(-1, 9).duration_s == audio.duration_s
    for start_s, end_s in ((0.5, 0.5), (0.6, 0.5), (2, 3)):
        with pytest.raises(AudioError, match="There is no sound between"):
            audio.slice(start_s, end_s)


def test_audio_holds_only_what_it_says() -> None:
    for samples in (tone(), np.zeros((4, 4), np.float32), np.zeros(8, np.float32)[::2]):
        with pytest.raises(AudioError, match="contiguous float32") as caught:
            Audio(samples)  # type: ignore[arg-type]
        assert "from_samples" in caught.value.fix
    with pytest.raises(AudioError, match="contiguous float32"):
        Audio([0.0] * 8)  # type: ignore[arg-type]
    with pytest.raises(AudioError, match="NaN or infinite"):
        Audio(np.full(8, np.nan, np.float32))
    with pytest.raises(AudioError, match="sample rate is above 0"):
        Audio(np.zeros(8, np.float32), 0)


def test_what_is_too_short_for_the_encoder_is_refused_as_audio() -> None:
    with pytest.raises(AudioError, match="320 samples or more"):
        log_mel(np.zeros(0, np.float32))


def test_threads(tmp_path: Path) -> None:
    names = ["a.wav", "b.flac", "c.ogg"]
    paths = [write(tmp_path / name, tone(rate=44_100), 44_100) for name in names] * 8
    alone = {path: Audio.load(path).samples for path in paths}
    with ThreadPoolExecutor(8) as pool:
        for path, audio in zip(paths, pool.map(Audio.load, paths), strict=True):
            np.testing.assert_array_equal(audio.samples, alone[path])
    assert threading.active_count() < 16


@needs_ffmpeg
def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(tmp_path / "a.m4a", tone(3), 44_100).read_bytes()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    Audio.load(data)
    refusal(data, limit_s=0.5)
    assert list(scratch.iterdir()) == []


def test_import_is_cheap() -> None:
    code = (
        "import sys, nativeear.speech.audio;"
        "print([m for m in ('soundfile', 'soxr') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert result.stdout.strip() == "[]"
