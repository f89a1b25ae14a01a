"""A new VM gets a recipe as layers; in an existing VM it is applied once, in order, and from where it stopped. Downloads come from the
test's own server, by [mirrors]; Debian's package comes from Debian."""

import contextlib
import hashlib
import os
import re
import signal
import subprocess

import pytest
from conftest import SMALL, Vm, surroundings
from program import wait_until

TOOL = b"#!/bin/sh\necho downloaded\n"


def count(name):
    """A step that adds a line to a file in the guest each time it runs."""
    return f"[[shell]]\nname = '{name}'\ncmd = 'echo {name} >>/var/log/ran'\n"


BASE = count("one") + count("two") + """
[[files]]
path = "{home}/.config/tool/settings"
content = "made by the recipe\\n"
[[release]]
name = "tool"
url = "https://files.example.org/tool"
format = "binary"
verify = "tool | grep -q downloaded"
"""
PROFILE = "[profile]\nsummary = 'of the test'\nverify = 'test -e /etc/mine'\n[[shell]]\nscript = 'setup.sh'\n"
SETUP = "#!/bin/sh\nset -eu\nid -un >/etc/mine\necho mine >>/var/log/ran\n"


@pytest.fixture(scope="module")
def site(own_data, mirror):
    mirror.files["/tool"] = TOOL
    with surroundings(data=own_data) as program:
        program.projects(f"[box]\nprofiles = ['mine']\n{SMALL}")
        program.write("config/machine/config.toml", mirror.settings())
        program.write("config/machine/provision.toml", BASE)
        program.write("config/machine/profiles/mine/profile.toml", PROFILE)
        program.write("config/machine/profiles/mine/setup.sh", SETUP)
        yield program


@pytest.fixture(scope="module")
def box(site):
    vm = Vm(site, "box")
    vm.first_up = vm.up()
    return vm


@pytest.fixture
def recipe(site, box):
    """Sets the base recipe for one test. Afterwards the old recipe is back and applied."""
    yield lambda more: site.write("config/machine/provision.toml", BASE + more)
    site.write("config/machine/provision.toml", BASE)
    box.up()


@contextlib.contextmanager
def temporary(site, name):
    """Another VM, which is destroyed at the end."""
    vm = Vm(site, name)
    try:
        vm.first_up = vm.up()
        yield vm
    finally:
        site.run("destroy", name, "--yes", "--discard-work", status=None)


def debian_architecture():
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def ran(vm):
    return vm.sh("cat /var/log/ran").split()


def test_all_of_it_is_there_and_each_step_ran_once(box):
    assert ran(box) == ["one", "two", "mine"]
    assert box.run("tool").out == "downloaded\n"
    assert box.sh("cat ~/.config/tool/settings; stat -c %U ~/.config/tool; cat /etc/mine").split("\n")[:1] == ["made by the recipe"]
    assert box.sh("stat -c %U ~/.config/tool ~/.config/tool/settings; id -un").split() == [box.sh("id -un").strip()] * 3
    assert box.sh("cat /etc/mine") == "root\n"


def test_progress_names_the_steps(box):
    for line in ("[shell-one] base: shell one", "[release-tool] base: release tool", "[verify] mine: verify the profile"):
        assert line in box.first_up.err


def test_what_was_downloaded_is_in_the_lock_file(site, box):
    assert hashlib.sha256(TOOL).hexdigest() in site.read("config/machine/machine.lock")


def test_another_up_has_nothing_to_do(site, box, mirror):
    before = len(mirror.asked)
    assert "provision" not in [step["step"] for step in site.json("up", "--dry-run", "box")]
    box.up()
    assert ran(box) == ["one", "two", "mine"]
    assert len(mirror.asked) == before


def test_a_changed_step_runs_and_no_other(site, box, mirror):
    asked = len(mirror.asked)
    before = ran(box)
    site.write("config/machine/provision.toml", BASE.replace("echo two", "echo two again"))
    try:
        assert "provision" in [step["step"] for step in site.json("up", "--dry-run", "box")]
        box.up()
        assert ran(box) == before + ["two", "again"]
        assert len(mirror.asked) == asked
    finally:
        site.write("config/machine/provision.toml", BASE)
        box.up()


def test_a_failed_step_stops_there_and_the_next_up_goes_on(site, box, recipe):
    recipe("\n[[shell]]\nname = 'bad'\ncmd = \"printf 'look: \\\\033[2Jhere\\\\n'; exit 3\"\n" + count("behind"))
    before = ran(box)
    result = box.machine("up", status=6)
    assert "step 'shell-bad' of the recipe's part 'base' failed with exit status 3" in result.err
    assert "look: \\x1b[2Jhere" in result.err
    assert "\033[2J" not in result.err
    assert "provision.toml:" in result.err
    with open(os.path.join(box.folder(), "logs/recipe-base-shell-bad.log")) as file:
        assert "look: " in file.read()
    assert ran(box) == before
    recipe("\n[[shell]]\nname = 'bad'\ncmd = 'echo mended >>/var/log/ran'\n" + count("behind"))
    box.machine("up")
    assert ran(box) == before + ["mended", "behind"]


