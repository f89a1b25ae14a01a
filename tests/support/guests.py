"""Fixtures with real VMs, for folders with a conftest.py that imports them. All share one base image (kept in MACHINE_TEST_CACHE,
else in the build folder). Each program has its own state, configuration, sockets and ssh files. Most tests use two VMs, `blog` and
`shop`, that live as long as the session. A test that changes a VM leaves it running and as it was, or makes its own.

If network namespaces can't be made, tests that need them are skipped, and the projects have no repos to clone."""

import contextlib
import json
import os
import shutil

import lab as lab_module
import pytest
from mirror import Mirror
from counts import DATA
from program import Program

SMALL = 'cpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n'
UP_SECONDS = 600  # the first one builds the base image


def program_of(pid):
    """The name of a process's program; "" if the process has just ended."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


class Vm:
    """A VM, by its name and the program that made it."""

    def __init__(self, program, name, cwd=None):
        self.program = program
        self.name = name
        self.cwd = cwd

    def up(self, **how):
        how.setdefault("timeout", UP_SECONDS)
        return self.program.run("up", self.name, cwd=self.cwd, **how)

    def machine(self, command, *args, **how):
        return self.program.run(command, self.name, *args, cwd=self.cwd, **how)

    def run(self, *argv, **how):
        """Runs a command in the guest."""
        return self.program.run("run", self.name, "--", *argv, cwd=self.cwd, **how)

    def sh(self, script, **how):
        """Runs a shell script in the guest and returns its output."""
        return self.run("sh", "-c", script, **how).out

    def entry(self):
        return next(entry for entry in self.program.json("list") if entry["name"] == self.name)

    def state(self):
        return self.entry()["state"]

    def folder(self):
        return os.path.join(self.program.state, "machine/vms", self.name)

    def clients(self):
        """What the guest said about its package clients: "@npm HOST"."""
        with open(os.path.join(self.folder(), "vm.json")) as file:
            return json.load(file)["clients"]

    def qemu(self):
        """Pids of its QEMU: of the process itself, not of its wrapper."""
        return [pid for pid in self.program.processes(f"/vms/{self.name}/") if program_of(pid).startswith("qemu-system-")]

    def files_with(self, text):
        """The guest's files that contain this text, searched as root. A file with another text proves that grep looked. Its exit status
        can't: other processes may remove files meanwhile."""
        shown = "/var/tmp/shown"
        self.sh(f"echo this-file-is-found > {shown}")
        found = self.run("sudo", "grep", "-rlFsf", "-", "/home", "/root", "/etc", "/tmp", "/run", "/var",
                         input=f"{text}\nthis-file-is-found\n", status=None).out.splitlines()
        assert shown in found
        return [path for path in found if path != shown]

    def fetch(self, address, port, seconds=20):
        """Fetches from there with the guest's curl. Returns (exit status, text, seconds it took)."""
        url = f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
        result = self.run("curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(seconds), "--write-out",
                          "\n%{time_total}", url, status=None)
        body, _, took = result.out.rpartition("\n")
        assert took, result
        return result.status, body, float(took.replace(",", "."))


@pytest.fixture(scope="session")
def no_lab_because():
    return lab_module.why_not()


@pytest.fixture(scope="session")
def data():
    os.makedirs(DATA, mode=0o755, exist_ok=True)
    return DATA


@pytest.fixture(scope="session")
def base(data):
    """Surroundings in which the base image and a template of the usual size were baked."""
    with surroundings(data=data) as program:
        program.projects(f"[box]\n{SMALL}")
        program.run("bake", timeout=UP_SECONDS)
        yield program


@pytest.fixture(scope="module")
def own_data(data, request):
    """A data folder of the module's own, for tests that look at all layers: in the shared one, other tests fill and drop layers
    meanwhile. It begins with the existing base images, and with nothing from an earlier run."""
    own = os.path.join(data, request.module.__name__)
    shared = os.path.join(data, "machine/layers")
    shutil.rmtree(own, ignore_errors=True)
    os.makedirs(os.path.join(own, "machine/layers"), mode=0o700, exist_ok=True)
    for key in os.listdir(shared) if os.path.isdir(shared) else []:
        folder, to = os.path.join(shared, key), os.path.join(own, "machine/layers", key)
        if os.path.exists(os.path.join(folder, "vmlinuz")) and "." not in key and not os.path.exists(to):
            shutil.copytree(folder, to, copy_function=os.link)
    return own


@pytest.fixture(scope="module")
def mirror():
    mirror = Mirror()
    yield mirror
    mirror.server.shutdown()


@contextlib.contextmanager
def surroundings(**how):
    program = Program(**how).without_recipe()
    try:
        yield program
    finally:
        program.clean_up()


@pytest.fixture(scope="module")
def program(data):
    """A user's surroundings with one project, `box`."""
    with surroundings(data=data) as program:
        program.projects(f"[box]\n{SMALL}")
        yield program


@pytest.fixture(scope="module")
def box(program):
    vm = Vm(program, "box")
    vm.up()
    return vm


@pytest.fixture(scope="session")
def maybe_lab(no_lab_because, tmp_path_factory):
    if no_lab_because:
        yield None
        return
    lab = lab_module.Lab(str(tmp_path_factory.mktemp("lab")))
    yield lab
    lab.clean_up()


@pytest.fixture(scope="session")
def lab(maybe_lab, no_lab_because):
    if not maybe_lab:
        pytest.skip(no_lab_because)
    return maybe_lab


@pytest.fixture(scope="session")
def site(data, maybe_lab):
    """A user's surroundings with two projects: blog, which is as restricted as possible, and shop, which may reach private addresses."""
    with surroundings(data=data) as program:
        repos = {"blog": [], "shop": []}
        if maybe_lab:
            for name in ("blog", "theme", "shop"):
                maybe_lab.repo(name)
            repos["blog"] = [f"git://{lab_module.PUBLIC}/blog.git", f"git://{lab_module.PUBLIC}/theme.git"]
            repos["shop"] = [f"git://{lab_module.PRIVATE}/shop.git"]
        program.configuration = (
            f"[blog]\nrepos = {repos['blog']}\n{SMALL}\n"
            f"[shop]\nrepos = {repos['shop']}\n{SMALL}lan = true\n")
        program.projects(program.configuration)
        yield program


@pytest.fixture(scope="session")
def blog_made(site):
    vm = Vm(site, "blog")
    vm.first_up = vm.up()
    return vm


@pytest.fixture(scope="session")
def shop_made(site):
    vm = Vm(site, "shop")
    vm.first_up = vm.up()
    return vm


@pytest.fixture
def blog(blog_made):
    """The VM, running, whatever an earlier test did to it."""
    blog_made.up()
    return blog_made


@pytest.fixture
def shop(shop_made):
    shop_made.up()
    return shop_made


@pytest.fixture
def own(data):
    """Surroundings for one test that makes VMs of its own."""
    with surroundings(data=data) as program:
        yield program


@pytest.fixture
def make(own):
    """Writes the configuration of a small VM for this test alone: make("name", "lan = true\\n")."""
    def project(name, more=""):
        own.projects(f"[{name}]\n{SMALL}{more}")
        return Vm(own, name)
    return project
