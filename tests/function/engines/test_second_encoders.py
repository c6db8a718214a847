"""Which second encoder engines have, and the models that are known together."""

from dataclasses import replace

import pytest

from function.engines.loading import load_engine
from function.engines.models import BOTH, PRIMARY, SECOND, find_fusion, models_of
from function.engines.protocol import EngineOptions
from function.engines.sface.model import SFACE
from function.errors import EngineUnavailableError


@pytest.mark.parametrize("name", ["onnx", "dlib"])
def test_every_engine_has_it_where_yunet_finds_the_points(name: str) -> None:
    usual = EngineOptions()
    assert models_of(load_engine(name, usual)) == (PRIMARY.id, SECOND.id)
    before = load_engine(name, replace(usual, second_encoder="sface"))
    assert models_of(before) == (PRIMARY.id, SFACE.id)
    for options in (replace(usual, second_encoder=None), replace(usual, detector="hog")):
        engine = load_engine(name, options)
        assert engine.second is None
        assert models_of(engine) == (PRIMARY.id,)


def test_two_models_that_are_not_known_together_are_refused() -> None:
    assert find_fusion((PRIMARY.id,), BOTH) is None
    assert find_fusion((PRIMARY.id, SECOND.id), BOTH) == BOTH
    with pytest.raises(EngineUnavailableError, match=r"models .* and other; known together are"):
        find_fusion((PRIMARY.id, "other"), BOTH)
