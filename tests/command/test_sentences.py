"""What people read: times of their own zone, tables that fit their terminal, colours, and sentences once unclear."""

import fcntl
import os
import re
import unicodedata

import pexpect
import pytest
import records
from made_layers import put

ZONE = {"TZ": "UTC-2"}


def on_terminal(program, columns, *args, **env):
    """What `machine ARGS…` prints on a terminal of so many columns, as lines."""
    child = pexpect.spawn(program.machine, list(args), cwd=program.home, dimensions=(24, columns), timeout=300, encoding="utf-8",
                          env={**program.environment, "TERM": "xterm-256color", **env})
    child.expect(pexpect.EOF)
    child.close()
    return child.before


def width(line):
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in re.sub(r"\x1b\[[0-9;]*m", "", line))


@pytest.fixture
def full(program):
    """Projects, VMs, layers, a log and a profile with long names."""
    program.projects("[a-project-without-a-vm]\nrepos = ['https://example.org/a/very/long/path/to/the/repo.git']\n")
    records.write(program.state, "blog-with-a-rather-long-name", profiles=["python", "rust", "cypress"])
    records.write(program.state, "shop")
    put(program, "a" * 64, {"kind": "base", "suite": "trixie"}, vmlinuz=10, initrd=10)
    put(program, "b" * 64, {"kind": "template", "parent": "a" * 64, "cpus": 2, "memory_bytes": 1 << 30, "accelerator": "tcg"},
        memory=8192, state=100)
    program.write("state/machine/vms/shop/logs/console.log", "hello\n")
    program.write("state/machine/vms/blog-with-a-rather-long-name/egress.account",
                  "reached tcp a-host-with-a-long-name.example 11.22.33.44 443 3 100 2000 1700000000 1700000009\n"
                  "refused dns b.example - 53 2 name 1700000001 1700000002\nend 2\n")
    program.write("state/machine/vms/shop/logs/keys.log",
                  '{"time":"2026-01-02T03:04:05Z","request":"sign","verdict":"signed","key":"SHA256:' + "x" * 43 + '"}\n')
    return program


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("args", [["list"], ["layers"], ["du"], ["doctor"], ["profile"], ["logs", "shop", "--list"], ["keys", "shop"],
                                  ["egress", "blog-with-a-rather-long-name"]],
                         ids=lambda args: args[0])
def test_tables_fit_a_terminal(full, args, columns):
    said = on_terminal(full, columns, *args)
    # Only what the command printed as its result: a warning on standard error is wrapped by the terminal.
    lines = [line for line in said.splitlines() if not re.match(r"(\x1b\[[0-9;]*m)?(warning|machine|note|  hint):", line)]
    assert len(lines) > 1
    assert [line for line in lines if width(line) > columns] == []


def test_a_narrow_table_leaves_nothing_out(full):
    wide = full.run("list").out.split()
    narrow = re.sub(r"\n {4,}", "", on_terminal(full, 40, "list").replace("\r", ""))
    for word in ("blog-with-a-rather-long-name", "python,rust,cypress", "https://example.org/a/very/long/path/to/the/repo.git"):
        assert word in wide and word in narrow


def test_people_read_local_time_and_programs_utc(full):
    records.write(full.state, "site")
    assert "2026-01-02 05:04:05" in full.run("keys", "shop", env=ZONE).out
    assert "2026-01-02T03:04:05Z" in full.run("keys", "shop", "--json", env=ZONE).out
    used = full.run("layers", env=ZONE).out
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", used) and not re.search(r"\dT\d\d:", used)
    assert all(re.search(r"\dT.*Z$", layer["used"] or "T0Z0T.Z") or layer["used"] is None for layer in full.json("layers"))


def test_doctor_is_coloured_on_a_terminal_and_respects_no_color(program):
    assert "\x1b[32mok" in on_terminal(program, 80, "doctor")
    assert "\x1b" not in on_terminal(program, 80, "doctor", NO_COLOR="1")
    assert "\x1b" not in on_terminal(program, 80, "doctor", TERM="dumb")
    assert "\x1b" not in program.run("doctor", status=None).out


def test_doctor_marks_what_is_optional(program):
    """Without any program in PATH the optional ones are missing, too."""
    found = program.run("doctor", status=1, env={"PATH": "/nowhere"}).out
    assert re.search(r"(?m)^optional +bwrap +not found \(for a second wall around QEMU\)", found)
    assert re.search(r"(?m)^failed +ssh +not found \(needed for every session\)", found)
    assert not re.search(r"(?m)^optional +(ssh|git|qemu-img) ", found)


def test_allow_without_egress_is_reported_at_its_own_line(program):
    program.projects("[blog]\ncpus = 2\nallow = ['example.org']\n")
    result = program.run("validate", status=3)
    assert "projects.toml:3:1: 'allow' has no effect unless egress = \"allow\"" in result.err + result.out


def test_an_invalid_mode_is_called_so(program):
    program.write("config/machine/provision.toml", "[[files]]\npath = '/etc/x'\ncontent = ''\nmode = '9'\n")
    result = program.run("validate", status=3)
    assert "invalid mode '9'" in result.err + result.out
    assert "octal digits" in result.err + result.out


def test_trust_says_what_is_trusted(program, checkout):
    assert f"trusted '{checkout}/.machine.toml'" in program.run("trust", "--yes", cwd=checkout).err
    program.write("home/blog/provision.toml", "")
    assert f"trusted '{checkout}/.machine.toml' and 1 other file" in program.run("trust", "--yes", cwd=checkout).err


def test_a_vm_that_is_not_there_is_not_created(program):
    program.projects("[blog]\n")
    records.write(program.state, "blog", repos=[])
    out = program.run("status", "blog").out
    assert out.startswith("blog: not created (qemu, 2 CPUs, 2.0 GiB of memory, 30 GiB of disk)\n")


@pytest.mark.parametrize("command, said", [
    ("open", "forward a VM's port and open it in a browser"),
    ("destroy", "discard what exists only in the VM"),
])
def test_help_is_in_plain_words(program, command, said):
    assert said in program.run("help", command).out + program.run("help").out


def test_an_unfinished_build_is_listed_as_such(program):
    os.makedirs(os.path.join(program.environment["XDG_DATA_HOME"], f"machine/layers/{'c' * 64}.tmp-1"), mode=0o700)
    assert "left by a build that was interrupted" in program.run("layers").out


def test_a_vm_without_connections_has_none_yet(full):
    assert "no connections of VM 'shop' yet" in full.run("egress", "shop").err


def test_a_busy_vm_is_called_busy(full):
    full.write("state/machine/vms/shop.lock", "")
    with open(f"{full.state}/machine/vms/shop.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        child = full.start("destroy", "shop", "--yes")
        line = child.stderr.readline().decode()
        fcntl.flock(file, fcntl.LOCK_UN)
    full.finish(child)
    assert "VM 'shop' is busy: another 'machine' command is running; waiting for it to end" in line
