"""A Debian of its own in a folder, from the mirror and with the settings of this computer's apt. Needs root."""

import glob
import os
import re
import subprocess

CA = "/etc/ssl/certs/ca-certificates.crt"
OWN_CA = "/usr/local/share/ca-certificates"
# What changes by itself when anything is installed or removed.
BOOKKEEPING = ("/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/var/log", "/tmp", "/root", "/proc", "/sys", "/dev", "/run", "/etc/ld.so.cache",
               "/var/lib/systemd")
# Runs in a mount and process namespace of its own, so that nothing stays mounted and no process goes on.
ENTER = "mount -t proc proc \"$0/proc\" && mount --rbind /dev \"$0/dev\" && exec chroot \"$0\" \"$@\""


def codename():
    with open("/etc/os-release", encoding="utf-8") as file:
        return re.search(r"(?m)^VERSION_CODENAME=(\w+)$", file.read()).group(1)


def sources():
    return [path for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.list")),
                              *sorted(glob.glob("/etc/apt/sources.list.d/*.sources"))] if os.path.exists(path)]


def settings():
    """How this computer's apt reaches its mirror: proxies, certificates, checks."""
    lines = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if re.match(r'Acquire::(https?::|Check-|Retries).* "[^"]+";', line)]


class CleanRoot:
    def __init__(self, folder):
        self.folder = str(folder)
        options = [f"--aptopt={line}" for line in settings()]
        if os.path.exists(CA):
            options.append(f'--setup-hook=mkdir -p "$1{os.path.dirname(CA)}" && cp {CA} "$1{CA}"')
        if os.path.isdir(OWN_CA):
            options.append(f'--setup-hook=mkdir -p "$1{os.path.dirname(OWN_CA)}" && cp -R {OWN_CA} "$1{OWN_CA}"')
        self.call("mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", *options, codename(), self.folder, *sources())

    def call(self, *argv, status=0):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              env=dict(os.environ, LC_ALL="C.UTF-8", DEBIAN_FRONTEND="noninteractive", TMPDIR="/tmp"))
        assert status is None or done.returncode == status, f"{' '.join(argv)}\n{done.stdout}(exit status {done.returncode})"
        return done.stdout

    def run(self, *argv, status=0):
        """Runs argv inside, as root. Returns everything that it said."""
        return self.call("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, self.folder, *argv, status=status)

    def as_user(self, user, command, status=0):
        return self.run("su", "-", user, "-c", command, status=status)

    def apt(self, *argv):
        return self.run("apt-get", "-y", "-q", "--no-install-recommends", *argv)

    def path(self, path):
        return f"{self.folder}{path}"

    def everything(self):
        """All files and folders, without those that apt and dpkg keep for themselves."""
        found = set()
        for folder, folders, names in os.walk(self.folder):
            inside = folder.removeprefix(self.folder)
            folders[:] = [name for name in folders if f"{inside}/{name}" not in BOOKKEEPING]
            found |= {f"{inside}/{name}" for name in folders + names}
        return found - set(BOOKKEEPING)

    def remove(self):
        subprocess.run(["rm", "-rf", "--one-file-system", "--", self.folder], check=True)
