"""Eight threads hear what one hears, and so does any number of OpenMP threads."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.evidence import gather_evidence
from nativeear.retriever.neighbours import find_neighbours
from nativeear.scoring.assessor import Assessor

ROOT = Path(__file__).parents[2]
PROMPTS = {
    "vm-msgsaved.flac": "Your message has been saved.",
    "auth-incorrect.flac": (
        "Password incorrect. Please enter your password followed by the pound key."
    ),
}


def test_eight_threads_on_one_index_give_single_thread_answers(tone_index: PhoneIndex) -> None:
    rng = np.random.default_rng(0)
    dim = tone_index.manifest.encoder.dim
    asked = [rng.normal(size=(9, dim)).astype(np.float32) for _ in range(24)]
    phones = ["IY", "AA", "M"] * 3

    def answer(embeddings: np.ndarray) -> tuple[list[list[int]], list[float]]:
        found = find_neighbours(tone_index, tone_index.transform(embeddings), 5)
        evidence = gather_evidence(tone_index, embeddings, phones)
        return found.ids.tolist(), [item.margin for item in evidence]

    alone = [answer(embeddings) for embeddings in asked]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(answer, asked)) == alone


def test_eight_threads_on_one_assessor_give_single_thread_answers() -> None:
    import nativeear

    assessor: Assessor = nativeear.load()

    def assess(name: str) -> str:
        return assessor.assess(ROOT / "service" / "data" / name, PROMPTS[name]).model_dump_json()

    alone = {name: assess(name) for name in PROMPTS}
    names = [*PROMPTS] * 4
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(assess, names)) == [alone[name] for name in names]


VERDICTS = """
import json, sys
import nativeear
result = nativeear.load().assess(sys.argv[1], sys.argv[2])
print(json.dumps([[p.phone, p.verdict, round(p.score or -1)] for p in result.phones]))
"""

IN_ORDER = """
import {first}, {second}
import numpy, sys, torch, faiss
search = faiss.IndexFlatIP(16)
search.add(numpy.eye(16, dtype="float32"))
for _ in range(3):
    torch.randn(64, 64) @ torch.randn(64, 64)
    assert search.search(numpy.eye(16, dtype="float32"), 1)[1][:, 0].tolist() == list(range(16))
print("done")
"""


def run(code: str, *arguments: str, threads: str = "1") -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": threads},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_another_number_of_threads_gives_the_same_verdicts() -> None:
    name = "vm-msgsaved.flac"
    path = str(ROOT / "service" / "data" / name)
    one, two = (json.loads(run(VERDICTS, path, PROMPTS[name], threads=n)) for n in ("1", "2"))
    assert one == two
    assert len(one) > 10


@pytest.mark.parametrize(("first", "second"), [("torch", "faiss"), ("faiss", "torch")])
def test_torch_and_faiss_work_in_either_order(first: str, second: str) -> None:
    code = IN_ORDER.replace("{first}", first).replace("{second}", second)
    assert run(code, threads="2").strip() == "done"
