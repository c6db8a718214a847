"""`python -m tools VERB`: runs the command line."""

import sys

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

main(prog_name="python -m tools")
