"""A configuration that can't be read, or isn't trusted, and a record that is lost: what works all the same, and what is refused."""

import json
import os
import subprocess

import pytest
import records

# Each stops `up`, and nothing that can do with the record.
MISTAKES = {
    "not TOML": "[blog\n",
    "at the top": "default_shel = 'zsh'\n[blog]\n[shop]\n",
    "in each": '[blog]\ncpus = "many"\n[shop]\nprocessors = 2\n',
}


def names(program):
    return [entry["name"] for entry in program.json("list")]


@pytest.fixture(params=MISTAKES.values(), ids=MISTAKES)
def mistaken(program, request):
    """Two VMs of projects.toml, in which there is a mistake."""
    for vm in ("blog", "shop"):
        records.write(program.state, vm, repos=[])
    program.projects(request.param)
    return program


@pytest.fixture
def beside(program):
    """Two VMs of projects.toml, of which one has a mistake in its table."""
    for vm in ("blog", "shop"):
        records.write(program.state, vm, repos=[])
    program.projects('[blog]\n[shop]\ncpus = "many"\n[shop.secrets]\nKEY = 1\n')
    return program


def test_a_mistake_in_another_project_is_a_warning(beside):
    for command in (["up", "--dry-run", "blog"], ["plan", "blog"], ["list"]):
        # The VMs have no disks.
        result = beside.run(*command, status=None)
        assert "warning" in result.err and "project 'shop' has mistakes in '" in result.err, result.err
        assert "projects.toml:" not in result.err
    assert "machine rebuild blog" in beside.run("up", "--dry-run", "blog", status=5).err
    assert beside.run("status", "blog").err == ""
    for command in ("down", "destroy"):
        assert "shop" not in beside.run(command, "blog", *(["--yes"] if command == "destroy" else [])).err


def test_its_own_mistakes_stop_it_and_all_are_listed(beside):
    result = beside.run("up", "--dry-run", "shop", status=3)
    assert "projects.toml:3:8:" in result.err and "projects.toml:5:7:" in result.err
    assert "projects.toml:3:8:" in beside.run("validate", status=3).err
    assert [check["status"] for check in beside.checks() if check["name"] == "configuration"] == ["failed", "failed"]


def test_a_mistake_in_a_project_doesnt_stop_a_checkout(beside, checkout):
    beside.run("trust", "--yes", "home/blog", cwd=beside.root)
    beside.write("home/blog/.machine.toml", 'name = "notes"\nrepos = ["."]\n')
    beside.run("trust", "--yes", cwd=checkout)
    result = beside.run("up", "--dry-run", cwd=checkout)
    assert "there is no VM 'notes' yet" in result.out and "project 'shop' has mistakes" in result.err
    beside.write("home/blog/.machine.toml", 'name = "shop"\nrepos = ["."]\n')
    beside.run("trust", "--yes", cwd=checkout)
    assert "the name 'shop' belongs to [shop] in" in beside.run("up", "--dry-run", cwd=checkout, status=3).err


def test_a_mistake_in_projects_toml_keeps_no_vm_from_being_stopped_and_removed(mistaken):
    assert {"blog", "shop"} <= set(names(mistaken))
    for vm in ("shop", "blog"):
        mistaken.run("down", vm)
        status = mistaken.run("status", vm)
        assert "up to date" not in status.out and "projects.toml:" in status.err
        mistaken.run("destroy", vm, "--yes")
    assert mistaken.read_state() == ["blog.lock", "shop.lock"]


def test_a_mistake_in_projects_toml_is_an_error_where_it_matters(mistaken):
    result = mistaken.run("up", "blog", "--dry-run", status=3)
    assert "projects.toml:" in result.err


def test_a_mistake_doesnt_hide_that_there_is_no_such_vm(mistaken):
    result = mistaken.run("down", "other", status=None)
    assert (result.status == 3 and "projects.toml:" in result.err) or (result.status == 4 and "'other'" in result.err)


@pytest.fixture
def its_vm(program, checkout):
    """A trusted checkout with a VM."""
    program.run("trust", "--yes", cwd=checkout)
    records.write(program.state, "blog", owner=checkout, repos=["."])
    return program


CHANGES = {
    "changed": 'repos = ["."]\nlan = true\n',
    "mistaken": "lan = 1\n",
    "not TOML": "lan =\n",
    "renamed": 'name = "other"\nrepos = ["."]\n',
}


