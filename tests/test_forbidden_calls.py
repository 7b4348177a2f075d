"""No pickle is loaded, no shell is run, and nothing is unpacked where its archive says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("speech", "indexes", "indexer", "retriever", "scoring", "service")
SHIPPED = sorted(
    [*(ROOT / "nativeear").glob("*.py"), *(f for r in ROOMS for f in (ROOT / r).rglob("*.py"))]
)

FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "torch.load",
    "torch.hub.load",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "yaml.load",
    "tempfile.mktemp",
    "np.fromstring",
    "numpy.fromstring",
    "pd.read_pickle",
    "archive.extract",
    "archive.extractall",
    "tarfile.open",
}


def calls(file: Path) -> Iterator[tuple[int, str, ast.Call]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func), node


def faults(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found += [f"imports {n}" for n in names if n.partition(".")[0] in FORBIDDEN_MODULES]
    for line, name, call in calls(file):
        if name in FORBIDDEN_CALLS:
            found.append(f"{line}: {name}")
        for keyword in call.keywords:
            given = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg in {"shell", "allow_pickle", "trust_remote_code"} and given is not False:
                found.append(f"{line}: {name}({keyword.arg}={given})")
            if keyword.arg == "weights_only" and given is not True:
                found.append(f"{line}: {name} reads a pickle")
    return found


def test_what_ships_makes_no_forbidden_call() -> None:
    assert len(SHIPPED) > 100
    found = {file.relative_to(ROOT).as_posix(): faults(file) for file in SHIPPED}
    assert not {name: told for name, told in found.items() if told}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "subprocess.run(command, shell=True)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=asked)",
        "torch.load(path)",
        "eval(text)",
        "archive.extractall(folder)",
    ],
)
def test_the_search_finds_what_it_looks_for(line: str, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(line)
    assert faults(tmp_path / "bad.py")


def test_faiss_reads_no_file() -> None:
    names = [name for file in SHIPPED for _, name, _ in calls(file)]
    assert not [name for name in names if name.endswith(("read_index", "deserialize_index"))]


def test_ffmpeg_is_started_in_one_place_with_a_whitelist_and_limits() -> None:
    starters = {
        f.relative_to(ROOT).as_posix() for f in SHIPPED if '"ffmpeg"' in f.read_text("utf-8")
    }
    assert starters <= {"speech/ffmpeg.py", "service/doctor.py"}
    text = (ROOT / "speech" / "ffmpeg.py").read_text("utf-8")
    for limit in ('"-protocol_whitelist", "file"', '"-max_alloc"', "_TIMEOUT_S", '"-nostdin"'):
        assert limit in text


def test_bandit_looks_at_every_room() -> None:
    settings = (ROOT / "pyproject.toml").read_text("utf-8").partition("[tool.bandit]")[2]
    skipped = settings.partition("]")[0]
    assert not any(test in skipped for test in ("B301", "B403", "B602", "B605")), skipped
    command = (ROOT / ".ci" / "run").read_text("utf-8")
    line = next(line for line in command.splitlines() if line.startswith("bandit "))
    assert {*ROOMS, "nativeear/*.py"} <= set(line.split())
