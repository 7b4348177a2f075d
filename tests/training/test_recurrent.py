"""The network that is fitted with torch, and the one that is evaluated with NumPy."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from nativeear.scoring.fusion.recurrent import RecurrentNetwork, standardised
from training.recurrent import _exported, _Network

PHONES = ("AH", "S", "T")
RNG = np.random.default_rng(3)
COLUMNS = 5


@pytest.fixture(scope="module")
def networks() -> list[_Network]:
    torch.manual_seed(5)
    return [_Network(len(PHONES), 2 * COLUMNS).eval() for _ in range(2)]


@pytest.fixture(scope="module")
def exported(networks: list[_Network]) -> RecurrentNetwork:
    mean, spread = RNG.normal(size=COLUMNS), RNG.uniform(0.5, 2, COLUMNS)
    return _exported(networks, PHONES, mean, spread)


@pytest.mark.parametrize("length", [1, 2, 17])
def test_numpy_gives_what_torch_gives(
    networks: list[_Network], exported: RecurrentNetwork, length: int
) -> None:
    columns = RNG.normal(size=(length, COLUMNS))
    columns[RNG.random(columns.shape) < 0.2] = np.nan
    rows = RNG.integers(0, len(PHONES) + 1, length)
    phones = ["never seen" if row == 0 else PHONES[row - 1] for row in rows]
    given = torch.from_numpy(standardised(columns, exported.mean, exported.spread))
    with torch.no_grad():
        told = [
            network(torch.from_numpy(rows)[None], given[None], torch.tensor([length]))[0][0]
            for network in networks
        ]
    np.testing.assert_allclose(exported(columns, phones), np.mean(told, axis=0), atol=1e-5)


def test_a_phone_is_judged_in_the_company_of_all_others(exported: RecurrentNetwork) -> None:
    columns = RNG.normal(size=(9, COLUMNS))
    before = exported(columns, ["S"] * 9)
    for changed in (0, 8):
        other = columns.copy()
        other[changed] += 1
        assert (exported(other, ["S"] * 9) != before).all()


def test_what_is_written_is_read(exported: RecurrentNetwork) -> None:
    again = RecurrentNetwork.of(exported.arrays(), PHONES)
    columns = RNG.normal(size=(4, COLUMNS))
    phones = ["AH", "S", "T", "S"]
    assert again(columns, phones).tolist() == exported(columns, phones).tolist()
