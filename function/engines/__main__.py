"""`python -m function.engines`: make the nets ready ahead of time, into CACHE_FOLDER."""

from function.engines import load_engine
from function.service import engine_options
from function.settings import Settings


def main() -> None:
    """Load the engine once, on the CPU, which leaves the graphs of both nets in the cache."""
    settings = Settings.from_env({"CACHE_FOLDER": str(Settings.from_env().cache_folder or "")})
    engine = load_engine("onnx", engine_options(settings))
    print(f"The nets are ready: {engine.model} on {engine.provider}.")  # noqa: T201  # a command


if __name__ == "__main__":
    main()
