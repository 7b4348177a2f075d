import json
import shutil
from pathlib import Path

import pytest

from nativeear.indexes.catalogue import ENVIRONMENT, find_index
from nativeear.indexes.publishing import MANIFEST
from nativeear.indexes.versions import swap
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.problems import NotThereError
from nativeear.service.api.references import References
from nativeear.speech.errors import InputError
from tests.service.api.conftest import PROMPT, TEXT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped index as `mine`."""
    shipped = find_index("en-US")
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    shutil.copytree(shipped, tmp_path / "mine")
    return tmp_path


def changed(home: Path) -> Path:
    """Another version of `mine`, to be put in its place."""
    stage = home / ".stage"
    shutil.copytree(home / "mine", stage)
    manifest = json.loads((stage / MANIFEST).read_text())
    (stage / MANIFEST).write_text(json.dumps({**manifest, "revision": 2}))
    return stage


def test_a_changed_index_is_taken_into_service_and_the_old_one_still_answers(home: Path) -> None:
    metrics = Metrics()
    references = References(("mine",), metrics)
    before = references.get("mine")
    references.reload_changed()
    assert references.get("mine") is before
    swap(changed(home), home / "mine")
    references.reload_changed()
    after = references.get("mine")
    assert (before.index.manifest.revision, after.index.manifest.revision) == (1, 2)
    answers = [r.assessor.assess(PROMPT, TEXT) for r in (before, after)]
    assert answers[0] == answers[1]
    assert b'nativeear_index_reloads_total{index="mine"} 1.0' in metrics.text()

    (home / "mine" / MANIFEST).write_text("{")
    references.reload_changed()
    assert references.get("mine") is after
    shutil.rmtree(home / "mine")
    references.reload_changed()
    assert references.get("mine") is after


def test_the_index_that_is_meant(home: Path) -> None:
    references = References((), Metrics())
    assert [summary.name for summary in references.offered()] == ["en-US", "mine"]
    assert references.choose(None, None) == "en-US"
    assert references.choose(None, "en") == "en-US"
    assert references.choose("mine", "en") == "mine"
    for index, language in [("yours", None), (str(home / "mine"), None), ("mine", "de")]:
        with pytest.raises(InputError):
            references.choose(index, language)
    with pytest.raises(InputError, match="No index speaks"):
        references.choose(None, "de")
    with pytest.raises(NotThereError):
        references.get("../mine")


def test_a_damaged_index_is_offered_with_its_problem_and_not_chosen(home: Path) -> None:
    (home / "mine" / MANIFEST).write_text("{}")
    references = References((), Metrics())
    assert references.offered()[1].problem
    with pytest.raises(InputError, match="no index called"):
        references.choose("mine", None)
