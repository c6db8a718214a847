"""The one place that chooses an engine.

An engine is one module here, `NAME_engine.py`, with a function `load(options) -> Engine`. To add an
engine, add such a file: `load_engine` finds it by name.
"""

import importlib
import importlib.util

from function.engines.protocol import Engine, EngineOptions
from function.errors import EngineUnavailableError

PREFERRED_ENGINES = ("onnx", "dlib")
"""What `auto` tries, in this order."""


def load_engine(name: str, options: EngineOptions) -> Engine:
    """Load the engine called `name`, or for "auto" the first of PREFERRED_ENGINES that loads.

    Raises:
        EngineUnavailableError: there is no such engine, or it cannot run here as configured.
    """
    if name != "auto":
        return _load(name, options)
    reasons: dict[str, str] = {}
    for preferred in PREFERRED_ENGINES:
        try:
            return _load(preferred, options)
        except EngineUnavailableError as error:
            reason = str(error)
            reasons[reason] = f"{reasons[reason]}, {preferred}" if reason in reasons else preferred
    listed = " ".join(f"{names}: {reason}" for reason, names in reasons.items())
    raise EngineUnavailableError(f"No engine can run here. {listed}")


def _load(name: str, options: EngineOptions) -> Engine:
    module_name = f"{__package__}.{name}_engine"
    if not name.isidentifier() or importlib.util.find_spec(module_name) is None:
        known = ", ".join(["auto", *PREFERRED_ENGINES])
        raise EngineUnavailableError(f"There is no engine {name!r}. Set ENGINE to one of {known}.")
    engine: Engine = importlib.import_module(module_name).load(options)
    return engine
