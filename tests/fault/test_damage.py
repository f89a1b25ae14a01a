"""Each file of ours, damaged in seven ways: what the program says, whether what it advises works, and that nothing is lost by it."""

import json
import os
import shutil
import subprocess

import damage
import pytest
from damage import BLOG, FILE_WAYS, FOLDER_WAYS, PLAIN, World
from program import MACHINE, Program, said

VM = "state/machine/vms/blog"
LAYER = f"data/machine/layers/{BLOG}"

# How it ends when all advice was followed: "well", as if nothing had been; "aside", the VM's files are kept under another name, and a
# new VM can be made; "said", nothing can be done but to restore a backup, and the doctor says so and which VM it is.
FILES = {
    f"{VM}/vm.json": {},
    f"{VM}/vm.json.copy": {},
    f"{VM}/id_ed25519": {},
    f"{VM}/id_ed25519.pub": {},
    f"{VM}/host_key": {},
    f"{VM}/host_key.pub": {},
    f"{VM}/known_hosts": {},
    f"{VM}/ssh_config": {},
    f"{VM}/run.lock": {},
    f"{VM}/disk.qcow2": {"empty": "aside", "cut": "aside", "garbled": "aside", "other_kind": "aside", "missing": "said"},
    f"{VM}/logs/console.log": {},
    f"{VM}.lock": {},
    "state/machine/trust.json": {},
    "state/machine/trust.lock": {},
    "config/machine/projects.toml": {"cut": "said", "garbled": "said"},
    "config/machine/config.toml": {"cut": "said", "garbled": "said"},
    "config/machine/provision.toml": {},
    f"{LAYER}/manifest.json": {},
    f"{LAYER}/disk.qcow2": {"empty": "said", "cut": "said", "garbled": "said", "other_kind": "said", "missing": "aside"},
    f"{LAYER}/vmlinuz": dict.fromkeys(("empty", "cut", "garbled", "missing", "other_kind"), "said"),
    f"{LAYER}/initrd": dict.fromkeys(("empty", "cut", "garbled", "missing", "other_kind"), "said"),
    f"{LAYER}/SHA256SUMS": {},
    f"{LAYER}.lock": {},
    "ssh/config.d/machine": {},
    "ssh/config.d/.machine.lock": {},
}
FOLDERS = {
    VM: {"missing": "gone", "other_kind": "gone"},
    f"{VM}/logs": {},
    LAYER: {"missing": "aside", "other_kind": "aside"},
    "r/machine": {},
    "r/machine/blog": {},
    "ssh/config.d": {},
    "config/machine": {},
}
# Without these no VM is known, or none has a layer: the other VM doesn't stay as it was.
SHARED = {"state/machine/vms": {"missing": "gone", "other_kind": "gone"}, "data/machine/layers": {"missing": "aside", "other_kind": "aside"}}
TABLE = [(path, FILE_WAYS, ends) for path, ends in FILES.items()] + [(path, FOLDER_WAYS, ends) for path, ends in {**FOLDERS, **SHARED}.items()]


@pytest.fixture(scope="module")
def world():
    program = Program(user=PLAIN if os.geteuid() == 0 else None)
    if program.user:
        # A copy that a plain user can read, wherever the build folder is.
        shutil.copytree(os.path.dirname(os.path.dirname(MACHINE)), os.path.join(program.root, "usr/local"), symlinks=True)
        subprocess.run(["/bin/chmod", "-R", "a+rX", f"{program.root}/usr"], check=True)
        program.machine = os.path.join(program.root, "usr/local/bin/machine")
    yield World(program)
    program.clean_up()


