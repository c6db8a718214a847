"""The process that decodes videos and photos: started by the pool, locked, one file at a time.

It is given descriptors of open files, or bytes, and answers with numbers; it has no gallery, token
or path. `python -m function.sandbox.child DESCRIPTOR [LINE...]` talks over the socket with that
number; for each line, another socket, it forks a helper that is given descriptors over it.
"""

import ctypes
import gc
import importlib
import logging
import os
import pkgutil
import socket
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, cast

import av
import cv2
import numpy as np

from db.names import show_text
from function.engines.cuda import may_use_cuda
from function.engines.loading import load_engine
from function.engines.models import models_of
from function.engines.protocol import (
    Box,
    Detection,
    DetectorName,
    DeviceName,
    Engine,
    EngineOptions,
    ShippedName,
)
from function.errors import EngineUnavailableError, RecognitionError
from function.faces.search import Hands
from function.faces.second_encodings import cut_chip, encode_chips
from function.media.decoders import DecodeName, DecoderName
from function.media.frames import one_thread
from function.media.gpu import choose_decoder
from function.media.images import RgbPicture
from function.sandbox.channel import Channel
from function.sandbox.helpers import Helper, Share, Team, fork_helpers
from function.sandbox.lanes import Lane, Nets, count_lanes, open_lanes, serve_in_lanes
from function.sandbox.lockdown import MEGABYTE, end_with, lock_down
from function.sandbox.messages import (
    FROM_NETS,
    LONGEST_LINE,
    ORDERS_BY_LETTER,
    SETUP,
    Answer,
    LogLine,
    Ready,
    Refusal,
    Setup,
    read_message,
    write_message,
)
from function.sandbox.nets import (
    MOST_LAST_BYTES,
    Desk,
    LostError,
    RemoteNets,
    make_desks,
    require_room,
)
from function.sandbox.worker import Worker

_NEVER_USED = {"av.__main__", "av.datasets"}
"""Parts of PyAV that decode nothing: the second fetches samples, and loads what speaks HTTP."""

_log = logging.getLogger(__name__)


def main(descriptor: int, lines: Sequence[int] = ()) -> None:
    """Load the engine, fork helpers, lock the process, then carry out orders one at a time."""
    end_with(sys.stdin.fileno())
    channel = Channel(socket.socket(fileno=descriptor))
    logging.basicConfig(level=logging.INFO, handlers=[_ParentsLog(channel)])
    setup = read_message(SETUP, channel.receive())
    cv2.setNumThreads(1)  # no thread may be there when helpers are forked
    sockets = [socket.socket(fileno=line) for line in lines]
    try:
        setup, nets = _fork_nets(setup, channel, sockets)
        engine = _load(setup, setup.threads, nets)
        gc.enable()  # whoever started this process switched it off while all was loaded
        team = _fork(engine, setup, channel, sockets, nets)
        if lines and not team.count() and not _has_own_gpu(engine, nets):
            _log.info("Long videos are searched by one process: no other can be forked from it.")
            engine = _load(setup, setup.threads_alone, nets)
        decoder = _choose_decoder(setup, engine)
    except RecognitionError as error:
        _answer(channel, Refusal(error.code, show_text(str(error))))
        return
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if nets:
        threading.Thread(target=nets.end, daemon=True).start()  # also between two files
    thread = _start(one_thread())
    _fall_silent()
    if engine.second and not nets:
        engine.second.keep_room()
    has_gpu = decoder != "cpu" or _has_own_gpu(engine, nets)
    locks = _lock(setup.memory_megabytes, has_gpu=has_gpu)
    everyones = [{*helper.locks} for helper in team.ready()]
    locks = tuple(lock for lock in locks if all(lock in others for others in everyones))
    models = models_of(engine)
    _answer(channel, Ready(engine.name, engine.provider, models, locks, decoder, team.count()))
    worker = Worker(channel, engine, thread, decoder, team)
    while True:
        worker.carry_out(read_message(ORDERS_BY_LETTER, channel.receive()))