@pytest.mark.parametrize("text", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("named", [True, False], ids=["by name", "in the checkout"])
def test_a_changed_machine_toml_keeps_its_vm_from_nothing_that_needs_only_the_record(its_vm, checkout, text, named):
    its_vm.write("home/blog/.machine.toml", text)
    where = {"cwd": its_vm.home} if named else {"cwd": checkout}
    name = ["blog"] if named else []
    its_vm.run("down", *name, **where)
    status = its_vm.run("status", *name, **where)
    assert ".machine.toml" in status.err and "blog: not created (" in status.out
    assert its_vm.json("status", *name, **where)["compared"] is False
    its_vm.run("destroy", *name, "--yes", **where)
    assert names(its_vm) == []


def test_a_changed_machine_toml_is_refused_where_it_matters(its_vm, checkout):
    its_vm.write("home/blog/.machine.toml", CHANGES["changed"])
    assert "machine trust" in its_vm.run("up", "--dry-run", cwd=checkout, status=3).err


def test_an_untrusted_file_names_no_vm_of_somebody_else(program, checkout):
    records.write(program.state, "shop", repos=[])
    program.write("home/blog/.machine.toml", 'name = "shop"\n')
    for command in (("down",), ("status",), ("destroy", "--yes")):
        assert "not trusted" in program.run(*command, cwd=checkout, status=3).err
    assert names(program) == ["shop"]


def test_a_damaged_trust_store_keeps_no_vm_from_being_removed_and_the_advice_works(its_vm, checkout):
    its_vm.write("state/machine/trust.json", "{")
    its_vm.run("down", cwd=checkout)
    hint = its_vm.json("up", "--dry-run", cwd=checkout, status=None)["hint"]
    subprocess.run(hint.split(", then")[0], shell=True, check=True)
    its_vm.run("trust", "--yes", cwd=checkout)
    its_vm.run("up", "--dry-run", cwd=checkout, status=None)
    assert its_vm.read("state/machine/trust.json.off") == "{"
    its_vm.run("destroy", "--yes", cwd=checkout)


# --- records

def disk(folder):
    path = os.path.join(folder, "disk.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "3G"], check=True)
    with open(path, "rb") as file:
        return file.read()


LOST = {"missing": None, "empty": "", "cut": '{"version": 1, "na', "of another kind": "[]", "half": '{"version": 1}'}


@pytest.mark.parametrize("text", LOST.values(), ids=LOST)
def test_a_disk_without_a_record_is_never_replaced_and_gets_one_by_a_command_that_is_named(program, text):
    program.projects("[blog]\ncpus = 3\nrepos = []\n")
    folder = records.without_copy(program.state, "blog")
    content = disk(folder)
    os.remove(f"{folder}/vm.json")
    if text is not None:
        program.write("state/machine/vms/blog/vm.json", text)
    result = program.run("up", "blog", status=1)
    assert "hint: machine doctor --repair" in result.err
    assert "blog" in program.run("list").out and "broken" in program.run("list").out
    program.run("doctor", "--repair", status=None)
    entry, = program.json("list")
    assert entry["state"] == "stopped" and entry["cpus"] == 3
    with open(f"{folder}/disk.qcow2", "rb") as file:
        assert file.read() == content
    with open(f"{folder}/vm.json") as file:
        assert json.load(file)["intent"] == "setup"
    if text is not None:
        assert program.read("state/machine/vms/blog/vm.json.damaged") == text


def test_a_record_that_is_made_up_lets_the_guest_reach_nothing_that_no_configuration_allows(program):
    folder = records.without_copy(program.state, "blog")
    disk(folder)
    os.remove(f"{folder}/vm.json")
    program.run("doctor", "--repair", status=None)
    with open(f"{folder}/vm.json") as file:
        record = json.load(file)
    assert (record["egress"], record["lan"]) == ("none", False)


def test_a_record_that_is_made_up_belongs_to_the_checkout_that_was_trusted_for_it(program, checkout):
    program.run("trust", "--yes", cwd=checkout)
    folder = records.without_copy(program.state, "blog", owner=checkout)
    disk(folder)
    os.remove(f"{folder}/vm.json")
    program.run("doctor", "--repair", status=None)
    with open(f"{folder}/vm.json") as file:
        assert json.load(file)["owner"] == checkout


def test_a_vm_without_a_record_is_stopped_and_removed_all_the_same(program):
    for vm in ("blog", "shop"):
        disk(records.without_copy(program.state, vm))
    program.write("state/machine/vms/blog/vm.json", "{")
    program.run("down", "blog")
    program.run("down", "shop")
    program.run("destroy", "blog", "--yes", "--discard-work")
    assert names(program) == ["shop"]


def test_a_damaged_record_is_restored_from_its_copy_by_the_next_command_and_kept(program):
    folder = records.write(program.state, "blog", cpus=3, egress="none")
    with open(f"{folder}/vm.json") as file:
        whole = json.load(file)
    program.write("state/machine/vms/blog/vm.json", "{")
    result = program.run("list")
    assert "doctor --repair" in result.err and "blog" in result.out
    assert not os.path.exists(f"{folder}/vm.json.damaged")
    assert "restored from its copy" in program.run("down", "blog").err
    with open(f"{folder}/vm.json") as file:
        restored = json.load(file)
    assert {key: restored[key] for key in whole} == whole
    assert program.read("state/machine/vms/blog/vm.json.damaged") == "{"
