"""`python -m tools VERB`: hands over to the command line."""

from tools.cli import main

main(prog_name="python -m tools")
