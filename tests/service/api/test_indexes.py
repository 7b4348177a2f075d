import io

import pytest
import soundfile
from fastapi.testclient import TestClient

from nativeear.scoring.assessor import Assessor

INDEX = "/v1/indexes/en-US"


def test_indexes_languages_and_encoders_are_listed(client: TestClient) -> None:
    items = client.get("/v1/indexes").json()["items"]
    assert [(item["name"], item["default"], item["loaded"]) for item in items] == [
        ("en-US", True, True)
    ]
    languages = client.get("/v1/languages").json()["items"]
    assert languages == [{"language": "en-US", "indexes": ["en-US"]}]
    assert "compact" in {item["name"] for item in client.get("/v1/encoders").json()["items"]}


def test_an_index_is_described(client: TestClient, assessor: Assessor) -> None:
    told = client.get(INDEX).json()
    assert told["exemplars"] == assessor.index.manifest.counts.exemplars
    assert [phone["phone"] for phone in told["phones"]] == list(assessor.inventory.symbols)
    covered = client.get(f"{INDEX}/coverage").json()
    assert covered["index"] == "en-US"
    assert {phone["phone"] for phone in covered["phones"]} == set(assessor.inventory.symbols)


def test_an_exemplar_can_be_heard_with_what_is_around_it(client: TestClient) -> None:
    told = client.get(f"{INDEX}/exemplars/5").json()
    assert told["playable"]
    bare, around = (
        soundfile.info(
            io.BytesIO(client.get(f"{INDEX}/exemplars/5/audio", params={"context_s": s}).content)
        )
        for s in (0, 0.3)
    )
    assert bare.duration == pytest.approx(told["end_s"] - told["start_s"], abs=0.01)
    assert bare.duration < around.duration <= bare.duration + 0.61


def test_native_sentences_can_be_heard_whole(client: TestClient) -> None:
    first = client.get(f"{INDEX}/sentences", params={"limit": 2}).json()
    second = client.get(f"{INDEX}/sentences", params={"limit": 2, "after": first["next"]}).json()
    assert len({item["utterance"] for item in [*first["items"], *second["items"]]}) == 4
    item = first["items"][0]
    audio_responses = client.get(f"{INDEX}/utterances/{item['utterance']}/audio")
    assert audio_responses.headers["content-type"] == "audio/wav"
    assert soundfile.info(io.BytesIO(audio_responses.content)).duration >= item["audio_s"] - 0.1


@pytest.mark.parametrize(
    "path",
    [
        "/v1/indexes/no",
        f"{INDEX}/exemplars/99999999",
        f"{INDEX}/utterances/../../manifest.json/audio",
        f"{INDEX}/utterances/no/audio",
    ],
)
def test_what_is_not_there_is_said(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"]


def test_a_text_is_checked_and_pronounced(client: TestClient) -> None:
    told = client.post("/v1/validate", json={"text": "I think so"}).json()
    assert [(word["word"], word["known"]) for word in told["words"]] == [
        ("I", True),
        ("think", True),
        ("so", True),
    ]
    assert told["words"][1]["phones"] == ["TH", "IH", "NG", "K"]
    words = client.post("/v1/pronunciations", json={"text": "record"}).json()["words"]
    variants = [variant["phones"] for variant in words[0]["variants"]]
    assert len(variants) > 1
    assert words[0]["variants"][0]["syllables"][-1][1] == len(variants[0])


@pytest.mark.parametrize("tail", ["", " 你好"])
def test_what_is_guessed_or_surprising_is_told_before_recording(
    client: TestClient, tail: str
) -> None:
    text = f"I recieve $2.999 and xyzzyq from the IT team{tail}"
    told = client.post("/v1/validate", json={"text": text}).json()
    guessed = [word["word"] for word in told["words"] if word["source"] == "espeak"]
    assert guessed == ["recieve", "xyzzyq"]
    assert [word["word"] for word in told["words"] if not word["known"]] == tail.split()
    for word in guessed:
        assert any(f'"{word}"' in each and "guess" in each for each in told["warnings"])
    assert '"$2.999" was read as "two point nine nine nine dollars".' in told["warnings"]
    (team,) = (word for word in told["words"] if word["word"] == "IT")
    assert team["phones"] == ["AY", "T", "IY"]


@pytest.mark.parametrize("text", ["", "a\0b", "...", "1" * 400])
def test_odd_texts_end_well(client: TestClient, text: str) -> None:
    for path in ("/v1/validate", "/v1/pronunciations"):
        assert client.post(path, json={"text": text}).status_code in {200, 422}


def test_learners_flawless_phones_are_called_what_they_are(client: TestClient) -> None:
    corpora = client.get(INDEX).json()["corpora"]
    assert {corpus["name"]: corpus["native"] for corpus in corpora} == {
        "asterisk-en": True,
        "speechocean762-train": False,
    }
    kinds = [client.get(f"{INDEX}/exemplars/{row}").json() for row in range(0, 3000, 100)]
    assert {(item["corpus"] == "asterisk-en") == item["native"] for item in kinds} == {True}
    assert {item["native"] for item in kinds} == {True, False}


def test_the_model_of_a_text_is_what_natives_say_of_it(client: TestClient) -> None:
    told = client.get(f"{INDEX}/model", params={"text": "Please enter your number, xyzzy!"}).json()
    assert told["sentence"] is None
    assert [word["word"] for word in told["words"]] == ["please", "enter", "your", "number"]
    for word in told["words"]:
        answer = client.get(f"{INDEX}/utterances/{word['utterance']}/audio")
        heard = soundfile.info(io.BytesIO(answer.content))
        assert word["start_s"] < word["end_s"] <= heard.duration + 0.05


def test_examples_of_a_sound_begin_with_the_wanted_word(client: TestClient) -> None:
    path = f"{INDEX}/phones/TH/examples"
    found = client.get(path, params={"limit": 2}).json()["items"]
    assert len(found) == 2
    assert {item["phone"] for item in found} == {"TH"}
    three = client.get(path, params={"limit": 1, "word": "Three"}).json()["items"]
    assert three[0]["within"]["word"] == "three"
    assert client.get(f"{INDEX}/phones/XX/examples").status_code == 404


def test_the_sounds_of_a_language_are_described(client: TestClient, assessor: Assessor) -> None:
    told = client.get("/v1/practice/sounds", params={"language": "en-US"}).json()
    assert [item["phone"] for item in told["items"]] == list(assessor.inventory.symbols)
    th = next(item for item in told["items"] if item["phone"] == "TH")
    assert (th["example"], th["letters"], th["mouth"]["place"]) == ("think", "th", "dental")
    assert client.get("/v1/practice/sounds", params={"language": "xx"}).status_code == 422
