"""Says whether this process may start threads, which a lock or a limit may forbid."""

import threading


def can_start_threads() -> bool:
    """Start a thread that does nothing, and say whether that worked."""
    thread = threading.Thread(target=int)
    try:
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True