class Trial:
    """What the program does about one damage. `wrong` collects what it should not have done."""

    def __init__(self, world, path, way):
        self.world, self.program, self.path, self.way = world, world.program, path, way
        self.wrong = []
        self.hints = []

    def expect(self, holds, what):
        if not holds:
            self.wrong.append(f"{self.path} {self.way.__name__}: {what}")
        return holds

    def ask(self, *argv):
        """Runs a command. When it fails, it has to say what to do."""
        result = self.program.run(*argv, "--json", status=None)
        values = [json.loads(line) for line in result.out.splitlines() if line.startswith(("{", "["))]
        errors = [value for value in values if isinstance(value, dict) and value.get("event") == "error"]
        self.expect(result.status < 100 and "Sanitizer" not in result.err, said(result))
        self.expect(result.status == 0 or errors, f"failed without an error: {said(result)}")
        self.hints += [error["hint"] for error in errors]
        return result, values

    def doctor(self, *options):
        """The checks that are not good and are about our files."""
        _, values = self.ask("doctor", *options)
        checks = next((value for value in values if isinstance(value, list)), [])
        self.expect(checks, "the doctor said nothing")
        bad = [check for check in checks if check["status"] != "ok" and check["hint"] != "machine init --projects" and
               check["name"].startswith(("VM ", "layer", "configuration", "settings", "trust", "runtime"))]
        for check in bad:
            self.expect(check["hint"] or check["name"] in ("configuration", "settings"), f"no hint: {check}")
        return bad

    def entry(self, name):
        _, values = self.ask("list")
        entries = next((value for value in values if isinstance(value, list)), [])
        return next((entry for entry in entries if entry["name"] == name), None)

    def look(self):
        """Nothing that only looks, or that is about the other VM, is kept from it."""
        other = self.path not in SHARED
        shop = self.entry("shop")
        self.expect(not other or (shop and shop["state"] == "stopped"), f"the other VM is shown as {shop}")
        for argv in (("status", "blog"), ("up", "blog", "--dry-run"), ("prune", "--dry-run"), ("down", "blog")):
            self.ask(*argv)
        if other:
            result, _ = self.ask("down", "shop")
            self.expect(result.status == 0, said(result))

    def heal(self):
        """Follows all advice until there is none. Returns what the doctor still finds."""
        for _ in range(4):
            self.hints = []
            bad = self.doctor("--repair", "--layers")
            self.entry("blog")
            self.ask("status", "blog")
            self.ask("down", "blog")
            done = self.follow_all(self.hints + [check["hint"] for check in bad])
            if not done:
                return bad
        self.expect(False, f"the advice doesn't end: {done}")
        return bad

    def follow_all(self, hints):
        """Returns the commands in the hints, each of which was run once."""
        done = []
        for hint in dict.fromkeys(hint for hint in hints if hint):
            try:
                done += damage.follow(hint, done)
            except subprocess.CalledProcessError as failure:
                self.expect(False, f"the advice doesn't work: {hint}: {failure.stderr}")
        return done

    def destroy(self):
        """Removes the VM, with what the program advises on the way."""
        for _ in range(4):
            self.hints = []
            result, _ = self.ask("destroy", "blog", "--yes", "--discard-work")
            if result.status == 0 or not self.follow_all(self.hints):
                break
        self.expect(result.status == 0 and not os.path.exists(self.world.path(VM)), said(result))

    def end(self, bad):
        """What it has come to."""
        entry = self.entry("blog")
        if entry is None or entry["state"] == "absent":
            return "aside" if os.path.isdir(self.world.path(f"{VM}.off")) else "said" if bad else "gone"
        return "well" if entry["state"] == "stopped" and not bad else "said"


@pytest.mark.parametrize("path, ways, ends", TABLE, ids=[path.replace(BLOG, "KEY") for path, _, _ in TABLE])
def test_damage_is_said_and_mended_and_nothing_is_lost(world, tally, path, ways, ends):
    wrong = []
    for way in ways:
        if way is damage.wrong_owner and os.geteuid() != 0:
            continue  # only root can give a file away
        world.damage(path, way)
        trial = Trial(world, path, way)
        before = world.precious()
        trial.look()
        trial.expect(world.precious() == before, "a disk was changed by looking")
        bad = trial.heal()
        end = trial.end(bad)
        trial.expect(set(before.values()) <= set(world.precious().values()), "a disk was lost")
        trial.expect(end == ends.get(way.__name__, "well"), f"it ends {end}: {bad}")
        if end in ("well", "said") and path not in SHARED:
            trial.destroy()
        if path not in SHARED:
            trial.expect((trial.entry("shop") or {}).get("state") == "stopped", "the other VM is not as it was")
        tally(f"damaged: {path.replace(BLOG, 'KEY')}", not trial.wrong)
        wrong += trial.wrong
    world.restore()
    assert not wrong, "\n\n".join(wrong)


# --- with a guest

@pytest.fixture
def torn(make):
    """A VM of its own with something in it that is nowhere else."""
    vm = make("torn")
    vm.up()
    vm.sh("echo work >kept && sync")
    vm.damage = lambda way, *names: [way(os.path.join(vm.folder(), name)) for name in names]
    return vm


def test_a_vm_keeps_its_work_when_its_files_are_damaged(torn, tally):
    """First while it runs, then while it doesn't: both the record and its copy, and a file of every other kind."""
    pids = torn.qemu()
    torn.damage(damage.garbled, "vm.json", "known_hosts")
    torn.damage(damage.empty, "ssh_config")
    tally("a guest's files damaged while it runs", torn.sh("cat kept") == "work\n" and torn.qemu() == pids)
    torn.machine("down")
    torn.damage(damage.garbled, "vm.json", "vm.json.copy")
    torn.damage(damage.cut, "id_ed25519")
    torn.damage(damage.empty, "host_key.pub")
    torn.damage(damage.missing, "known_hosts")
    torn.damage(damage.other_kind, "ssh_config")
    refused = torn.up(status=1)
    assert "hint: machine doctor --repair" in refused.err
    assert "torn" in torn.program.run("doctor", "--repair", status=None).err
    refused = torn.up(status=1)
    hint = refused.err.split("hint: ")[1]
    assert damage.follow(hint, []) and "ssh_config" in hint
    said_by_up = torn.up().err
    assert "id_ed25519' could not be used" in said_by_up
    tally("a guest's files damaged while it is stopped", torn.sh("cat kept") == "work\n")