def test_a_verify_that_fails_is_a_failure_of_its_step(box, recipe):
    recipe("\n[[shell]]\nname = 'empty'\ncmd = 'true'\nverify = 'test -e /nowhere'\n")
    assert "'shell-empty'" in box.machine("up", status=6).err


@pytest.mark.long
def test_a_killed_up_is_gone_on_with(site, box, recipe):
    recipe(count("first") + "\n[[shell]]\nname = 'slow'\ncmd = 'touch /tmp/begun; sleep 300; echo slept >>/var/log/ran'\n")
    before = ran(box)
    child = site.start("up", "box")
    wait_until(lambda: box.run("test", "-e", "/tmp/begun", status=None).status == 0, 120, "the slow step runs")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    recipe(count("first") + "\n[[shell]]\nname = 'slow'\ncmd = 'echo slept >>/var/log/ran'\n")
    box.machine("up")
    assert ran(box) == before + ["first", "slept"]
    # The step that the killed run had begun ended with it.
    assert box.run("pgrep", "-x", "sleep", status=1).out == ""


def test_a_download_that_changed_is_refused_with_both_hashes(site, box, mirror, recipe):
    recipe("\n[[release]]\nname = 'other'\nurl = 'https://files.example.org/other'\nformat = 'binary'\nsha256 = '" + "0" * 64 + "'\n")
    mirror.files["/other"] = b"not what was meant\n"
    result = box.machine("up", status=3)
    assert "0" * 64 in result.err
    assert hashlib.sha256(b"not what was meant\n").hexdigest() in result.err
    assert box.run("test", "-e", "/usr/local/bin/other", status=None).status == 1


@pytest.mark.long
def test_debians_packages_come_and_a_vm_in_use_pins_no_version_of_them(site, box, recipe):
    recipe("\n[apt]\npackages = ['tree']\n")
    result = box.machine("up", timeout=600)
    assert box.sh("dpkg-query -W -f '${Version}' tree") != ""
    assert "VM 'box' installed 1 package without a version in" in result.err
    assert "tree" not in site.read("config/machine/machine.lock")
    assert "provision" not in [step["step"] for step in site.json("up", "--dry-run", "box")]


@pytest.mark.long
def test_a_version_that_is_recorded_is_the_one_that_a_vm_in_use_gets(site, box, recipe):
    recipe("\n[apt]\npackages = ['tree']\n")
    before = site.read("config/machine/machine.lock")
    try:
        site.write("config/machine/machine.lock", f'{before}\n[{debian_architecture()}.versions."base/apt"]\ntree = "0.0.1-1"\n')
        assert "provision" in [step["step"] for step in site.json("up", "--dry-run", "box")]
        assert "'apt'" in box.machine("up", status=6, timeout=600).err
        assert 'tree = "0.0.1-1"' in site.read("config/machine/machine.lock")
    finally:
        site.write("config/machine/machine.lock", before)


def test_a_rebuilt_vm_has_it_again(box):
    box.machine("rebuild", "--yes", timeout=600)
    assert ran(box) == ["one", "two", "mine"]


# --- layers


def layers(site, kind):
    return [layer for layer in site.json("layers") if layer["kind"] == kind]


def built(result):
    """The layers that an `up` built."""
    return re.findall(r"filling the layer of '([^']+)'", result.err)


def test_the_recipe_was_built_as_layers_on_each_other(site, box):
    found = {layer["about"].split(" for ")[0]: layer for layer in layers(site, "recipe")}
    assert found["profile mine"]["parent"] == found["base"]["key"]
    assert found["base"]["parent"] in [layer["key"] for layer in layers(site, "base")]
    assert all(layer["current"] and layer["needed"] for layer in found.values())


def test_a_second_project_with_the_same_stack_builds_nothing(site, box, mirror):
    site.projects(f"[box]\nprofiles = ['mine']\n{SMALL}[twin]\nprofiles = ['mine']\n{SMALL}")
    before, asked = site.json("layers"), len(mirror.asked)
    with temporary(site, "twin") as twin:
        result = twin.first_up
        assert built(result) == [] and "warming up" not in result.err
        assert len(mirror.asked) == asked
        assert [layer["key"] for layer in site.json("layers")] == [layer["key"] for layer in before]
        assert ran(twin) == ["one", "two", "mine"]
        assert twin.run("tool").out == "downloaded\n"
        assert "provision" not in [step["step"] for step in site.json("up", "--dry-run", "twin")]
        for what in ("cat /etc/machine-id", "cat /etc/ssh/ssh_host_ed25519_key.pub || sudo cat /etc/ssh/ssh_host_ed25519_key", "hostname"):
            assert twin.sh(what) != box.sh(what)


