"""Would a test notice? The judge's code is changed in one place at a time, and its tests are run.

    pip install cosmic-ray
    OMP_NUM_THREADS=1 nice python -m benchmarks.mutations [MODULE ...] [--sample 60] [--seed 1]

For each module of `MODULES` a random sample of Cosmic Ray's mutants is made in a copy of the
repository, and the tests named beside the module are run on each until one fails. Printed are the
mutants that no test noticed, and by module how many died. Such as nobody could notice (they only
cost time, word a message, or compute the same) are told apart in `equivalent_mutants.csv`: module,
the line before and after, and why. Numbers and names are exchanged besides what Cosmic Ray
does: `CHANGED` has a threshold a quarter off, and the smallest taken for the largest.

Tests are chosen to be quick: a mutant costs some seconds. They run in processes forked from one
that has loaded what is below the judge, and built the corpus of tones.
"""

from __future__ import annotations

import ast
import csv
import importlib.util
import os
import random
import re
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.reporting import options_of

ROOT = Path(__file__).parents[1]  # nothing of `nativeear` may be imported from here
JUDGED = Path(__file__).parent / "equivalent_mutants.csv"

STORED = "tests/scoring/fusion/test_expert.py"
FEATURES = "tests/scoring/fusion/test_features.py"
PROPERTIES = "tests/retriever/test_neighbours_properties.py"
MODULES: dict[str, tuple[str, ...]] = {
    "retriever/deviations.py": (
        "tests/retriever/test_deviation_paths.py",
        "tests/retriever/test_insertion_paths.py",
    ),
    "retriever/evidence.py": (PROPERTIES,),
    "retriever/frame_evidence.py": (PROPERTIES,),
    "retriever/frame_retrieval.py": (PROPERTIES,),
    "retriever/nearness.py": (),
    "retriever/neighbours.py": (
        "tests/retriever/test_evidence.py",
        PROPERTIES,
        "tests/retriever/test_resident.py",
    ),
    "retriever/vowel_fullness.py": (),
    "scoring/fusion/expert.py": ("tests/scoring/test_calibration.py",),
    "scoring/fusion/features.py": (),
    "scoring/fusion/natives.py": (FEATURES, STORED),
    "scoring/fusion/training_free.py": (STORED,),
    "scoring/fusion/trees.py": (STORED,),
    "scoring/grading.py": (),
    "scoring/gop.py": (),
    "scoring/gop_evidence.py": (),
    "scoring/reading.py": (),
    "scoring/assessor.py": ("tests/scoring/free",),
    "scoring/prosody/assessing.py": (
        "tests/scoring/prosody/test_natives.py",
        "tests/scoring/test_assessor.py",
    ),
    "scoring/prosody/hesitations.py": (),
    "scoring/prosody/intonation.py": (),
    "scoring/prosody/natives.py": ("tests/scoring/prosody/test_intonation.py",),
    "scoring/prosody/stress.py": (),
    "scoring/feedback/articulation.py": (),
    "speech/first_languages.py": (),
    "scoring/feedback/minimal_pairs.py": (),
    "scoring/feedback/remarks.py": (),
}
"""What is changed, and which tests look at it besides those of its own name."""

LIBRARIES = (
    "numpy", "scipy.special", "torch", "faiss", "pyarrow.parquet", "pydantic", "soundfile", "soxr",
    "pytest", "hypothesis", "hypothesis.extra.numpy", "panphon", "parselmouth", "safetensors.numpy",
    "sklearn.ensemble", "nativeear.indexer.build", "nativeear.speech.encoders.compact",
    "nativeear.speech.aligners.ctc",
)  # fmt: skip

