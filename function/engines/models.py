"""The models of encodings that galleries hold, and the readers that make them."""

from collections.abc import Mapping, Sequence

from db.models import EncodingModel, Fusion
from function.engines.dlib_nets.model import DLIB
from function.engines.lightcnn.model import FUSION, LIGHT_CNN
from function.engines.protocol import Engine
from function.engines.sface.model import FUSION as SFACE_FUSION
from function.engines.sface.model import SFACE
from function.errors import EngineUnavailableError

PRIMARY = DLIB
"""The model that encodes every photo, and by which people are grouped."""

SECOND = LIGHT_CNN
"""The model that encodes a person's best views once more."""

BOTH = FUSION
"""The encodings of both, put end to end: people are compared in it where photos have both."""

SECOND_BEFORE, BOTH_BEFORE = SFACE, SFACE_FUSION
"""The second model of earlier versions, and its fusion."""

MODELS: Mapping[str, EncodingModel] = {model.id: model for model in (DLIB,)}


def models_of(engine: Engine) -> tuple[str, ...]:
    """Return the ids of the models that an engine encodes with, the primary one first."""
    second = (engine.second.model.id,) if engine.second else ()
    return engine.encoder.model.id, *second


def find_fusion(models: Sequence[str], known: Fusion | None) -> Fusion | None:
    """Return the space of both models' encodings, or None if a reader has one model.

    `known` is the fusion that the settings ask for.

    Raises:
        EngineUnavailableError: the two are not known together.
    """
    if len(models) == 1:
        return None
    parts = tuple(part.id for part in known.parts) if known else (PRIMARY.id,)
    if known is None or tuple(models) != parts:
        raise EngineUnavailableError(
            f"The engine uses the models {' and '.join(models)}; known together are "
            f"{' and '.join(parts)}. If a net was replaced, start again."
        )
    return known


def find_model(model_id: str) -> EncodingModel:
    """Find a model by its id.

    Raises:
        EngineUnavailableError: the model is unknown.
    """
    if model_id not in MODELS:
        raise EngineUnavailableError(
            f"The engine uses the model {model_id}; the known ones are {', '.join(MODELS)}."
        )
    return MODELS[model_id]