@pytest.mark.parametrize("committed", [pytest.param(False, id="no lock file"), pytest.param(True, id="a teammate's", marks=pytest.mark.long)])
def test_another_checkout_with_the_same_recipe_builds_nothing(site, box, mirror, committed):
    line = next(line for line in site.read("config/machine/machine.lock").splitlines() if "https://files.example.org/tool" in line)
    name = "theirs" if committed else "other"
    folder = site.folder("home/code", name)
    site.write(f"home/code/{name}/.machine.toml", f"repos = []\nprofiles = ['mine']\n{SMALL}")
    if committed:
        site.write(f"home/code/{name}/machine.lock", f"[{debian_architecture()}.downloads]\n{line}\n")
    site.run("trust", "--yes", cwd=folder)
    asked = len(mirror.asked)
    plan = site.run("plan", cwd=folder).out
    assert "there already" in plan and "to be built" not in plan
    try:
        result = site.run("up", cwd=folder, timeout=600)
        assert built(result) == [] and len(mirror.asked) == asked
        assert line in site.read(f"home/code/{name}/machine.lock")
        assert ("another project with this recipe" in result.err) != committed
    finally:
        site.run("destroy", name, "--yes", "--discard-work", status=None)


def test_a_layer_keeps_nothing_of_the_machine_that_it_was_filled_in(site, box, own_data, tmp_path):
    """Looks at the file system on its disk, without booting it."""
    key = next(layer["key"] for layer in layers(site, "recipe") if "mine" in layer["about"])
    raw = tmp_path / "disk.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", f"{own_data}/machine/layers/{key}/disk.qcow2", raw], check=True)

    def look(request):
        return subprocess.run(["/sbin/debugfs", "-R", request, raw], check=True, capture_output=True, text=True).stdout

    try:
        assert "needs_recovery" not in look("stats")
        assert "mine" in look("cat /var/log/ran")
        assert "sshd_config" in look("ls -p /etc/ssh")
        assert "ssh_host" not in look("ls -p /etc/ssh")
        assert look("cat /etc/hostname") == ""
        assert "/dev/" not in look("ls -p /etc/ssh/authorized_keys")
        for folder in ("/etc/ssh/authorized_keys", "/var/log/journal"):
            names = [line.split("/")[5] for line in look(f"ls -p {folder}").splitlines() if line]
            assert sorted(names) == [".", ".."], (folder, names)
        assert "random-seed" not in look("ls -p /var/lib/systemd")
    finally:
        raw.unlink()


AGENTS = """[profile]
summary = 'of the test'
verify = 'agent | grep -q served'
[[release]]
name = 'agent'
optional = true
url = 'https://files.example.org/agent'
format = 'binary'
[[shell]]
name = 'unreached'
optional = true
cmd = 'echo waiting for the mirror; test -e /usr/local/bin/agent && echo reached >>/var/log/ran'
""" + count("rest")


@pytest.mark.long
def test_an_optional_step_that_fails_is_left_out_and_tried_again(site, box, mirror):
    """In the layer, in the VM that stands on it, and in the next VM, whose layer begins with the incomplete one."""
    site.write("config/machine/profiles/agents/profile.toml", AGENTS)
    site.projects("".join(f"[{name}]\ncold = true\nprofiles = ['{profile}']\n{SMALL}"
                          for name, profile in (("box", "mine"), ("lacking", "agents"), ("later", "agents"))))
    mirror.files.pop("/agent", None)
    with temporary(site, "lacking") as lacking:
        warned = lacking.first_up.err
        assert "VM 'lacking' goes without 'release agent': optional step 'agents/release-agent' (" in warned
        assert "optional step 'agents/shell-unreached' (" in warned and "failed: exit status 1: waiting for the mirror; the rest: less '" in warned
        assert os.path.exists(f"{site.state}/machine/logs/recipe-agents-shell-unreached.log")
        assert ran(lacking) == ["one", "two", "rest"]
        steps = ["agents/release-agent", "agents/shell-unreached", "agents/verify"]
        assert sorted(lack["step"] for lack in site.json("status", "lacking")["lacks"]) == steps
        assert "VM 'lacking' goes without what failed of its recipe" in site.run("list").err
        incomplete, = [layer for layer in layers(site, "recipe") if layer["lacks"]]
        assert incomplete["vms"] == ["lacking"]
        assert "goes without 'release agent'" in lacking.up().err
        assert "agent" not in site.read("config/machine/machine.lock")

        mirror.files["/agent"] = b"#!/bin/sh\necho served\n"
        assert "goes without" not in lacking.up().err
        assert lacking.run("agent").out == "served\n" and ran(lacking) == ["one", "two", "rest", "reached"]
        assert site.json("status", "lacking")["lacks"] == []
        with temporary(site, "later") as later:
            assert built(later.first_up) == ["profile agents"]
            assert ran(later) == ["one", "two", "rest", "reached"]
            whole, = [layer for layer in layers(site, "recipe") if layer["parent"] == incomplete["key"]]
            assert whole["lacks"] == [] and site.json("status", "later")["lacks"] == []
        assert "https://files.example.org/agent" in site.read("config/machine/machine.lock")
    site.projects(f"[box]\nprofiles = ['mine']\n{SMALL}")


