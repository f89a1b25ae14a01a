"""New VMs come from a warm template. Each has an identity of its own, and nothing of one VM is in another."""

import concurrent.futures
import json
import os
import stat
import time

import counts
import pytest
from choice import long_unless
from conftest import SMALL, Vm, surroundings
from templates import Driver, folder_of, in_order, layers, left_behind, template_of, twins
from program import wait_until

IN_A_ROW = [10, 100]
AT_ONCE = [4, 10]
DAY = 24 * 60 * 60


def test_a_new_vm_is_restored_from_a_template(pair):
    assert [vm.first_up["how"] for vm in pair] == ["restored", "restored"]
    assert template_of(pair[0]) == template_of(pair[1])


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the stand-in for bubblewrap replaces a processor of x86-64")
def test_it_has_the_processor_that_its_template_was_saved_on(pair):
    """A guest that was saved on a newer one runs in circles on an older one. Here the tests themselves choose it (counts.py)."""
    for vm in pair:
        (pid,) = vm.qemu()
        with open(f"/proc/{pid}/cmdline") as file:
            argv = file.read().split("\0")
        processor = argv[argv.index("-cpu") + 1]
        assert processor in ("host", "qemu64" if counts.OLDER else "max,la57=off")
    assert pair[0].program.environment["XDG_DATA_HOME"].endswith("-older") == counts.OLDER


def test_restored_vms_draw_other_random_numbers_from_their_first_moment(pair):
    """Read by the first command, before anything in the guest had time to add randomness of its own."""
    assert len({vm.drawn for vm in pair}) == 2
    # A second source on x86: the generation id made the kernel reseed.
    said = [vm.sh("sudo dmesg | grep -c 'reseeded due to virtual machine fork'", status=None) for vm in pair]
    assert os.uname().machine != "x86_64" or [int(count) > 0 for count in said] == [True, True]


def test_the_clock_is_right_after_a_restore(pair):
    """The template was saved some time ago."""
    before, inside, after = pair[0].clock
    assert before - 0.1 < inside < after + 0.1
    assert before - float(pair[0].sh("stat -c %Y /run/lock")) > 20, "the template is so young that its clock would do"


def test_the_journal_is_the_vms_own(pair):
    """The template's journal is gone some seconds after the start."""
    vm = pair[0]
    wait_until(lambda: vm.sh("ls /var/log/journal") == vm.sh("cat /etc/machine-id"), 60, "the template's journal is gone")
    assert int(vm.sh("journalctl --quiet --no-pager | wc -l")) > 0


def test_the_file_system_grows_to_the_disk_that_was_asked_for(pair):
    vm = pair[0]
    assert int(vm.sh("cat /sys/block/vda/size")) * 512 == 6 << 30
    wait_until(lambda: int(vm.sh("df --output=size -B1 / | tail -n 1")) >= 5 << 30, 60, "the file system has grown")


@pytest.mark.long
def test_a_restored_vm_boots_by_itself_the_next_time(pair):
    one = pair[0]
    one.sh("echo kept >~/kept; sync")
    one.machine("down")
    assert one.program.how(one.name) == "started"
    assert one.sh("cat ~/kept; hostname").split() == ["kept", one.name]


def test_two_restored_vms_have_nothing_that_tells_who_they_are_in_common(pair):
    script = ("hostname; cat /etc/machine-id; sudo ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key; cat /etc/ssh/authorized_keys/*;"
              "head -c 32 /dev/urandom | base64; cat /proc/sys/kernel/random/uuid;"
              "sudo systemd-run --quiet --pipe --wait sh -c 'echo $INVOCATION_ID'")
    mine, theirs = (vm.sh(script).split("\n") for vm in pair)
    assert len(mine) == len(theirs) == 8
    assert set(mine) & set(theirs) == {""}


def test_the_key_of_one_vm_opens_no_other(pair):
    one, other = pair
    config = os.path.join(other.folder(), "ssh_config")
    with open(config) as file:
        text = file.read()
    swapped = text.replace(os.path.join(other.folder(), "id_ed25519"), os.path.join(one.folder(), "id_ed25519"))
    assert swapped != text
    lines = [line for line in swapped.splitlines() if not line.strip().startswith("Control")]
    path = one.program.write("swapped_config", "\n".join(lines) + "\n")
    result = one.program.run("/usr/bin/ssh", "-F", path, f"machine-{other.name}", "true", status=255)
    assert "Permission denied" in result.err


def test_no_key_of_the_template_is_in_a_vm(pair):
    one, _ = pair
    assert one.sh("sudo cat /etc/ssh/authorized_keys/* | wc -l") == "1\n"
    assert one.sh("sudo ls /etc/ssh | grep ssh_host").split() == ["ssh_host_ed25519_key"]
    assert one.sh("sudo test -f /etc/ssh/ssh_host_ed25519_key && echo file") == "file\n"


def test_a_restored_vm_that_is_restarted_from_within_stays_who_it_is(data):
    """Its QEMU has the kernel, the kernel's command line and the identity for a boot, though it never booted."""
    with twins(data, count=1) as (vm,):
        who = "hostname; cat /etc/machine-id /etc/ssh/authorized_keys/*"
        boot = "cat /proc/sys/kernel/random/boot_id"
        before, booted = vm.sh(who), vm.sh(boot)
        vm.run("sudo", "systemctl", "reboot", status=None)
        end = time.monotonic() + 1800
        while True:
            result = vm.run("sh", "-c", boot, status=None)
            if result.status == 0 and result.out != booted:
                break
            assert time.monotonic() < end, result
            time.sleep(1)
        assert vm.sh(who) == before
        assert vm.state() == "running"


