"""What /metrics reports: counts and times since the start, in Prometheus' text format."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from function.web.logs import RequestRecord

SECONDS_BUCKETS = (0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)


class Metrics:
    """Counts requests; each server process counts its own."""

    def __init__(self, slots: int) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "recognition_requests",
            "Requests.",
            ["route", "status", "code"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "recognition_request_seconds",
            "Time to the end of the answer.",
            ["route"],
            buckets=SECONDS_BUCKETS,
            registry=self._registry,
        )
        self._stages = Counter(
            "recognition_stage_seconds",
            "Time spent in each stage.",
            ["stage"],
            registry=self._registry,
        )
        self._videos = Counter(
            "recognition_videos",
            "Videos searched, by what decoded them.",
            ["decoder"],
            registry=self._registry,
        )
        self._frames = Counter("recognition_frames", "Frames processed.", registry=self._registry)
        self._faces = Counter("recognition_faces", "Faces found.", registry=self._registry)
        self._people = Counter("recognition_people", "People found.", registry=self._registry)
        self.busy = Gauge("recognition_slots_busy", "Slots in use.", registry=self._registry)
        Gauge("recognition_slots", "Slots in total.", registry=self._registry).set(slots)

    def count(self, record: RequestRecord) -> None:
        """Add one request that has ended."""
        self._requests.labels(record.route, str(record.status), record.code).inc()
        self._seconds.labels(record.route).observe(record.seconds["total"])
        for stage, spent in record.seconds.items():
            if stage != "total":
                self._stages.labels(stage).inc(spent)
        if record.decoder:
            self._videos.labels(record.decoder).inc()
        self._frames.inc(record.frames)
        self._faces.inc(record.faces)
        self._people.inc(record.people)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
