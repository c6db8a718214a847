"""Plays a child that finds faces and never gets done with grouping them.

`python -m tests.support.endless_grouping DESCRIPTOR LINE...`, in place of `function.sandbox.child`.
"""

import sys
from typing import NoReturn

from function.people import finding
from function.sandbox import child


def group_without_end(*_: object) -> NoReturn:
    """Be busy, as grouping is."""
    while True:
        pass


if __name__ == "__main__":
    finding.gather_people = group_without_end
    child.main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