USUAL = re.compile(
    r"Operator_(Add|Sub|Mul|Div|FloorDiv|Mod)_(Add|Sub|Mul|Div|FloorDiv)$"
    r"|Operator_Bit(Or|And)_Bit(Or|And)$"
    r"|ComparisonOperator_(Eq|NotEq|Lt|LtE|Gt|GtE)_(Eq|NotEq|Lt|LtE|Gt|GtE)$"
    r"|ComparisonOperator_(Is|IsNot)_(Is|IsNot)$"
    r"|UnaryOperator_(Delete_|USub_UAdd)"
    r"|/(AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceAndWithOr|ReplaceOrWithAnd)$"
    r"|/(ReplaceBreakWithContinue|ReplaceContinueWithBreak|NumberReplacer|ZeroIterationForLoop)$"
)
"""Cosmic Ray's operators less those that hardly do anything but crash, such as `-` for `<<`: each
test notices these, and they would flatter the count."""

EXCHANGED = (
    ("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("nanargmin", "nanargmax"),
    ("fmin", "fmax"), ("floor", "ceil"), ("any", "all"), ("nanmedian", "nanmin"),
    ("nanmean", "nanmin"), ("mean", "sum"), ("median", "min"), ("left", "right"),
    ("before", "after"), ("start_s", "end_s"), ("append", "remove"),
)  # fmt: skip
CHANGED = {a: b for pair in EXCHANGED for a, b in (pair, pair[::-1])}
QUARTERS = (1.25, 0.75)
TOKEN = re.compile(
    r"(?<![\w.])\d+\.\d+(?:e-?\d+)?(?![\w.])"
    r"|(?<=\.)[a-z_]+\b|\b[a-z_]+(?=\()|\b(?:before|after|left|right)\b"
)
"""Where a number or a name may be exchanged: attributes, calls, and sides whatever they are."""

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "site")
MOST_MEMORY, UNLIMITED_S = 6 << 30, 1 << 20


@dataclass(frozen=True)
class Mutant:
    """A module's whole text with one change, and the changed lines."""

    module: str
    line: int
    text: str
    before: str
    after: str


def drawn(module: str, most: int, rng: random.Random) -> list[Mutant]:
    """Up to `most` mutants of a module, no two of one meaning, in random order."""
    source = (ROOT / module).read_text(encoding="utf-8")
    own, silent, told = source.splitlines(), _silent_lines(source), _judged()
    recipes = [*_by_cosmic_ray(source), *_by_token(source)]
    rng.shuffle(recipes)
    meanings, made = {_meaning(source), ""}, list[Mutant]()
    for recipe in recipes:
        text = recipe()
        meaning = _meaning(text)
        if meaning in meanings:
            continue
        meanings.add(meaning)
        pairs = zip(own, text.splitlines(), strict=False)
        line, before, after = next((i, a, b) for i, (a, b) in enumerate(pairs, 1) if a != b)
        mutant = Mutant(module, line, text, before.strip(), after.strip())
        if line not in silent and (module, mutant.before, mutant.after) not in told:
            made.append(mutant)
        if len(made) == most:
            break
    return made


def _by_cosmic_ray(source: str) -> Iterator[Callable[[], str]]:
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    nodes = list(ast_nodes(get_ast(source)))
    for name in filter(USUAL.search, operator_names()):
        operator = get_operator(name)()
        places = sum(1 for node in nodes for _ in operator.mutation_positions(node))
        for occurrence in range(places):
            yield partial(mutate_code, source, operator, occurrence)


def _by_token(source: str) -> Iterator[Callable[[], str]]:
    for found in TOKEN.finditer(source):
        token = found.group()
        if token[0].isdigit():
            others = [repr(float(token) * share) for share in QUARTERS]
        else:
            others = [CHANGED[token]] if token in CHANGED else []
        for other in others:
            text = source[: found.start()] + other + source[found.end() :]
            yield partial(str, text)


def _judged() -> set[tuple[str, str, str]]:
    """Module and lines of mutants that nobody could notice."""
    with JUDGED.open(encoding="utf-8", newline="") as stream:
        return {(row["module"], row["before"], row["after"]) for row in csv.DictReader(stream)}