def _fork_nets(
    setup: Setup, channel: Channel, lines: Sequence[socket.socket]
) -> tuple[Setup, RemoteNets | None]:
    """Fork the process that runs the nets on CUDA, and wait for it; None where there is none.

    Where CUDA was tried and does not work, the setup has it tried no more.

    Raises:
        EngineUnavailableError: CUDA is required, and does not work.
    """
    options = _options(setup, 1, None)
    fits = setup.engine in ("auto", "onnx") and setup.detector != "cnn"
    if not (fits and may_use_cuda(options.device) and _is_alone()):
        return setup, None
    desks = make_desks(1 + len(lines))
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        try:
            logging.getLogger().handlers = []
            channel.close()
            for one in (ours, *lines, *(desk.asking for desk in desks)):
                one.close()
            _serve_nets(options, Channel(theirs), desks)
        finally:
            os._exit(1)
    theirs.close()
    said = _hear_of_nets(Channel(ours))
    if isinstance(said, Ready) and said.provider != "CPU":
        return setup, RemoteNets(desks, said.provider, ours)
    for one in (ours, *(end for desk in desks for end in (desk.asking, desk.answering))):
        one.close()
    return _without_nets(setup, said), None


def _hear_of_nets(link: Channel) -> Ready | Refusal:
    """Wait for what the process with the nets says of its start, which may end it."""
    try:
        said: Ready | Refusal = read_message(FROM_NETS, link.receive())
    except (EOFError, OSError):
        return Refusal(EngineUnavailableError.code, "Starting the nets on CUDA ended the process.")
    return said


def _without_nets(setup: Setup, said: Ready | Refusal) -> Setup:
    """Return a setup for a child that has to do without the nets on CUDA.

    With ENGINE=auto and DEVICE=cuda there may still be a dlib that was built with CUDA.

    Raises:
        EngineUnavailableError: CUDA is required of onnxruntime, and does not work.
    """
    is_required = setup.device == "cuda"
    if isinstance(said, Refusal):
        if is_required and not (setup.engine == "auto" and _has_dlib_for_cuda()):
            raise EngineUnavailableError(said.message)
        _log.warning("The nets do not run on CUDA. %s", said.message)
    return replace(setup, engine="dlib") if is_required else replace(setup, device="cpu")


def _has_dlib_for_cuda() -> bool:
    try:
        return bool(importlib.import_module("dlib").DLIB_USE_CUDA)
    except ImportError:
        return False


def _serve_nets(options: EngineOptions, link: Channel, desks: Sequence[Desk]) -> None:
    """Open the nets on CUDA, say so, and run them for whoever asks at a desk."""
    try:
        engine = importlib.import_module("function.engines.onnx_engine")
        lanes = open_lanes(partial(_open_nets, engine, options), count_lanes(len(desks)))
    except RecognitionError as error:
        _answer(link, Refusal(error.code, show_text(str(error))))
        return
    except Exception as error:  # noqa: BLE001  # a GPU out of memory, a driver that does not fit
        _answer(link, Refusal(EngineUnavailableError.code, _describe(error)))
        return
    if lanes:
        _fall_silent()
    locks = lock_down(None, needs_files=True)
    _answer(link, Ready("onnx", lanes[0].nets.provider if lanes else "CPU", (), locks))
    if lanes:
        gc.enable()  # as in `main`, which this process left before that
        _serve(lanes, desks, link)


def _open_nets(engine: Any, options: EngineOptions) -> Nets | None:
    """Open the nets on CUDA, if it works here; raises EngineUnavailableError as `require_room`."""
    nets: Nets | None = engine.open_nets(options)
    if nets and "yunet" in nets.nets:
        require_room(nets.nets["yunet"], options.detection_pixels)
    return nets


def _serve(lanes: Sequence[Lane], desks: Sequence[Desk], link: Channel) -> None:
    """Run nets until nobody is left who could ask, or until a lane fails: then say why."""
    try:
        serve_in_lanes(lanes, desks)
    except LostError:
        return
    except Exception as error:  # noqa: BLE001  # as above, only later
        os.write(link.fileno(), _describe(error).encode()[:MOST_LAST_BYTES])


def _describe(error: Exception) -> str:
    return show_text(f"{type(error).__name__}: {error}"[:LONGEST_LINE])


def _fork(
    engine: Engine,
    setup: Setup,
    channel: Channel,
    lines: Sequence[socket.socket],
    nets: RemoteNets | None,
) -> Team:
    """Fork the helpers; none where a copy of this process would not work.

    A GPU's driver, or threads, would be missing from it.
    """

    def help_out(line: socket.socket, link: Channel, share: Share) -> NoReturn:
        try:
            channel.close()
            logging.getLogger().handlers = [_ParentsLog(link)]
            if nets:
                nets.sit_at(share.process)
            decoder = _choose_decoder(setup, engine)
            hands = Hands(_start(one_thread()), decoder=decoder)
            _fall_silent()
            if engine.second:
                engine.second.only_cut()
            locks = _lock(setup.helper_megabytes, has_gpu=decoder != "cpu")
            _answer(link, Ready(engine.name, engine.provider, models_of(engine), locks))
            Helper(line, link, share, engine, hands).serve()
        finally:
            os._exit(1)

    can_fork = not _has_own_gpu(engine, nets) and _is_alone()
    if can_fork:
        gc.freeze()  # a collection would write to memory that is shared
    team = fork_helpers(lines if can_fork else (), help_out)
    if nets:
        nets.sit_at(0)
    return team


