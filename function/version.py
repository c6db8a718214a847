"""The version, as `/ready`, `/openapi.json` and `python -m tools --version` say it."""

VERSION = "0.1.0"
