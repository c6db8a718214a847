"""Folds of people: whoever is searched for is searched for with densities fitted on others only.

Densities that were fitted on the very people they are tried on would look better than they are.
So people are dealt into folds, those of each set evenly, and the densities for the people of one
fold are fitted on the people of all other folds (cross-validation: Stone 1974). The gallery is not
split: it always holds everyone of a set.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from db.models import EncodingModel, Fusion
from function.matching.densities import Densities
from function.matching.second_models import SHIPPED_MODEL, SecondModel
from function.sources.records import UnusableSourceError
from tools.accuracy.calibrate import fit_all, usable_sources
from tools.accuracy.fusions import SHIPPED_NET, SecondNet
from tools.accuracy.labelled import Dataset, Source

FEWEST_FOLDS = 2


@dataclass(frozen=True)
class Folds:
    """Which fold each person is in, and for each fold the densities fitted on all the others.

    So is the `fusion` of each fold, where it is fitted. Without folds everyone is searched for with
    what `usual` says, or by dlib's net alone if that is None.
    """

    fold_of: dict[str, int]
    densities: tuple[tuple[Densities, ...], ...]
    fusions: tuple[Fusion, ...] = ()
    usual: SecondModel | None = SHIPPED_MODEL

    def densities_for(self, name: str) -> Sequence[Densities] | None:
        """Return the densities to search for a person with; None for those that ship."""
        if self.densities:
            return self.densities[self.fold_of[name]]
        return self.usual.all_densities() if self.usual else None

    def people_by_fusion(self) -> list[tuple[Fusion | None, frozenset[str] | None]]:
        """Return the people of each fusion; None for everyone, if there is only one."""
        if len(set(self.fusions)) > 1:
            return [
                (fusion, frozenset(name for name, own in self.fold_of.items() if own == fold))
                for fold, fusion in enumerate(self.fusions)
            ]
        usual = self.usual.fusion if self.usual else None
        return [(self.fusions[0] if self.fusions else usual, None)]


NO_FOLDS = Folds({}, ())


def fit_folds(
    datasets: Sequence[Dataset],
    model: EncodingModel,
    *,
    folds: int,
    on: date,
    seed: int,
    report: Callable[[str], None],
    net: SecondNet = SHIPPED_NET,
) -> Folds:
    """Deal people into `folds`, and fit densities for each fold; 0 is no folds.

    `on` is the day, and `report` is told of each fit. With an own net, its fusion is fitted too.

    Raises:
        UnusableSourceError: one fold was asked for, there are more folds than people, or the people
            outside a fold are too few to fit densities on.
    """
    if not folds:
        return replace(NO_FOLDS, usual=net.model)
    fold_of = deal_people([_people(dataset) for dataset in datasets], folds, seed)
    if not FEWEST_FOLDS <= folds <= len(fold_of):
        raise UnusableSourceError(
            f"{folds} folds of {len(fold_of)} people were asked for. Ask for {FEWEST_FOLDS} folds "
            "or more, and for no more than there are people; 0 takes the densities that ship."
        )
    sources = [source for dataset in datasets for source in dataset.sources]
    fitted, fusions = [], []
    for fold in range(folds):
        report(f"fitting densities for fold {fold + 1} of {folds}, on the people of the others")
        others = _usable([one for one in sources if fold_of[one.name] != fold], folds)
        description = f"everyone outside fold {fold + 1} of {folds}"
        fusions.append(net.fuse(others))
        fitted.append(fit_all(others, model, fusions[-1], fitted_on=description, on=on, seed=seed))
    return Folds(fold_of, tuple(fitted), tuple(fusions))


def _usable(others: Sequence[Source], folds: int) -> list[Source]:
    """Return the sources to fit on, or say that they are of too few people."""
    try:
        return usable_sources(others)
    except UnusableSourceError as error:
        raise UnusableSourceError(
            f"Of {folds} folds, one leaves too few people to fit densities on: {error} Ask for "
            "more folds, or for 0, which takes the densities that ship."
        ) from error


def deal_people(sets: Sequence[Sequence[str]], folds: int, seed: int) -> dict[str, int]:
    """Deal the people of each set into folds in turn, after a shuffle; return everyone's fold.

    Dealing goes on where the last set ended, so that the folds are of one size within one person.
    """
    shuffler = random.Random(seed)  # noqa: S311  # people are dealt, not secrets
    dealt = [name for names in sets for name in shuffler.sample(names, len(names))]
    return {name: place % folds for place, name in enumerate(dealt)}


def _people(dataset: Dataset) -> list[str]:
    return sorted({source.name for source in dataset.with_left_out()})
