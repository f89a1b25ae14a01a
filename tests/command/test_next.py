"""`machine` alone says where one is, and what to do next."""

import os
import subprocess

import pytest
import records


def commands(program, cwd=None):
    said = program.json(cwd=cwd)
    return said["where"], [step["command"] for step in said["next"]]


def test_with_nothing_yet_it_is_the_configuration_and_the_doctor(program):
    where, steps = commands(program)
    assert where == "There are no projects and no VMs yet."
    assert steps == ["machine init --projects", "machine doctor"]


def test_people_read_the_same(program):
    text = program.run().out
    assert text.startswith("There are no projects and no VMs yet.\n\nnext:\n  machine init ")
    assert text.endswith("\nAll commands: machine help\n")


def test_in_a_checkout_without_configuration_the_advice_makes_one(program):
    folder = program.folder("home", "blog")
    program.git("init", "--quiet", cwd=folder)
    deep = program.folder("home", "blog", "deep")
    where, steps = commands(program, deep)
    assert where.startswith("This checkout has no .machine.toml.")
    assert steps == ["machine init", "machine init --projects", "machine doctor"]
    program.run(*steps[0].split()[1:], cwd=deep)
    assert commands(program, deep)[1] == ["machine up", "machine plan"]
    program.run("validate", cwd=folder)


def test_a_checkout_of_the_home_folder_is_no_project_for_init_nor_here(program):
    program.git("init", "--quiet", cwd=program.home)
    assert commands(program, program.home)[1] == ["machine init --projects", "machine doctor"]
    assert program.run("init", cwd=program.home).out.endswith("/projects.toml\n")


def test_a_folder_with_a_package_file_is_one_for_both(program):
    program.write("home/loose/package.json", "{}")
    where, steps = commands(program, f"{program.home}/loose")
    assert where.startswith("This folder has no .machine.toml.") and steps[0] == "machine init"
    assert program.run("init", cwd=f"{program.home}/loose").out.endswith("/loose/.machine.toml\n")


def test_in_a_checkout_it_is_trust_then_up_and_no_name_is_needed(program, checkout):
    where, steps = commands(program, checkout)
    assert where == f"'{checkout}/.machine.toml' is not trusted yet."
    program.run("trust", "--yes", cwd=checkout)
    where, steps = commands(program, checkout)
    assert where == "This checkout is project 'blog', which has no VM yet."
    assert steps == ["machine up", "machine plan"]
    program.write("home/blog/.machine.toml", "lan = true\n")
    assert "has changed since you trusted it" in commands(program, checkout)[0]


@pytest.mark.parametrize("intent, said, step", [
    ("none", "VM 'blog' is stopped.", "machine up"),
    ("setup", "VM 'blog' is stopped, and only half set up.", "machine up"),
    ("destroy", "VM 'blog' is stopped, and only half set up.", "machine destroy"),
])
def test_in_a_checkout_with_a_vm_it_is_what_the_vm_needs(program, checkout, intent, said, step):
    program.run("trust", "--yes", cwd=checkout)
    folder = records.write(program.state, "blog", owner=checkout, repos=["."], intent=intent)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", f"{folder}/disk.qcow2", "3G"], check=True)
    where, steps = commands(program, checkout)
    assert where == said.replace("set up", "removed" if intent == "destroy" else "set up")
    assert steps == [step, "machine status"]


def test_elsewhere_the_projects_are_counted_and_the_first_one_is_named(program):
    program.projects("[shop]\n[blog]\n")
    where, steps = commands(program)
    assert where == "No VM is running; there are 2 projects."
    assert steps == ["machine up blog", "machine list"]


def test_a_mistake_in_the_configuration_leads_to_the_doctor(program, checkout):
    program.write("home/blog/.machine.toml", "lan =\n")
    program.run("trust", "--yes", cwd=checkout, status=None)
    where, steps = commands(program, checkout)
    assert ".machine.toml" in where and steps
    assert os.listdir(program.state) in ([], ["machine"])
