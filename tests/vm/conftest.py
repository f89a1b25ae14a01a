"""Real VMs. One base image serves all (kept in MACHINE_TEST_CACHE, else in the build folder); state, configuration, sockets
and ssh's files are each program's own. Most tests look at two VMs, `blog` and `shop`, that live as long as the session; tests
that change a VM leave it running and as it was, or make their own.

Where network namespaces can't be made, what needs them is skipped, and the projects have no repos to clone."""

import contextlib
import json
import os
import shutil
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))

import lab as lab_module  # noqa: E402
from mirror import Mirror  # noqa: E402
from program import BUILD, Program, said  # noqa: E402

DATA = os.path.join(os.environ.get("MACHINE_TEST_CACHE", os.path.join(BUILD, "test-data")))
SMALL = 'cpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n'
UP_SECONDS = 600  # the first one builds the base image


def program_of(pid):
    """The name of a process's program; "" for one that has just ended."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


class Vm:
    """A VM by its name, with the program that made it."""

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
        """A command in the guest."""
        return self.program.run("run", self.name, "--", *argv, cwd=self.cwd, **how)

    def sh(self, script, **how):
        """What a shell script says in the guest."""
        return self.run("sh", "-c", script, **how).out

    def entry(self):
        return next(entry for entry in self.program.json("list") if entry["name"] == self.name)

    def state(self):
        return self.entry()["state"]

    def folder(self):
        return os.path.join(self.program.state, "machine/vms", self.name)

    def clients(self):
        """What it said of its package clients: "@npm HOST"."""
        with open(os.path.join(self.folder(), "vm.json")) as file:
            return json.load(file)["clients"]

    def qemu(self):
        """Pids of its QEMU: the process itself, not what wraps it."""
        return [pid for pid in self.program.processes(f"/vms/{self.name}/") if program_of(pid).startswith("qemu-system-")]

    def fetch(self, address, port, seconds=20):
        """What the guest's curl gets from there: (exit status, text, seconds it took)."""
        url = f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
        result = self.run("curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(seconds), "--write-out",
                          "\n%{time_total}", url, status=None)
        body, _, took = result.out.rpartition("\n")
        return result.status, body, float(took.replace(",", "."))


@pytest.fixture(scope="session")
def no_lab_because():
    return lab_module.why_not()


@pytest.fixture(scope="session")
def data():
    os.makedirs(DATA, mode=0o755, exist_ok=True)
    return DATA


@pytest.fixture(scope="module")
def own_data(data, request):
    """For who looks at the layers as a whole, which other tests fill and drop meanwhile: a folder of the module's own. It begins
    with the base images that there are."""
    own = os.path.join(data, request.module.__name__)
    shared = os.path.join(data, "machine/layers")
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
    """A user's surroundings with the one project `box`."""
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
    """A user's surroundings with two projects: blog, which is as tight as can be, and shop, which may reach private addresses."""
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
    """Running, whatever a test before did to it."""
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
    """Makes the configuration of a small VM of the test's own: make("name", "lan = true\\n")."""
    def project(name, more=""):
        own.projects(f"[{name}]\n{SMALL}{more}")
        return Vm(own, name)
    return project


__all__ = ["said"]
