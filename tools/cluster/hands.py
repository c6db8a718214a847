"""Opens a cluster for a scan, once everything is known that would make it fail."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from db.ledgers import Ledger
from function.engines.models import PRIMARY
from function.errors import EngineUnavailableError
from function.matching.second_models import open_second
from function.settings import Settings
from function.version import VERSION
from tools.cluster.clusters import Cluster
from tools.cluster.connecting import Certificates, connect
from tools.cluster.crew import ClusterCrew
from tools.cluster.messages import Terms
from tools.cluster.readers import ClusterReader
from tools.library.hands import Hands, own_hands


@contextmanager
def cluster_hands(
    address: str,
    certificates: Certificates,
    settings: Settings,
    tell: Callable[[str], None],
    most: int | None = None,
) -> Iterator[Hands]:
    """Connect to a scheduler, and have its workers read videos, at most `most` at once.

    Raises:
        EngineUnavailableError: nobody can be reached, or only unencrypted; or the second model
            cannot be used.
    """
    second = open_second(settings.engine_options)
    models = (PRIMARY.id, *([second.kind.id] if second else []))
    terms = Terms(VERSION, settings.detector, models)
    dimensions = (PRIMARY.dimensions, second.kind.dimensions if second else 0)
    with closing(Cluster(connect(address, certificates))) as cluster:
        reader = ClusterReader(
            cluster, terms, second, settings.media_root, dimensions=dimensions, tell=tell
        )
        # `most` counts videos in the cluster: this machine may have fewer cores than that.
        crew = ClusterCrew(
            cluster, reader, terms, tell, most, here=lambda: own_hands(settings, None)
        )
        yield Hands(reader, crew.run)


def require_shared(places: Sequence[Path], settings: Settings) -> None:
    """Refuse places outside MEDIA_ROOT: workers look for videos only there.

    Raises:
        EngineUnavailableError: a place is not inside it.
    """
    roots = [root.resolve() for root in settings.media_root]
    for place in places:
        if not any(place.is_relative_to(root) for root in roots):
            raise EngineUnavailableError(
                f"{place} is not inside MEDIA_ROOT ({', '.join(map(str, settings.media_root))}). "
                "With --dask, set MEDIA_ROOT here and for each worker to the folder that all of "
                "them see; its path may differ."
            )


def require_unclaimed(ledger: Ledger) -> None:
    """Refuse to scan for a ledger that another process scans for.

    Raises:
        EngineUnavailableError: one does, so that workers would get nothing.
    """
    with ledger.working() as is_ours:
        if not is_ours:
            raise EngineUnavailableError(
                "Another process scans for this library, such as the server, and would take the "
                "videos. Stop it while --dask scans, and start it again when that is done."
            )
