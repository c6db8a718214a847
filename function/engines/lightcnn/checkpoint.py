"""Reads a checkpoint of PyTorch without PyTorch: a zip of a pickle and of the tensors' numbers.

A pickle can run anything. This one is read by an unpickler that knows dicts, numbers, text and
tensors of floats, and refuses whatever else is asked for.
"""

import pickle  # see above
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from function.errors import EngineUnavailableError

_LISTED = "data.pkl"
_WORKERS = "module."
"""Before each name, if several GPUs trained the net."""


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a net by their names: `state_dict` in the checkpoint.

    Raises:
        EngineUnavailableError: the file is no such checkpoint, or its pickle asks for more.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            tensors = _read(archive)["state_dict"]
            return {name.removeprefix(_WORKERS): one for name, one in tensors.items()}
    except Exception as error:  # of a damaged file zipfile and pickle raise nearly anything
        why = str(error) or type(error).__name__
        raise EngineUnavailableError(
            f"{path.name} cannot be read as a checkpoint of PyTorch: {why}."
        ) from error


def _read(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    (listed,) = (name for name in archive.namelist() if name.endswith(f"/{_LISTED}"))
    with archive.open(listed) as file:
        found: Mapping[str, Any] = _Tensors(file, archive, listed.removesuffix(_LISTED)).load()
        return found


class _Tensors(pickle.Unpickler):
    """Unpickles tensors of float32 as arrays, from the folder of an archive."""

    def __init__(self, file: Any, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self._archive = archive
        self._folder = folder

    def find_class(self, module: str, name: str) -> Callable[..., Any] | str:
        known: dict[str, Callable[..., Any] | str] = {
            "collections.OrderedDict": OrderedDict,
            "torch.FloatStorage": "floats",
            "torch._utils._rebuild_tensor_v2": _rebuild,
        }
        asked = f"{module}.{name}"
        if asked not in known:
            raise pickle.UnpicklingError(f"it asks for {asked}")
        return known[asked]

    def persistent_load(self, pid: tuple[Any, ...]) -> NDArray[np.float32]:
        kind, storage, key, *_ = pid
        if (kind, storage) != ("storage", "floats"):
            raise pickle.UnpicklingError(f"it holds {storage} where floats belong")
        return np.frombuffer(self._archive.read(f"{self._folder}data/{key}"), "<f4")


def _rebuild(
    numbers: NDArray[np.float32], start: int, shape: tuple[int, ...], *_: Any
) -> NDArray[np.float32]:
    """Return a tensor that lies in one piece from `start` on."""
    tensor: NDArray[np.float32] = numbers[start : start + int(np.prod(shape))].reshape(shape)
    return tensor
