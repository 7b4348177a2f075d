"""What a teacher put right in a service is measured by `nativeear eval manifest`."""

import json
import zipfile
from pathlib import Path
from uuid import uuid4

from typer.testing import CliRunner

from nativeear import load
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.cli import app
from nativeear.service.database.assessments import NewAssessment
from nativeear.service.database.labels import NewLabel, export_labels
from nativeear.service.database.ownership import Taught
from nativeear.service.database.people_store import People
from nativeear.service.database.store import Store
from nativeear.speech.textgrid import TextGrid


def test_labels_of_a_service_are_a_corpus_to_evaluate_on(
    tone_corpus: Path, tone_index: PhoneIndex, tmp_path: Path
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'service.db'}")
    people = People(store)
    teacher = people.create("teacher", "Tom", expires_at=None)[0].id
    group = people.create_group(teacher, "3b").id
    learner = people.create("learner", "Ana", group_id=group, expires_at=None)[0].id
    recording = tone_corpus / "anna" / "anna00.wav"
    grid = TextGrid.load(recording.with_suffix(".TextGrid"))
    phones = " ".join(each.label for each in grid.tiers[1].intervals if each.label)
    result = load(tone_index.path).assess(recording, phones=phones)
    id = uuid4().hex
    store.save_assessment(
        NewAssessment(
            id=id, language="en-US", index="tones",
            result=result.model_copy(update={"id": id}).model_dump_json(),
            duration_s=result.duration_s, key_id=learner, learner_id=learner, group=group,
            audio=recording.read_bytes(), audio_type="audio/wav",
        )
    )  # fmt: skip
    symbols = [phone.phone for phone in result.phones]
    other = next(symbol for symbol in ("M", "S") if symbol != symbols[1])
    labels = [NewLabel(0, "correct"), NewLabel(1, "substituted", other), NewLabel(4, "accented")]
    people.label(id, teacher, labels)
    archive = tmp_path / "labels.zip"
    with archive.open("wb") as out:
        export_labels(store, people.labelled(Taught(teacher)), out)
    store.close()
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "labels")

    options = ["--data", tmp_path / "labels" / "en-US", "--index", tone_index.path, "--json"]
    ran = CliRunner().invoke(app, ["eval", "manifest", *map(str, options)])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert found["corpus"]["set_aside"] == found["corpus"]["failed"] == []
    assert (found["utterances"], found["speakers"]) == (1, 1)
    assert found["counts"]["phones"] == 3  # of six: what nobody told is not counted
    assert found["counts"]["mispronounced"] == 1
    assert [group["name"] for group in found["by_phone"]] == sorted(
        {symbols[place] for place in (0, 1, 4)}, key=tone_index.inventory.symbols.index
    )
