"""The table of docs/settings.md, as it follows from the settings."""

from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from function.settings import Settings


def settings_table() -> str:
    """Render every setting as a Markdown table, for docs/settings.md."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = [
        f"| `{setting.name.upper()}` | {_shown(setting.default)} "
        f"| {hints[setting.name].__metadata__[1]} |"
        for setting in fields(Settings)
    ]
    return "\n".join(["| variable | default | meaning |", "| --- | --- | --- |", *rows])


def _shown(default: Any) -> str:
    if default is None or default is MISSING:
        return "auto"
    if isinstance(default, tuple):
        return ":".join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else f"{default}"
