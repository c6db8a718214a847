"""`python -m tools VERB`: runs the command line."""

import signal
import sys
from typing import Any

try:
    from tools.cli import main
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] in ("db", "function", "tools"):
        raise
    sys.exit(
        f"{error.name} is not installed for {sys.executable}. Use .venv/bin/python -m tools, or "
        "first run: source .venv/bin/activate (make demo sets .venv up)."
    )
except KeyboardInterrupt:  # Ctrl-C while it loads, which takes a second or two
    sys.exit("Aborted!")


def _pass_over_ctrl_c(ignored: Any) -> None:
    """Say nothing of a Ctrl-C that came while Python cleaned up after an earlier one."""
    if not issubclass(ignored.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)


sys.unraisablehook = _pass_over_ctrl_c
try:
    main(prog_name="python -m tools")
except KeyboardInterrupt:  # while it said of an earlier one that it ends
    sys.exit("Aborted!")
finally:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is left to do: end at once