def moved_clock(program, date):
    """A QEMU that shows `date` to the guest of a template. A guest sets its clock by the hardware clock only when it boots."""
    path = program.write("fake/qemu-system-x86_64", "#!/bin/sh\ncase \" $* \" in\n"
                         f"*,share=on,mem-path=*) exec /usr/bin/qemu-system-x86_64 \"$@\" -rtc base={date} ;;\n"
                         "esac\nexec /usr/bin/qemu-system-x86_64 \"$@\"\n")
    os.chmod(path, 0o755)
    program.hand_over()
    return {"PATH": f"{os.path.dirname(path)}:{program.environment['PATH']}"}


@pytest.mark.long
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the stand-in for QEMU is written for x86-64")
def test_the_clock_is_right_after_a_restore_of_a_template_that_is_days_old(own):
    """Only the guest's clock is moved. The host's clock and QEMU are real."""
    own.projects(f"[old]\n{SMALL}")
    env = moved_clock(own, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 5 * DAY)))
    assert own.how("old", env=env, timeout=600) == "restored"
    vm = Vm(own, "old")
    before = time.time()
    inside = float(vm.sh("date +%s.%N"))
    after = time.time()
    assert before - 0.1 < inside < after + 0.1
    age = time.time() - float(vm.sh("stat -c %Y /run/lock"))
    assert 5 * DAY - 600 < age < 5 * DAY + 600, f"the template's clock was not moved: {age:.0f} s"


def test_a_template_never_changes_and_its_files_say_so(pair):
    template = template_of(pair[0])
    program = pair[0].program
    before = in_order(template, program)
    assert set(before) == {"SHA256SUMS", "disk.qcow2", "manifest.json", "memory", "state"}
    with twins(program.environment["XDG_DATA_HOME"], count=1) as vms:
        for vm in vms:
            assert template_of(vm) == template
            vm.sh("dd if=/dev/urandom of=noise bs=1M count=50 status=none; sync; rm noise")
    assert in_order(template, program) == before
    modes = {name: stat.S_IMODE(os.stat(os.path.join(folder_of(program, template), name)).st_mode) for name in before}
    with open(os.path.join(folder_of(program, template), "manifest.json")) as file:
        version = json.load(file)["qemu"].split("version ")[1]
    # QEMU before 8.2 can't map a read-only memory file.
    read_only = tuple(int(part) for part in version.split(".")[:2]) >= (8, 2)
    assert modes["memory"] == (0o400 if read_only else 0o600)
    assert all(modes[name] & 0o222 == 0 for name in before if name != "memory")


def test_memory_is_shared_until_it_is_written_to(pair):
    """The memory that a restored VM has for itself is only a part of what the guest may use."""
    one = pair[1]
    assert 0 < one.entry()["memory_used_bytes"] < 700 << 20
    assert one.entry()["disk_used_bytes"] < 64 << 20


@pytest.fixture
def driver(own):
    return Driver(own)


@pytest.mark.parametrize("count", long_unless(IN_A_ROW[:1], IN_A_ROW))
def test_restores_in_a_row_leave_nothing(driver, count):
    program = driver.program
    said = driver.call("create", "first", timeout=600)
    driver.call("start", "first")
    driver.call("kill", "first")
    driver.call("remove", "first")
    template, = [key for key, layer in layers(program).items() if layer["kind"] == "template" and layer["current"]
                 and layer["about"].startswith("1 cpu, 1.0 GiB") and layer["memory_bytes"]]
    before = in_order(template, program)
    for number in range(count):
        for command in ("create", "start", "kill", "remove"):
            said = driver.call(command, f"n-{number}")
            assert "warning" not in said.err, said.err
    program.assert_no_processes()
    assert left_behind(program) == []
    assert in_order(template, program) == before


@pytest.mark.parametrize("count", long_unless(AT_ONCE[:1], AT_ONCE))
def test_restores_at_once(data, count):
    with surroundings(data=data) as program:
        names = [f"n-{number}" for number in range(count)]
        program.projects("".join(f"[{name}]\n{SMALL}" for name in names))
        template = None
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            hows = list(pool.map(lambda name: program.how(name, timeout=900), names))
        assert hows == ["restored"] * count
        vms = [Vm(program, name) for name in names]
        template = template_of(vms[0])
        before = in_order(template, program)
        ids = {vm.sh("cat /etc/machine-id") for vm in vms}
        assert len(ids) == count
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda vm: vm.machine("destroy", "--yes", "--discard-work"), vms))
        program.assert_no_processes()
        assert left_behind(program) == []
        assert in_order(template, program) == before


@pytest.mark.long
def test_cold_means_a_boot_of_its_own(own):
    own.projects(f"[by-key]\n{SMALL}cold = true\n[by-option]\n{SMALL}")
    assert own.how("by-key") == "created"
    assert own.how("by-option", "--cold") == "created"
    kinds = {vm: layer["kind"] for layer in own.json("layers") for vm in layer["vms"]}
    assert kinds == {"by-key": "base", "by-option": "base"}
    boots = {Vm(own, name).sh("cat /proc/sys/kernel/random/boot_id") for name in ("by-key", "by-option")}
    assert len(boots) == 2
