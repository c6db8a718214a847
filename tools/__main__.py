"""`python -m tools VERB`: runs the command line."""

from tools.cli import main

main(prog_name="python -m tools")
