"""Errors, colours and exit statuses that other programs rely on."""

import json

import pexpect
import pytest


@pytest.mark.parametrize("command", ["up", "down", "ssh", "destroy", "rebuild"])
def test_an_unknown_project_is_exit_status_4(program, command):
    result = program.run(command, "blog", status=4)
    assert "'blog'" in result.err
    assert result.out == ""


def test_an_unknown_vm_of_run_and_proxy_too(program):
    program.run("run", "blog", "--", "true", status=4)
    program.run("proxy", "blog", status=4)


def test_a_near_name_is_suggested(program):
    program.projects("[website]\n")
    assert "'website'" in program.run("up", "webiste", status=4).err


def test_down_of_a_project_without_a_vm_is_success(program):
    program.projects("[blog]\n")
    assert program.json("down", "blog") == {"event": "result", "name": "blog", "state": "absent"}


def test_errors_are_json_objects_with_stable_fields(program):
    error = json.loads(program.run("up", "blog", "--json", status=4).out)
    assert {"event", "kind", "message", "hint"} <= set(error)
    assert (error["event"], error["kind"]) == ("error", "not-found")


def test_errors_go_to_standard_error_for_people(program):
    result = program.run("up", "blog", status=4)
    assert result.err.splitlines()[0].endswith("no project or VM 'blog'")


def test_a_plan_is_printed_and_nothing_is_changed(program):
    program.projects("[blog]\n")
    steps = [step["step"] for step in program.json("up", "--dry-run", "blog") if step["step"] not in ("recipe", "layer")]
    assert steps[0] == "create" and steps[-1] == "publish"
    assert "create" in program.run("up", "--dry-run", "blog").out
    assert program.read_state() == []


def test_the_bare_name_is_default(program):
    assert "default" in program.run("up", "--dry-run").out


def test_an_unknown_engine_is_named(program):
    program.projects("[blog]\n")
    assert "'vmware'" in program.run("up", "--engine", "vmware", "blog", status=2).err


def terminal_output(program, env):
    child = pexpect.spawn(program.machine, ["up", "blog"], cwd=program.home, env={**program.environment, **env}, timeout=30,
                          encoding="utf-8")
    child.expect(pexpect.EOF)
    child.close()
    return child.before


def test_a_terminal_gets_colour(program):
    assert "\x1b[" in terminal_output(program, {"TERM": "xterm-256color"})


@pytest.mark.parametrize("env", [{"NO_COLOR": "1", "TERM": "xterm-256color"}, {"TERM": "dumb"}])
def test_no_color_and_dumb_terminals_get_none(program, env):
    assert "\x1b[" not in terminal_output(program, env)


def test_a_pipe_gets_none(program):
    assert "\x1b" not in program.run("up", "blog", status=4, env={"TERM": "xterm-256color"}).err


def test_doctor_names_every_check(program):
    checks = {check["name"]: check for check in program.checks()}
    assert {"ssh", "git", "qemu-img", "mmdebstrap", "qemu"} <= set(checks)
    assert all(check["status"] in ("ok", "warning", "failed") for check in checks.values())
    assert all(check["hint"] for check in checks.values() if check["status"] == "failed")


def test_doctor_misses_what_is_not_there(program):
    result = program.run("doctor", status=1, env={"PATH": "/nowhere"})
    assert "sudo apt-get install openssh-client" in result.out


def test_doctor_reports_broken_configuration(program):
    program.projects("[blog]\ncpus = 0\n")
    result = program.run("doctor", status=1)
    assert "projects.toml:2:8" in result.out
