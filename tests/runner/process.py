"""Runs a program, keeps its output, and ends it when it makes no progress."""

import os
import selectors
import signal
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A program that prints nothing for so long counts as hanging. This is ten times the longest test on a quiet machine, besides the one
# that keeps a VM at work for as long as it is told.
SILENCE = 1800 + int(os.environ.get("SOAK_SECONDS") or 0)

# How long an interrupted program may take to end its VMs.
ENDING = 120

running = set()
lock = threading.Lock()
interrupted = threading.Event()


def environment(**more):
    values = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8", **more)
    values.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:strict_string_checks=1")
    values.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    return values


def read_output(child, silence):
    """Returns all output, and whether the program was ended for saying nothing. Stops when the program ends, even if a process that it
    started still holds the pipe open."""
    output, quiet_since = [], time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if selector.select(1):
                piece = os.read(child.stdout.fileno(), 1 << 16)
                if not piece:
                    return b"".join(output), False
                output.append(piece)
                quiet_since = time.monotonic()
            elif child.poll() is not None:
                return b"".join(output), False
            elif time.monotonic() - quiet_since > silence:
                os.killpg(child.pid, signal.SIGKILL)
                return b"".join(output), True


def call(argv, silence=SILENCE, **more):
    """Runs argv in a group of its own. Returns (exit status, output)."""
    if interrupted.is_set():
        raise InterruptedError
    child = subprocess.Popen(
        argv, cwd=ROOT, env=environment(**more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True)
    with lock:
        running.add(child)
    try:
        output, hung = read_output(child, silence)
        status = child.wait()
    finally:
        with lock:
            running.discard(child)
        child.stdout.close()
    text = output.decode(errors="replace")
    return status, f"{text}\n(ended: it said nothing for {silence} s)\n" if hung else text


def interrupt_all():
    """Sends Ctrl-C to all running programs and waits until they have ended what they started. Nothing more begins."""
    interrupted.set()
    with lock:
        children = list(running)
    for child in children:
        try:
            os.killpg(child.pid, signal.SIGINT)
        except ProcessLookupError:
            pass
    end = time.monotonic() + ENDING
    while running and time.monotonic() < end:
        time.sleep(0.1)
