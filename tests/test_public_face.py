"""What other people's programs see: one package, typed, beside folders of theirs of any name."""

import subprocess
import sys
from pathlib import Path

import pytest

import nativeear
import nativeear.testing

ROOT = Path(__file__).parents[1]


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_every_public_name_is_there() -> None:
    assert all(getattr(nativeear, name) is not None for name in nativeear.__all__)
    assert all(getattr(nativeear.testing, name) is not None for name in nativeear.testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'loud'"):
        _ = nativeear.loud  # type: ignore[attr-defined]


def test_a_project_with_a_speech_and_a_service_of_its_own_uses_nativeear(tmp_path: Path) -> None:
    for room in ("speech", "service", "scoring", "indexes", "indexer", "retriever"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text(f"OWN = {room!r}\n", encoding="utf-8")
    (tmp_path / "app.py").write_text(
        "import speech, service, nativeear\n"
        "assert (speech.OWN, service.OWN) == ('speech', 'service')\n"
        "from nativeear.speech.inventory import PhoneInventory\n"
        "print(nativeear.Audio.__module__, PhoneInventory.load('en-US').ipa('TH'))\n",
        encoding="utf-8",
    )
    found = run("app.py", cwd=tmp_path)
    assert found.stdout.strip() == "nativeear.speech.audio θ", found.stderr


def test_a_users_script_is_checked_by_its_types(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    script = tmp_path / "script.py"
    right = (
        "import nativeear\n\na = nativeear.load()\nprint(a.assess('me.wav', 'Hi').score.overall)\n"
    )
    script.write_text(right + "a.asses('typo')\n", encoding="utf-8")
    # From here, so that what mypy learns of all rooms serves the check of the whole, too.
    found = run("-m", "mypy", str(script), cwd=ROOT)
    assert '"Assessor" has no attribute "asses"' in found.stdout
    assert "Found 1 error" in found.stdout, found.stdout
