from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.clips import clip_name, clips_of
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.manifest import FileIdentity, Manifest
from nativeear.indexes.phone_index import PhoneIndex

COLLIDING = [("x", "a/b"), ("x", "a--b"), ("x--y", "z"), ("x", "y--z"), ("x", "A/b"), ("x\0y", "z")]


def holding(*files: str) -> Manifest:
    manifest = read_manifest(find_index("en-US"))
    identity = FileIdentity(bytes=1, sha256="")
    return manifest.model_copy(update={"files": dict.fromkeys(files, identity), "clips": "opus"})


def test_no_two_utterances_share_a_file_on_any_disk() -> None:
    names = [clip_name(*utterance, "opus").casefold() for utterance in COLLIDING]
    assert all(one != other for one, other in combinations(names, 2))


@settings(deadline=None)
@given(st.text(), st.text())
def test_whatever_an_utterance_is_called_its_file_has_a_plain_name(corpus: str, id: str) -> None:
    name = clip_name(corpus, id, "opus")
    folder, _, file = name.partition("/")
    assert folder == "audio"
    assert len(file) == 37
    assert file.removesuffix(".opus").isalnum()
    files = holding(name).files
    assert Manifest._inside(files) == files


def test_a_file_that_earlier_releases_gave_to_two_utterances_belongs_to_none() -> None:
    files = holding("audio/x--a--b.opus", "audio/x--c--d.opus")
    assert clips_of(files, [("x", "a/b"), ("x", "a--b"), ("x", "c/d")]) == {
        ("x", "c/d"): "audio/x--c--d.opus"
    }
    assert clips_of(files, []) == {}


@pytest.mark.parametrize("clips", ["opus", None])
def test_the_names_of_earlier_releases_are_still_read(clips: str | None) -> None:
    manifest = holding("audio/x--a--b.opus").model_copy(update={"clips": clips})
    found = clips_of(manifest, [("x", "a/b"), ("x", "e")])
    assert found == ({("x", "a/b"): "audio/x--a--b.opus"} if clips else {})


def test_every_recording_of_the_shipped_index_is_of_one_utterance() -> None:
    index = PhoneIndex.open(find_index("en-US"))
    files = {name for name in index.manifest.files if name.startswith("audio/")}
    assert len(index.clips) == len(set(index.clips.values()))
    assert set(index.clips.values()) == files
