"""Threads of the server end when they are told to."""

import threading

from function.library.server_threads import ServerThread

LONG_SECONDS = 30.0


def test_a_thread_that_is_told_to_end_while_it_works_does_not_wait_once_more() -> None:
    begun, told = threading.Event(), threading.Event()

    def work() -> float:
        begun.set()
        told.wait(LONG_SECONDS)
        thread.wait(LONG_SECONDS)  # it takes the wake that says so
        return LONG_SECONDS

    thread = ServerThread("told to end", work)
    thread.start()
    assert begun.wait(LONG_SECONDS)
    thread.stop()
    told.set()
    thread.close()
    assert "told to end" not in {one.name for one in threading.enumerate()}
