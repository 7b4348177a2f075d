"""Learn to align a language from nothing: recordings, their phones, and an encoder's frames.

Expectation–maximisation with hard decisions (Viterbi training; Rabiner, 1989): the phones of every
utterance are laid over its loud frames in equal shares; then, again and again, the linear
discriminant that separates these states best is solved in closed form and every utterance is
aligned anew in it. Where a corpus brings alignments of its own, these stand as they are and speak
for their phones from the start.

Memory does not grow with the corpus: at most `FIT_S` seconds of it are learnt from, their frames
rest on disk, and what travels between processes are sums over states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.discriminant import ClassSums
from nativeear.indexer.encoded_utterance import EncodedUtterance
from nativeear.indexer.state_statistics import LEADS_S, Estimate, TrainingUtterance, accumulating
from nativeear.speech.aligners.flatstart import FlatstartModel
from nativeear.speech.alignment import SILENCE
from nativeear.speech.errors import CorpusError
from nativeear.speech.frames import FloatArray
from nativeear.speech.inventory import PhoneInventory

FIT_S = 3600.0
"""Seconds of speech that are learnt from, at most: more of it moves the means of the states by
less than their standard errors of a few thousandths."""

STATE_S = 0.03
"""A phone has as many states as hops of the encoder fit into this, 1 to 3: shorter phones than
that are rare."""

BLIND_ROUNDS = 8
BLIND_DIMS = 40
"""Rounds in the principal components of all frames, and how many of these: the equal shares of
the beginning say too little about the states to tell which directions part them."""

BLIND_UTTERANCES = 128
"""Utterances that the blind rounds learn from: they only have to tell the states apart."""

MAX_ROUNDS = 25
CONVERGED = 0.002
"""Gain in mean log posterior per frame below which the alignment has converged."""

SEED = 0

Progress = Callable[[str, int, int], None]


def fit_flatstart(
    utterances: Sequence[TrainingUtterance],
    inventory: PhoneInventory,
    encoder: str,
    *,
    workers: int = 1,
    progress: Progress = lambda *_: None,
) -> FlatstartModel:
    """Learn a model.

    Parameters
    ----------
    inventory
        The phones of the language; those that never occur are heard as their nearest.
    workers
        Processes; their number does not change the result.

    Raises
    ------
    CorpusError
        If there is nothing to learn from.
    """
    if not utterances:
        raise CorpusError("There is no speech to learn an aligner from.")
    first = EncodedUtterance.load(utterances[0].path)
    states = int(np.clip(round(STATE_S / first.frames.hop_s), 1, 3))
    phones = (*sorted(_phones(utterances)), SILENCE)
    stage = "Learning to align"
    with accumulating(utterances, phones, states, workers) as accumulate:
        progress(stage, 0, MAX_ROUNDS)
        all_aligned = all(item.alignment is not None for item in utterances)
        few = None if all_aligned or len(utterances) <= BLIND_UTTERANCES else BLIND_UTTERANCES
        begun = accumulate(Estimate(), None)
        centre = (begun.spoken / max(begun.speech, 1.0)).astype(np.float32)
        sums = accumulate(Estimate(centre), few).sums
        products = sums.products
        # of all frames, and the same whatever state they are in
        whole = products if few is None else accumulate(Estimate(centre), None).sums.products
        components = None if all_aligned else _principal_components(sums)
        before = -np.inf
        for done in range(1, MAX_ROUNDS + 1):
            blind = not all_aligned and done <= BLIND_ROUNDS
            matrix, means = _project(sums, products, components if blind else None)
            statistics = accumulate(Estimate(centre, matrix, means), few if blind else None)
            sums = statistics.sums
            if not blind:
                products = whole
            progress(stage, done, MAX_ROUNDS)
            if not blind and (all_aligned or statistics.posterior - before < CONVERGED):
                break
            before = -np.inf if blind else statistics.posterior
        progress(stage, MAX_ROUNDS, MAX_ROUNDS)
        matrix, means = _project(sums, products)
        leads = accumulate(Estimate(centre, matrix, means), None).leads
    unaligned = [item for item in utterances if item.alignment is None]
    return FlatstartModel(
        language=inventory.language,
        encoder=encoder,
        phones=phones,
        states=states,
        centre=centre,
        matrix=matrix,
        means=means,
        aliases=_aliases(inventory, phones),
        lead_s=-float(LEADS_S[int(np.argmax(leads))]) if unaligned else 0.0,
    )


def _phones(utterances: Sequence[TrainingUtterance]) -> set[str]:
    spelled = {
        phone
        for item in utterances
        if item.pronunciation is not None
        for word in item.pronunciation.words
        for variant in word.variants
        for phone in variant.phones
    }
    given = {p.phone for item in utterances if item.alignment for p in item.alignment.spoken}
    return spelled | given


def _aliases(inventory: PhoneInventory, phones: Sequence[str]) -> dict[str, str]:
    """The nearest phone that was heard, of every phone of the inventory that was not."""
    heard = [phone for phone in phones if phone in inventory]
    return {
        phone.symbol: min(heard, key=lambda other: (inventory.distance(phone.symbol, other), other))
        for phone in inventory
        if phone.symbol not in phones and heard
    }


def _principal_components(sums: ClassSums) -> NDArray[np.float64]:
    """Those of all frames, `[D, BLIND_DIMS]`; they are the same whatever state frames are in."""
    total = sums.counts.sum()
    mean = sums.sums.sum(axis=0) / total
    _, directions = np.linalg.eigh(sums.products / total - np.outer(mean, mean))
    return np.asarray(directions[:, ::-1][:, :BLIND_DIMS])


def _project(
    sums: ClassSums,
    products: NDArray[np.float64],
    components: NDArray[np.float64] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """A projection in which states have unit variance, and their means in it.

    It is the discriminant of the states as they are aligned; or, where they are not told apart
    yet, some given components, each scaled by what its variance within the states is.
    """
    counts = np.maximum(sums.counts, 1.0)[:, None]
    centres = sums.sums / counts
    if components is None:
        matrix = ClassSums(sums.counts, sums.sums, products).lda().matrix
    else:
        within = (products - (counts * centres).T @ centres) / sums.counts.sum()
        matrix = components / np.sqrt(np.einsum("ij,ik,kj->j", components, within, components))
    means = centres @ matrix
    overall_mean = sums.sums.sum(axis=0) / sums.counts.sum() @ matrix
    # A state that lost all its frames must be able to come back: it starts from the middle.
    means = np.where(sums.counts[:, None] > 0, means, overall_mean)
    return matrix.astype(np.float32), means.astype(np.float32)
