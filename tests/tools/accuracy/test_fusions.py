"""How dlib's net and one's own are put together: fitted on labelled faces."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from db.models import EncodingKind, Fusion
from db.records import Vector
from db.vectors import square_distances
from function.engines.lightcnn.model import DLIB_SHARE, LENGTH
from function.engines.loading import load_engine
from function.engines.models import BOTH, PRIMARY, SECOND
from function.engines.protocol import EngineOptions
from function.engines.sface import model as sface
from function.matching.second_models import Weighing, fuse_with
from function.sources.records import UnusableSourceError
from tests.support.crowds import Crowd, make_sources
from tests.support.sharing import make_once
from tools.accuracy.calibrate import calibrate, fit_of, render_calibration
from tools.accuracy.evaluate import Setting, evaluate
from tools.accuracy.folds import NO_FOLDS, fit_folds
from tools.accuracy.fusions import SFACE_NET, SHARES, SecondNet, fit_weighing
from tools.accuracy.labelled import Dataset, Source, read_dataset
from tools.accuracy.sets import name_set
from tools.accuracy.trials import make_trials

TODAY = date(2026, 11, 23)
NUMBERS = 40
OWN = EncodingKind(id="own/1", dimensions=NUMBERS)
NET = SecondNet(name="own/1", own=OWN, model=None)


def encoded_twice(
    people: int,
    each: int,
    *,
    spread: float,
    person_spread: float = 1.0,
    first_spread: float = 0.35,
    seed: int = 1,
) -> list[Source]:
    """Photos that the first net tells apart so so; the smaller `spread`, the better the second."""
    random = np.random.default_rng(seed)

    def direction(length: float) -> Vector:
        vector = random.normal(size=NUMBERS)
        return (length * vector / np.linalg.norm(vector)).astype(np.float32)

    sources = make_sources(Crowd(seed), people=people, each=each, spread=first_spread)
    persons = {source.name: direction(person_spread) for source in sources}
    return [
        replace(
            source,
            faces=tuple(
                replace(face, second=persons[source.name] + direction(spread))
                for face in source.faces
            ),
        )
        for source in sources
    ]


def test_the_better_net_gets_the_larger_share() -> None:
    sharp, useless = (fit_weighing(encoded_twice(12, 5, spread=spread)) for spread in (0.1, 3.0))
    assert sharp.share >= 0.8
    assert useless.share <= 0.2
    assert {sharp.share, useless.share} <= set(SHARES)


def test_both_nets_are_scaled_to_the_same_strangers() -> None:
    near, far = (
        fit_weighing(encoded_twice(12, 5, spread=0.3 * size, person_spread=size))
        for size in (1.0, 2.0)
    )
    assert far.length == pytest.approx(2 * near.length, rel=0.02)
    assert far.share == near.share
    assert far.face_variance == pytest.approx(near.face_variance, rel=0.05)


def test_the_variance_is_that_of_one_persons_photos_in_the_fusion() -> None:
    sources = encoded_twice(12, 5, spread=0.3)
    weighing = fit_weighing(sources)
    fusion = fuse_with(OWN, weighing)
    variances = []
    for name in {source.name for source in sources}:
        faces = [face for source in sources if source.name == name for face in source.faces]
        second = np.stack([face.second for face in faces if face.second is not None])
        joined = fusion.join(np.stack([face.encoding for face in faces]), second)
        variances.append(joined.var(axis=0, ddof=1).sum())
    assert weighing.face_variance == pytest.approx(np.mean(variances), rel=0.01)


def test_a_person_with_many_photos_does_not_outweigh_the_others() -> None:
    sources = encoded_twice(8, 4, spread=0.3)
    odd = [
        replace(source, name="many", origin=f"many/{number}.jpg")
        for number, source in enumerate(encoded_twice(1, 40, spread=1.0, seed=2))
    ]
    alone, joined = fit_weighing(sources), fit_weighing([*sources, *odd])
    assert joined.face_variance < 2 * alone.face_variance


def test_too_few_people_are_refused() -> None:
    alone = [source for source in encoded_twice(3, 3, spread=0.3) if source.name == "P0"]
    once = make_sources(Crowd(), people=5, each=3)
    for sources in (alone, [*alone, *once]):
        with pytest.raises(UnusableSourceError, match="1 people have 2 usable photos"):
            fit_weighing(sources)


def test_a_net_that_ships_is_put_beside_dlib_as_it_ships() -> None:
    assert SecondNet().fuse([]) is BOTH
    assert SFACE_NET.fuse([]) is sface.FUSION


def pairs_missed(sources: Sequence[Source], fusion: Fusion) -> int:
    """Count one person's pairs farther apart than one stranger in a thousand is."""
    faces = [(source.name, *source.faces) for source in sources if source.faces]
    names = np.array([name for name, _ in faces])
    joined = fusion.join(
        np.stack([face.encoding for _, face in faces]),
        np.stack([face.second for _, face in faces if face.second is not None]),
    )
    one, other = np.triu_indices(len(names), 1)
    distances, same = square_distances(joined, joined)[one, other], names[one] == names[other]
    return int((distances[same] > np.quantile(distances[~same], 0.001)).sum())


