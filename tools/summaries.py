"""What `python -m tools --help` says of each verb: a line each, by subject.

The verbs' own help is longer, and some take a second to load.
"""

from collections.abc import Mapping
from types import MappingProxyType

SUMMARIES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Fill and edit the gallery": {
            "import": "Enrol performers from photos, a list or Stash.",
            "list": "List everyone who is enrolled.",
            "show": "Show one performer, and where each photo came from.",
            "add-photo": "Enrol more photos of a performer.",
            "remove-photo": "Remove a photo for good.",
            "rename": "Correct a performer's name.",
            "merge": "Make two performers one.",
            "forget": "Erase a performer, or everyone unknown, for good.",
            "unforget": "Allow a forgotten performer to be enrolled again.",
            "audit": "Find wrong photos, and performers who are too alike.",
            "doctor": "Check the gallery's file and what it runs on.",
            "journal": "List what was done to the gallery.",
            "export": "Write the gallery as a list, or as a bundle to move it.",
            "upgrade-encodings": "Bring photos enrolled earlier up to today's nets.",
        },
        "Find people": {
            "identify": "Find who is in one video or photo.",
            "scan": "Find who is in all videos of a folder, and remember it.",
            "results": "List who is in what was scanned.",
            "rematch": "Match what was scanned with today's gallery.",
            "decide": "Say who somebody in a video is or is not.",
            "decisions": "List what you decided, or take it back.",
            "strangers": "List unknown people of all videos, and name them.",
            "jobs": "Show how far scans are; pause, resume or cancel them.",
        },
        "Keep in step with Stash": {
            "stash": "Connect your Stash, find who is in its scenes, add them.",
        },
        "Measure on your own files": {
            "evaluate": "How often names are right, wrong or missing.",
            "evaluate-films": "Who is found in films cut from your clips.",
            "evaluate-hints": "The effect of names in paths.",
            "evaluate-kinds": "How blurred, dark or covered faces fare.",
            "evaluate-strangers": "How well unknown people are grouped.",
            "calibrate": "Fit scores to your own files.",
        },
    }
)
