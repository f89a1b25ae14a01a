"""Kills a command at a step of its own: when it makes the nth system call of a name (strace(1), --inject)."""

import signal

# With each of these a command changes something that another process, or the next command, sees.
CALLS = ("rename", "link", "sendmsg", "unlinkat")


def killed_at(program, call, number, *args):
    """Runs `machine ARGS…`; returns whether it came so far, and so was killed."""
    result = program.run("/usr/bin/strace", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={number}",
                         program.machine, *args, status=None)
    assert result.status in (0, -signal.SIGKILL), result
    return result.status != 0


def each_step(program, *args, calls=CALLS):
    """Kills the command at its first step and, each time that it is asked for another, at the next one. Yields which it was. A call
    that is past the last one of its name ends well, and is yielded, too."""
    for call in calls:
        number, killed = 1, True
        while killed:
            killed = killed_at(program, call, number, *args)
            yield f"{call} {number}"
            number += 1
