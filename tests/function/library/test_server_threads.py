"""Threads of the server end when they are told to."""

import threading

import pytest

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


def test_a_thread_that_could_not_be_had_is_tried_again_and_holds_up_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    worked = threading.Event()

    def work() -> float:
        worked.set()
        return LONG_SECONDS

    thread, other = ServerThread("tried again", work), ServerThread("given up", work)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        for one in (thread, other):
            with pytest.raises(RuntimeError, match="new thread"):
                one.start()
    other.close()
    thread.start()
    assert worked.wait(LONG_SECONDS)
    thread.close()
