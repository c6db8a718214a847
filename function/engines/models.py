"""The models that galleries may hold, by their ids."""

from collections.abc import Mapping

from db.models import EncodingModel
from function.engines.dlib_nets.model import DLIB
from function.errors import EngineUnavailableError

PRIMARY = DLIB
"""The model that encodes every photo, and by which people are grouped."""

MODELS: Mapping[str, EncodingModel] = {model.id: model for model in (DLIB,)}


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