def _has_own_gpu(engine: Engine, nets: RemoteNets | None) -> bool:
    """Say whether this process itself has a GPU's driver for its nets."""
    return engine.provider != "CPU" and nets is None


def _choose_decoder(setup: Setup, engine: Engine) -> DecoderName:
    """Choose what decodes videos: each process does, as a GPU's driver cannot be copied."""
    decode = cast("DecodeName", setup.decode)
    return choose_decoder(decode, nets_on_cuda=engine.provider == "CUDA")


def _is_alone() -> bool:
    """Say whether this process has no other thread, which a copy of it would lack."""
    threads = Path("/proc/self/task")
    return threads.is_dir() and len([*threads.iterdir()]) == 1


def _lock(megabytes: int, *, has_gpu: bool) -> tuple[str, ...]:
    limit = None if has_gpu else megabytes * MEGABYTE  # CUDA reserves any amount
    return lock_down(limit, needs_files=has_gpu)


def _load(setup: Setup, threads: int, nets: RemoteNets | None) -> Engine:
    """Load the nets, which so many threads run, and whatever they load only when first used."""
    engine = load_engine(setup.engine, _options(setup, threads, nets))
    _warm_up(engine, run_encoders=threads > 1 or engine.provider != "CPU")
    _give_back_memory()
    return engine


def _options(setup: Setup, threads: int, nets: RemoteNets | None) -> EngineOptions:
    return EngineOptions(
        detector=cast("DetectorName", setup.detector),
        device=cast("DeviceName", setup.device),
        threads=threads,
        cache_folder=Path(os.fsdecode(setup.cache_folder)) if setup.cache_folder else None,
        second_encoder=_second_encoder(os.fsdecode(setup.second_encoder)),
        nets=nets,
        detection_pixels=setup.detection_pixels,
    )


def _second_encoder(spelled: str) -> ShippedName | Path | None:
    if spelled in ("lightcnn", "sface"):
        return cast("ShippedName", spelled)
    return Path(spelled) if spelled else None


def _warm_up(engine: Engine, *, run_encoders: bool) -> None:
    """Run everything once, so that lazy loading happens before files are closed off.

    Encoders load nothing then, unless they start threads or a GPU: only for those `run_encoders`
    is needed. To open the second net takes a fifth of the start, and can wait.
    """
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in _NEVER_USED:
            importlib.import_module(module.name)
    picture = RgbPicture(np.zeros((160, 160, 3), np.uint8))
    engine.open_detector(160).detect(picture)
    alignment = engine.encoder.cut(picture, Detection(Box(40, 40, 120, 120), 1.0))
    engine.encoder.encode([alignment.chip] if run_encoders else [])
    if engine.second:
        points = np.array([(60, 60), (100, 60), (80, 80), (65, 100), (95, 100)], np.float32)
        found = Detection(Box(40, 40, 120, 120), 1.0, points)
        chip = cut_chip(picture.rgb(), found, engine.second)
        encode_chips([chip] if run_encoders else [], engine.second)
    importlib.import_module("numpy.ma")  # np.unique, as people are grouped, would load it


def _start(thread: Executor) -> Executor:
    """Start the thread that decodes videos, as perhaps none can be started later."""
    thread.submit(int).result()
    return thread


def _give_back_memory() -> None:
    """Return to the kernel what loading the nets has freed: 30 MB, which malloc would keep."""
    with suppress(OSError, AttributeError):  # only glibc can
        ctypes.CDLL(None).malloc_trim(0)


def _end_with_parent() -> None:
    """Wait until a pipe closes that the parent never writes to: then the parent has ended.

    On Linux the kernel sees to it, see `end_with`.
    """
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _fall_silent() -> None:
    """Close stdout and stderr, where a captured process could write lines that look like ours.

    Until then they belong to the parent, to say why a start failed.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _answer(channel: Channel, answer: Answer) -> None:
    channel.send(write_message(answer))


class _ParentsLog(logging.Handler):
    """Sends log records to the parent, which alone writes the log."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        text = show_text(self.format(record))[-LONGEST_LINE:]
        _answer(self._channel, LogLine(record.levelno, text))


if __name__ == "__main__":
    main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
