"""`machine rename`: a VM gets another name, or a sentence says why not."""

import json
import os
import subprocess

import pytest
import records


@pytest.fixture
def blog(program):
    """A stopped VM of projects.toml."""
    program.projects("[blog]\ncpus = 1\n")
    folder = records.write(program.state, "blog")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", os.path.join(folder, "disk.qcow2"), "64M"], check=True)
    return program


def test_the_vm_is_there_under_its_new_name_and_the_configuration_is_left_alone(blog):
    before = blog.read("config/machine/projects.toml")
    result = blog.run("rename", "blog", "weblog")
    assert "VM 'blog' is now called 'weblog': machine up weblog" in result.err
    assert "projects.toml:1: still calls the project 'blog': write [weblog]" in result.err
    assert blog.read("config/machine/projects.toml") == before
    states = {entry["name"]: entry["state"] for entry in blog.json("list")}
    assert states == {"blog": "absent", "weblog": "stopped"}
    assert json.loads(blog.read("state/machine/vms/weblog/vm.json"))["name"] == "weblog"
    assert "Host machine-weblog\n" in blog.read("ssh/config.d/machine")
    blog.projects("[weblog]\ncpus = 1\n")
    assert blog.json("status", "weblog")["state"] == "stopped"


def test_json_says_how_it_is_called_now(blog):
    assert blog.json("rename", "blog", "weblog") == {"event": "result", "name": "weblog", "state": "stopped", "how": "renamed"}


def test_an_engine_that_cant_says_so_with_the_way_out(program):
    records.write(program.state, "blog", engine="lima")
    result = program.run("rename", "blog", "weblog", status=5)
    assert "engine 'lima' can't give VM 'blog' another name" in result.err
    assert "machine destroy blog --save FILE; machine up weblog --from FILE" in result.err
    assert program.read_state() == ["blog", "blog.lock", "weblog.lock"]


@pytest.mark.parametrize("operands", [(), ("blog",), ("blog", "a", "b")])
def test_it_takes_two_names(blog, operands):
    blog.run("rename", *operands, status=2)


@pytest.mark.parametrize("name", ["", "Web", "../x", "-x", "x" * 41])
def test_a_name_that_is_none_is_refused(blog, name):
    blog.run("rename", "--", "blog", name, status=2)
    assert blog.json("list")[0]["state"] == "stopped"


def test_killed_at_any_moment_it_leaves_one_vm_with_one_of_the_names(blog):
    """Between the steps that are seen from outside: the record that names both, the folder, the record anew."""
    path = f"{blog.state}/machine/vms"
    record = json.loads(blog.read("state/machine/vms/blog/vm.json"))
    for name in ("vm.json", "vm.json.copy"):
        blog.write(f"state/machine/vms/blog/{name}", json.dumps({**record, "becomes": "weblog"}))
    assert [entry["name"] for entry in blog.json("list")] == ["blog"]
    os.rename(f"{path}/blog", f"{path}/weblog")
    blog.projects("[weblog]\n")
    assert [(entry["name"], entry["state"]) for entry in blog.json("list")] == [("weblog", "stopped")]
    blog.run("rename", "blog", "weblog")
    record = json.loads(blog.read("state/machine/vms/weblog/vm.json"))
    assert (record["name"], record["becomes"], record["former"]) == ("weblog", None, None)
