"""What Stash installs: two packages that run inside Stash, not in our server.

`plugin` and `scraper` both carry `recognition_server`, which talks to our server. In Python they
use the standard library only, 3.9 or newer. Our server hands them out as zips
(`function/web/stash/packages.py`), without these descriptions of the rooms; `packages.json` notes
when each last changed, and `make stash-package` renews that.
"""
