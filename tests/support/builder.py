"""A stand-in for mmdebstrap, so that builds of base images can be watched, interrupted and counted without Debian's packages.

What it makes has the files of an image, and nothing in them that could boot.
"""

import os

# As mmdebstrap does, it makes its files where MACHINE_OUT says. `wait` names a file: while it is there, the build goes on, with a
# process below it as apt would be one.
SCRIPT = """#!/bin/sh
[ "$1" = --version ] || [ "$1" = --unshare-helper ] && exec /usr/bin/mmdebstrap "$@"
echo "I: downloading packages"
if [ -e {wait} ]; then
        trap 'echo told >>{told}; sleep 600' TERM INT
        sleep 600 & echo $! >{pid}.new && mv {pid}.new {pid}
        while [ -e {wait} ]; do sleep 0.1; done
        kill $!
fi
echo kernel >$MACHINE_OUT/vmlinuz; echo initrd >$MACHINE_OUT/initrd
printf 'linux-image-6.1\\t1\\tamd64\\n' >$MACHINE_OUT/packages
"""


class Builder:
    """Its folder comes first in the program's PATH."""

    def __init__(self, program):
        self.program = program
        self.wait, self.pid, self.told = (os.path.join(program.root, "builder", name) for name in ("wait", "pid", "told"))
        path = program.write("builder/bin/mmdebstrap", SCRIPT.format(wait=self.wait, pid=self.pid, told=self.told))
        os.chmod(path, 0o755)
        program.environment["PATH"] = f"{os.path.dirname(path)}:{program.environment['PATH']}"
        program.environment["TMPDIR"] = program.folder("tmp")
        self.hold()

    def hold(self):
        self.program.write("builder/wait", "")

    def let_go(self):
        os.remove(self.wait)

    def is_at_work(self):
        return os.path.exists(self.pid)

    def child(self):
        with open(self.pid) as file:
            return int(file.read())