def _meaning(source: str) -> str:
    """What a module does, without its annotations and docstrings; empty if it is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        match node:
            case ast.arg() | ast.AnnAssign():
                node.annotation = ast.Constant(None)
            case ast.FunctionDef():
                node.returns = None
            case ast.Expr(value=ast.Constant(value=str())):
                node.value = ast.Constant("")
    return ast.dump(tree)


def _silent_lines(source: str) -> set[int]:
    """Lines of imports, refusals and decorators."""
    silent = list[ast.expr | ast.stmt]()
    for node in ast.walk(ast.parse(source)):
        silent += getattr(node, "decorator_list", [])
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Raise):
            silent.append(node)
    return {
        line for node in silent for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def tests_of(module: str) -> list[str]:
    """The tests of a module's own name, and those that `MODULES` adds."""
    path = Path(module)
    own = Path("tests") / path.parent / f"test_{path.name}"
    return [*([str(own)] if (ROOT / own).is_file() else []), *MODULES[module]]


class Ready:
    """What tests of a session build first, built once for all processes that are forked later."""

    def __init__(self, folder: Path) -> None:
        conftest = importlib.import_module("tests.conftest")
        names = SimpleNamespace(mktemp=lambda name: _made(folder / name))
        corpus = conftest.tone_corpus.__wrapped__(names)
        self._built = {
            "tone_corpus": corpus,
            "tone_index": conftest.tone_index.__wrapped__(corpus, names),
        }

    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> object:
        """Give what is built in place of building it; pytest's own hook."""
        built = self._built.get(fixturedef.argname)
        if built is not None:
            fixturedef.cached_result = (built, fixturedef.cache_key(request), None)
        return built


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def passes(module: str, tests: Sequence[str], *plugins: object, seconds: int = UNLIMITED_S) -> bool:
    """Whether all tests pass, in a process of its own."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    status = 1
    try:
        shutil.rmtree(".hypothesis", ignore_errors=True)  # what failed on another mutant
        Path(importlib.util.cache_from_source(module)).unlink(missing_ok=True)
        sys.dont_write_bytecode = seconds < UNLIMITED_S
        _limit(seconds)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        import pytest

        options = ("-x", "-q", "-p", "no:cacheprovider", "--basetemp=.kept")
        more = ("-p", "_hypothesis_pytestplugin", "--hypothesis-seed=0")
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take longer than the tests
        status = int(pytest.main([*options, *more, *tests], plugins=plugins))
    finally:
        os._exit(status)


def _limit(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


def survivors(module: str, chosen: Sequence[Mutant], ready: Ready) -> list[Mutant] | None:
    """Those that no test of the module notices; None if the tests fail on the code as it is.

    The working folder is the copy.
    """
    tests, file = tests_of(module), Path(module)
    source = file.read_text(encoding="utf-8")
    started = sum(os.times()[2:4])
    if not passes(module, tests, ready):
        return None
    limit = int(5 * (sum(os.times()[2:4]) - started) + 10)
    alive = []
    for mutant in chosen:
        file.write_text(mutant.text, encoding="utf-8")
        if passes(module, tests, ready, seconds=limit):
            alive.append(mutant)
            print(f"{module}:{mutant.line}\n  - {mutant.before}\n  + {mutant.after}", flush=True)
    file.write_text(source, encoding="utf-8")
    return alive


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("modules", nargs="*", default=list(MODULES), metavar="MODULE")
    parser.add_argument("--sample", type=int, default=60, help="mutants of a module")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, symlinks=True, ignore=LEFT_OUT)
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        for library in LIBRARIES:
            importlib.import_module(library)
        ready = Ready(Path(folder) / "ready")
        print(f"{'module':34} {'died':>5} {'of':>4}", flush=True)
        for module in options.modules:
            chosen = drawn(module, options.sample, random.Random(options.seed))  # noqa: S311
            alive = survivors(module, chosen, ready)
            if alive is None:
                print(f"{module:34} its tests fail as it is; run them with pytest")
                continue
            dead, size = len(chosen) - len(alive), len(chosen)
            print(f"{module:34} {dead:5} {size:4} {dead / max(size, 1):6.0%}", flush=True)
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
