"""`python -m function.prepare`: prepares the nets ahead of time, in CACHE_FOLDER."""

from dataclasses import replace

from function.engines.loading import load_engine
from function.engines.onnx_engine import prepare_encoders
from function.engines.protocol import DETECTORS
from function.settings import Settings


def main() -> None:
    """Load the engine with each detector, on the CPU, which puts every net into the cache.

    The encoders are put there for other processors too: an image is built on one and runs on
    another.
    """
    settings = Settings.from_env({"CACHE_FOLDER": str(Settings.from_env().cache_folder or "")})
    on_cpu = replace(settings.engine_options, device="cpu")
    for detector in DETECTORS:
        engine = load_engine("onnx", replace(on_cpu, detector=detector))
    prepare_encoders(settings.cache_folder)
    print(f"The nets are ready: {engine.encoder.model.id} on {engine.provider}.")  # noqa: T201  # a command


if __name__ == "__main__":
    main()
