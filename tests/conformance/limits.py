"""Runs one attempt in a process of its own, with bounds of memory and time, and watches it.

A hostile input must not read files, open connections, take long or fill memory.  Python's
audit events show what Python code opens; ``/proc/self/io`` counts the reads of the whole
process, so that a library that opens files by itself is seen too.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Attempt", "reads", "within_limits"]

_WATCHED = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it: the answer (None when the process died), its cost, what it reached for."""

    answer: Any = None
    seconds: float = 0.0
    megabytes: float = 0.0
    reached: list[str] = field(default_factory=list)
    fault: str = ""


def within_limits(
    function: Callable[..., Any], *arguments: Any, megabytes: int = 512, seconds: float = 10.0
) -> Attempt:
    """Call `function` in a fork of this process; what it answers must be picklable.

    `megabytes` may be added to what this process has; after `seconds` it is ended.  The cost is
    its CPU time, which other work on the machine does not change.
    """
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_attempt, args=(there, megabytes, function, arguments))
    child.start()
    there.close()
    try:
        if not here.poll(seconds):
            return Attempt(seconds=seconds, fault=f"not done after {seconds} s")
        return here.recv()
    except EOFError:
        return Attempt(fault="the process died")
    finally:
        child.kill()
        child.join()
        here.close()


def reads() -> int:
    """Read calls that this process has made so far (this one's own are the same each time)."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["syscr"])


def _attempt(answers: Any, megabytes: int, function: Callable[..., Any], arguments: Any) -> None:
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = used * resource.getpagesize() + megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    reached: list[str] = []

    def watch(event: str, found: tuple[Any, ...]) -> None:
        if event in _WATCHED:
            reached.append(f"{event} {found[-1]}")

    sys.addaudithook(watch)
    before, began = _peak(), time.process_time()
    answer, fault = None, ""
    try:
        answer = function(*arguments)
    except BaseException as error:  # whatever ends the attempt is what is reported
        fault = f"{type(error).__name__}: {error}"[:200]
    spent = time.process_time() - began
    answers.send(Attempt(answer, spent, _peak() - before, reached, fault))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