# Each "once" step leaves a mark on the disk, fails or is killed, and succeeds when the next run finds the mark.
RESUMED = count("first") + """
[[shell]]
name = "fails-once"
cmd = "test -e /var/log/failed || { touch /var/log/failed; exit 3; }"
[[shell]]
name = "slow-once"
cmd = "test -e /var/log/slow || { touch /var/log/slow; sync; echo it sleeps; sleep 600; }"
""" + count("last")


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["KILL", "INT"])
def test_a_layer_whose_filling_failed_or_was_killed_is_gone_on_with(site, box, number):
    """The layer of 'base' is there already. The layer of 'resumed' fails once, is killed once, and is complete at the third try."""
    # Each signal has a profile of its own content, so that the layer of the other is not found.
    site.write("config/machine/profiles/resumed/profile.toml",
               f"[profile]\nsummary = 'of the test'\n{RESUMED}# {number}\n".replace("slow-once", f"slow-once-{number}"))
    site.projects(f"[box]\nprofiles = ['mine']\n{SMALL}[third]\ncold = true\nprofiles = ['resumed']\n{SMALL}")
    result = site.run("up", "third", status=6, timeout=600)
    assert built(result) == ["profile resumed"]
    assert "step 'shell-fails-once' of the recipe's part 'resumed' failed with exit status 3" in result.err
    assert "machine up third" in result.err
    assert os.path.exists(f"{site.state}/machine/logs/recipe-resumed-shell-fails-once.log")
    assert len(layers(site, "unfinished")) == 1

    child = site.start("up", "third", "--json")
    for line in child.stdout:
        if b"it sleeps" in line:
            break
    assert layers(site, "building")
    assert {entry["name"]: entry["state"] for entry in site.json("list")}["third"] == "creating"
    child.send_signal(number)
    out, _ = child.communicate()
    assert number == signal.SIGKILL or (child.returncode == 130 and b"'machine up third' goes on from there" in out), out
    wait_until(lambda: not site.processes("qemu-system", "recipe."), 30, "QEMU ends with the builder")
    assert len(layers(site, "unfinished")) == 1

    third = Vm(site, "third")
    try:
        result = third.up()
        assert built(result) == ["profile resumed"] and "from where it was stopped" in result.err
        assert "shell first" not in result.err
        assert ran(third) == ["one", "two", "first", "last"]
        assert layers(site, "unfinished") == []
        # When its VM is gone, nothing stands on the layer, and no project needs it.
        third.machine("destroy", "--yes", "--discard-work")
        site.projects(f"[box]\nprofiles = ['mine']\n{SMALL}")
        goes = {layer["key"] for layer in site.json("prune", "--dry-run")}
        assert any(layer["key"] in goes for layer in layers(site, "recipe") if "resumed" in layer["about"])
        assert not any(layer["key"] in goes for layer in site.json("layers") if layer["needed"] or layer["current"])
    finally:
        site.run("destroy", "third", "--yes", "--discard-work", status=None)


@pytest.mark.long
def test_a_changed_profile_builds_its_layer_alone_and_two_builders_wait_for_each_other(site, box):
    """One builder is `bake`, which builds ahead what `up` would build."""
    site.projects(f"[left]\ncold = true\nprofiles = ['mine']\n{SMALL}")
    site.write("config/machine/profiles/mine/setup.sh", SETUP + "echo more >>/var/log/ran\n")
    try:
        children = [site.start(*argv) for argv in (["up", "left"], ["bake"])]
        results = [site.finish(child, timeout=900) for child in children]
        assert [result.status for result in results] == [0, 0], results
        assert built(results[0]) + built(results[1]) == ["profile mine"]
        assert "another process is building the layer of 'profile mine'" in results[0].err + results[1].err
        assert ran(Vm(site, "left")) == ["one", "two", "mine", "more"]
    finally:
        site.write("config/machine/profiles/mine/setup.sh", SETUP)
        site.run("destroy", "left", "--yes", "--discard-work", status=None)