def test_the_shares_that_ship_are_as_good_as_those_that_are_fitted(lfw: Dataset) -> None:
    found = fit_weighing(lfw.sources)
    assert found.length == pytest.approx(LENGTH, rel=0.1)
    fitted = pairs_missed(lfw.sources, fuse_with(SECOND, found))
    assert pairs_missed(lfw.sources, BOTH) <= fitted
    swapped = Weighing(DLIB_SHARE, found.length, found.face_variance)
    assert pairs_missed(lfw.sources, fuse_with(SECOND, swapped)) > fitted


def test_the_shares_of_sface_are_nearly_those_that_are_fitted(
    development_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = development_data / "lfw10"
    earlier = load_engine("onnx", EngineOptions(second_encoder="sface"))
    read = make_once(tmp_path_factory, "lfw-sface", lambda _: read_dataset(folder, earlier))
    found = fit_weighing(read.sources)
    assert abs(found.share - (1 - sface.DLIB_SHARE)) <= 0.1 + 1e-9
    assert found.length == pytest.approx(sface.LENGTH, rel=0.1)


def test_calibrating_gives_a_fit_of_the_fusion_and_compares_it_with_dlib_alone() -> None:
    dataset = Dataset(tuple(encoded_twice(8, 4, spread=0.2)), ())
    found = calibrate(dataset, PRIMARY, fitted_on="made-up people", on=TODAY, net=NET)
    assert found.fit is not None
    assert (found.fit.model, found.fit.dimensions) == (OWN.id, NUMBERS)
    assert found.fit.densities.model == fuse_with(OWN, found.fit.weighing).space.id
    assert found.fit == fit_of(OWN, dataset.sources, found.densities)
    assert found.held_out.log_loss < found.held_out_shipped.log_loss
    assert "dlib's net alone: calibration error" in render_calibration(found)
    assert "your net has" in render_calibration(found)


def _sets(sources: Sequence[Source]) -> Dataset:
    return Dataset(tuple(sources), ())


def test_each_fold_has_a_fusion_that_was_fitted_on_the_others() -> None:
    sources = encoded_twice(9, 4, spread=0.3)
    folds = fit_folds(
        [_sets(sources)], PRIMARY, folds=2, on=TODAY, seed=1, report=lambda _: None, net=NET
    )
    assert len({fusion.space.id for fusion in folds.fusions}) == 2
    groups = folds.people_by_fusion()
    assert sorted(name for _, names in groups for name in names or ()) == sorted(folds.fold_of)
    for fusion, names in groups:
        assert fusion is not None
        others = [source for source in sources if source.name not in (names or ())]
        assert fusion == NET.fuse(others)
        for name in names or ():
            densities = folds.densities_for(name)
            assert densities is not None
            assert densities[-1].model == fusion.space.id


def test_with_one_fusion_everyone_is_of_one_group() -> None:
    assert NO_FOLDS.people_by_fusion() == [(BOTH, None)]
    none = fit_folds(
        [], PRIMARY, folds=0, on=TODAY, seed=1, report=lambda _: None, net=SecondNet(model=None)
    )
    assert none.people_by_fusion() == [(None, None)]
    assert none.densities_for("anyone") is None


def test_the_trials_of_some_people_are_the_same_as_among_all() -> None:
    sources = encoded_twice(5, 4, spread=0.3)
    fusion = fuse_with(OWN, Weighing(0.5, 1.0, 0.1))

    def trials(only: frozenset[str] | None) -> list[tuple[str, bool, bytes, bytes]]:
        made = make_trials(
            sources, PRIMARY, enrol=1, probe=1, rounds=2, seed=1, fusion=fusion, only=only
        )
        return [
            (
                one.name,
                one.enrolled,
                one.faces[0].encoding.tobytes(),
                b"".join(fused.templates.means.tobytes() for fused in one.gallery.fused),
            )
            for one in made
        ]

    some = trials(frozenset({"P1", "P3"}))
    assert some
    assert some == [one for one in trials(None) if one[0] in ("P1", "P3")]


def test_a_better_net_names_more_people_right() -> None:
    def measured(spread: float) -> float:
        sources = encoded_twice(10, 4, spread=spread, first_spread=0.6)
        sets = [name_set("set", _sets(sources))]
        found = evaluate(
            sets, PRIMARY, on=TODAY, settings=[Setting(1, 1)], rounds=2, folds=2, net=NET
        )
        return found.rows[0].searches.named_right.value

    assert measured(0.1) > measured(3.0) + 0.1
