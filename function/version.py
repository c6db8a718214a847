"""The version that `/ready`, `/openapi.json` and `python -m tools --version` report."""

VERSION = "0.1.0"
