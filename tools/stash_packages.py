"""Writes the plugin and the scraper as Stash installs them, for `make stash-package`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from function.web.stash.packages import (
    DATE_FORM,
    DESCRIPTIONS,
    RELEASES,
    STASH_FOLDER,
    make_package,
    read_packages,
    write_index,
)

GOAL = Path("dist/stash")


def main() -> None:
    """Date what changed, and write both packages to GOAL."""
    date_changes(STASH_FOLDER)
    for package in read_packages():
        folder = GOAL / f"{package.kind}s"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{package.id}.zip").write_bytes(package.content)
        (folder / "index.yml").write_text(write_index(package), encoding="utf-8")
        print(folder)


def date_changes(folder: Path) -> None:
    """Give today's date to each package that is no longer what RELEASES says."""
    path = folder / RELEASES
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    now = datetime.now(UTC).strftime(DATE_FORM)
    dated = {kind: _dated(folder, kind, known.get(kind, {}), now) for kind in DESCRIPTIONS}
    path.write_text(json.dumps(dated, indent=2) + "\n", encoding="utf-8")


def _dated(folder: Path, kind: str, known: dict[str, Any], now: str) -> dict[str, str]:
    if known and make_package(folder, kind, known["date"]).sha256 == known["sha256"]:
        return known
    return {"date": now, "sha256": make_package(folder, kind, now).sha256}


if __name__ == "__main__":
    main()
