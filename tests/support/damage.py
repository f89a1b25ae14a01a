"""A VM that was never booted, with all files that the program keeps for it, and ways to damage each. For tests that need no guest."""

import hashlib
import json
import os
import pwd
import re
import shutil
import subprocess

import records

BLOG, SHOP = "b" * 64, "5" * 64
PLAIN = "nobody"  # whom root becomes: nothing is forbidden to root itself
FOREIGN = 1       # a user id that is neither's


def write(path, text, mode=0o600):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, mode)


def tool(*argv):
    subprocess.run(argv, check=True, capture_output=True)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class World:
    """Two stopped VMs, blog and shop, each on a base of its own. blog belongs to projects.toml."""

    def __init__(self, program):
        self.program = program
        self.kept = os.path.join(program.root, "kept")
        self.places = {"state": program.state, "data": program.environment["XDG_DATA_HOME"], "config": program.config, "ssh": program.ssh,
                       "r": program.runtime}
        for name, key in (("blog", BLOG), ("shop", SHOP)):
            self.make_base(key)
            self.make_vm(name, key)
        program.projects('[shop]\nrepos = []\n[blog]\nrepos = ["https://example.org/jane/blog.git"]\n')
        program.write("config/machine/config.toml", 'proxy = "none"\n')
        program.write("config/machine/provision.toml", "")
        write(self.path("state/machine/trust.json"), "{}\n")
        write(self.path("state/machine/trust.lock"), "")
        write(self.path("ssh/config.d/machine"), "# Written by machine(1)\nHost machine-blog\n  Port 1\n")
        write(self.path("ssh/config.d/.machine.lock"), "")
        for name in ("blog", "shop"):
            os.makedirs(self.path(f"r/machine/{name}"), mode=0o700)
        for place in ("state/machine", "state/machine/vms", "data/machine", "data/machine/layers", "r/machine"):
            os.chmod(self.path(place), 0o700)
        for place in self.places:
            shutil.copytree(self.places[place], os.path.join(self.kept, place), symlinks=True)
        self.restore()

    def make_base(self, key):
        folder = self.path(f"data/machine/layers/{key}")
        os.makedirs(folder, mode=0o700)
        tool("qemu-img", "create", "-q", "-f", "qcow2", f"{folder}/disk.qcow2", "3G")
        write(f"{folder}/vmlinuz", key * 100)
        write(f"{folder}/initrd", key * 200)
        write(f"{folder}/manifest.json", json.dumps({"kind": "base", "key": key, "disk_bytes": 3 << 30, "created": "2026-01-02T03:04:05Z",
                                                     "suite": "trixie", "user": "dev"}))
        write(f"{folder}/SHA256SUMS", "".join(f"{digest(f'{folder}/{name}')}  {name}\n" for name in ("disk.qcow2", "initrd", "vmlinuz")))
        for name in os.listdir(folder):
            os.chmod(f"{folder}/{name}", 0o444)
        write(f"{folder}.lock", "")

    def make_vm(self, name, key):
        folder = records.write(self.program.state, name, base=key, repos=[], disk_bytes=3 << 30)
        tool("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", self.path(f"data/machine/layers/{key}/disk.qcow2"), "-F", "qcow2",
             f"{folder}/disk.qcow2", "3G")
        for file in ("id_ed25519", "host_key"):
            tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"machine-{name}", "-f", f"{folder}/{file}")
        with open(f"{folder}/host_key.pub") as file:
            write(f"{folder}/known_hosts", f"machine-{name} {' '.join(file.read().split()[:2])}\n")
        write(f"{folder}/ssh_config", f"Host machine-{name}\n")
        write(f"{folder}/run.lock", "")
        write(f"{folder}/logs/console.log", "booted\n")
        write(f"{folder}.lock", "")

    def path(self, name):
        """A path as the table below has it: its first part is one of the places."""
        place, _, rest = name.partition("/")
        return os.path.join(self.places[place], rest)

    def restore(self):
        """Everything as it was made."""
        for place, path in self.places.items():
            shutil.rmtree(path)
            shutil.copytree(os.path.join(self.kept, place), path, symlinks=True)
        self.program.hand_over()

    def damage(self, name, way):
        """Everything as it was made, but for one file."""
        self.restore()
        way(self.path(name))
        if way is not wrong_owner:
            self.program.hand_over()

    def precious(self):
        """What nobody but its owner may lose: the disks of VMs and layers, by where they are, or where a hint may have put them."""
        found = {}
        for place in ("state", "data"):
            for top, _, files in os.walk(self.places[place]):
                for name in files:
                    if name.startswith("disk.qcow2"):
                        found[os.path.relpath(os.path.join(top, name), self.program.root)] = digest(os.path.join(top, name))
        return found


# --- ways to damage a file

def empty(path):
    write_through(path, b"")


def cut(path):
    with open(path, "rb") as file:
        text = file.read()
    write_through(path, text[:len(text) // 2])


def garbled(path):
    with open(path, "rb") as file:
        text = bytearray(file.read())
    for at in range(0, len(text), 7):
        text[at] ^= 0x5a
    write_through(path, bytes(text) or b"\0Z\xff{")


def missing(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    else:
        os.remove(path)


def other_kind(path):
    """A folder in the place of a file, or a file in the place of a folder."""
    was_folder = os.path.isdir(path)
    missing(path)
    if was_folder:
        write(path, "not a folder\n")
    else:
        os.makedirs(os.path.join(path, "inner"), mode=0o700)


def wrong_owner(path):
    os.chown(path, FOREIGN, FOREIGN)
    os.chmod(path, 0o700 if os.path.isdir(path) else 0o600)


def wrong_mode(path):
    os.chmod(path, 0)


def write_through(path, text):
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    with open(path, "wb") as file:
        file.write(text)
    os.chmod(path, mode & 0o7777)


FILE_WAYS = (empty, cut, garbled, missing, other_kind, wrong_owner, wrong_mode)
FOLDER_WAYS = (missing, other_kind, wrong_owner, wrong_mode)


# --- what is done about it

COMMAND = re.compile(r"((?:sudo )?(?:mv|chmod|chown) [^;,]*)")


def follow(text, before):
    """Does what a hint says, as the shell would: commands that move or open up a file, but for those in `before`. Returns them."""
    done = []
    for command in COMMAND.findall(text):
        if command in before:
            continue
        # "sudo chown "$(id -un)"" is the user's; the tests are root already.
        line = command.replace("sudo ", "").replace('"$(id -un)"', PLAIN if os.geteuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)
        subprocess.run(["/bin/sh", "-c", line], check=True, capture_output=True)
        done.append(command)
    return done
