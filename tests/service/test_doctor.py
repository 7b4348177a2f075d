import io
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from nativeear.service.doctor import (
    DEPENDENCIES,
    EXTRAS,
    Check,
    DoctorReport,
    examine,
    print_report,
)

ROOT = Path(__file__).parents[2]


def shown(report: DoctorReport) -> str:
    file = io.StringIO()
    print_report(report, Console(file=file, width=200))
    return file.getvalue()


def test_every_dependency_of_the_project_is_looked_for() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    assert listed is not None
    assert set(re.findall(r'^    "([\w-]+)', listed[1], re.MULTILINE)) == set(DEPENDENCIES)
    extras = project.partition("[project.optional-dependencies]")[2].partition("[project.s")[0]
    named = dict(re.findall(r"^([a-z]+) = \[(.*?)\]$", extras, re.DOTALL | re.MULTILINE))
    for name, (_, tells) in EXTRAS.items():
        assert all(f'"{told}' in named[name] for told in tells), name


def test_what_is_here_is_found_with_its_version_and_without_torch() -> None:
    before = set(sys.modules)
    checks = {check.name: check for check in examine().checks}
    assert "torch" in before or "torch" not in sys.modules
    for name in ("Python", "numpy", "[torch]", "[server]", "espeak-ng library", "default encoder"):
        assert checks[name].ok, checks[name]
        assert checks[name].fix == ""
    assert re.match(r"\d+\.\d+", checks["numpy"].found)
    assert re.match(r"\d+\.\d+", checks["espeak-ng library"].found)


def test_what_is_missing_says_what_it_is_for_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    report = examine()
    checks = {check.name: check for check in report.checks}
    for name in ("ffmpeg", "mfa"):
        assert not checks[name].ok
        assert not checks[name].required
        assert checks[name].purpose in shown(report)
        assert checks[name].fix in shown(report)


def test_a_broken_executable_is_not_taken_for_a_working_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("ffmpeg", "nvidia-smi"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = {check.name: check for check in examine().checks}
    assert not checks["ffmpeg"].ok
    assert not checks["GPU"].ok


def test_an_index_folder_that_cannot_be_made_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(tmp_path / "file" / "indexes"))
    checks = {check.name: check for check in examine().checks}
    assert not checks["index folder"].ok
    assert "NATIVEEAR_INDEXES" in checks["index folder"].fix


def test_only_what_is_required_decides() -> None:
    here = Check("a", True, True, "1.0", "this")
    optional = Check("b", False, False, "not here", "that", "bring b")
    required = Check("c", False, True, "not here", "those", "bring c")
    assert DoctorReport((here, optional)).ok
    assert not DoctorReport((here, required)).ok
    assert "Everything required is here." in shown(DoctorReport((here, optional)))
    assert "Something required is missing." in shown(DoctorReport((here, required)))
