"""What a guest no longer needs goes back to this computer: blocks of a file that it removed, memory of a process that has ended."""

from program import wait_until
from templates import in_order, template_of

MIB = 1 << 20
WRITTEN = 200 * MIB


def disk_used(vm):
    entry, = vm.program.json("du", vm.name)["vms"]
    return entry["disk_used_bytes"]


def memory_used(vm):
    return vm.entry()["memory_used_bytes"]


def write_and_remove(vm):
    """Returns what the disk took before, with the file, and after it was removed, as soon as that is less than a quarter more."""
    before = disk_used(vm)
    vm.sh(f"yes | head -c {WRITTEN} >~/large && sync")
    full = disk_used(vm)
    vm.sh("rm ~/large && sync")
    wait_until(lambda: disk_used(vm) < before + WRITTEN // 4, 60, "the removed file's blocks are given back")
    return before, full


def test_a_removed_file_shrinks_the_disk_and_never_the_template(make):
    """First in a guest that was restored, then in one that booted."""
    vm = make("roomy")
    assert vm.program.how("roomy", timeout=900) == "restored"
    template = template_of(vm)
    untouched = in_order(template, vm.program)
    before, full = write_and_remove(vm)
    assert full - before > WRITTEN * 3 // 4
    assert vm.program.json("restart", "roomy", timeout=300)["how"] == "started"
    before, full = write_and_remove(vm)
    assert full - before > WRITTEN * 3 // 4
    assert in_order(template, vm.program) == untouched


def test_a_guest_that_booted_gives_back_what_a_process_had(make):
    vm = make("freed", "cold = true\n")
    assert vm.program.how("freed", timeout=900) == "created"
    before = memory_used(vm)
    # tail(1) keeps what has no end of line until all is there, and then until somebody reads it.
    child = vm.program.start("run", "freed", "--", "sh", "-c", "head -c 400M /dev/zero | tail | { sleep 30; wc -c; }")
    wait_until(lambda: memory_used(vm) > before + 300 * MIB, 100, "a process has taken memory")
    assert vm.program.finish(child).status == 0
    wait_until(lambda: memory_used(vm) < before + 150 * MIB, 60, "its memory is given back")
