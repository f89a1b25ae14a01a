"""A .machine.toml counts only after the user has trusted it in its present form, and never for a name that belongs to another."""

import os

import pexpect
import pytest
import records


def on_terminal(program, *args, cwd, answer):
    child = pexpect.spawn(program.machine, list(args), cwd=cwd, env=program.environment, timeout=30, encoding="utf-8")
    child.expect("Trust this file")
    shown = child.before
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, shown


def test_without_a_terminal_an_untrusted_checkout_is_an_error_that_says_what_to_run(program, checkout):
    result = program.run("up", "--dry-run", cwd=checkout, status=3)
    assert ".machine.toml" in result.err
    assert "machine trust" in result.err


def test_trusted_it_counts(program, checkout):
    program.run("trust", "--yes", cwd=checkout)
    steps = program.json("up", "--dry-run", cwd=checkout)
    assert steps and "blog" in steps[0]["reason"]


def test_a_change_asks_again(program, checkout):
    program.run("trust", "--yes", cwd=checkout)
    program.write("home/blog/.machine.toml", 'repos = ["."]\nlan = true\n')
    result = program.run("up", "--dry-run", cwd=checkout, status=3)
    assert "changed" in result.err


def test_what_was_trusted_before_is_trusted_again_only_as_it_was(program, checkout):
    program.run("trust", "--yes", cwd=checkout)
    program.write("home/blog/.machine.toml", 'repos = ["."]\nlan = true\n')
    program.run("up", "--dry-run", cwd=checkout, status=3)
    program.write("home/blog/.machine.toml", 'repos = ["."]\n')
    program.run("up", "--dry-run", cwd=checkout)


def test_what_is_trusted_with_it_is_named(program, checkout):
    for number in range(7):
        program.write(f"home/blog/profiles/p{number}/profile.toml", "")
    said = program.run("trust", "--yes", cwd=checkout).err
    assert " other files: profiles/p0/profile.toml, " in said and " and 2 more\n" in said


def test_trust_can_be_taken_back(program, checkout):
    program.run("trust", "--yes", cwd=checkout)
    program.run("trust", "--revoke", cwd=checkout)
    program.run("up", "--dry-run", cwd=checkout, status=3)


def test_trust_goes_by_the_real_path(program, checkout):
    os.symlink(checkout, os.path.join(program.home, "link"))
    program.run("trust", "--yes", os.path.join(program.home, "link"))
    program.run("up", "--dry-run", cwd=checkout)


def test_a_copy_elsewhere_is_not_trusted(program, checkout):
    program.run("trust", "--yes", cwd=checkout)
    program.write("home/other/.machine.toml", program.read("home/blog/.machine.toml"))
    program.run("up", "--dry-run", cwd=os.path.join(program.home, "other"), status=3)


def test_trust_below_the_checkout_finds_it(program, checkout):
    inner = program.folder("home", "blog", "src", "deep")
    program.run("trust", "--yes", cwd=inner)
    program.run("up", "--dry-run", cwd=inner)


def test_trust_without_a_file_says_so(program):
    assert ".machine.toml" in program.run("trust", status=4).err


def test_without_a_terminal_trust_needs_yes(program, checkout):
    child = program.start("trust", cwd=checkout, start_new_session=True)
    result = program.finish(child, timeout=30)
    assert result.status == 2
    assert "--yes" in result.err
    program.run("up", "--dry-run", cwd=checkout, status=3)


def test_on_a_terminal_the_file_is_shown_and_yes_is_asked_for(program, checkout):
    child = pexpect.spawn(program.machine, ["trust"], cwd=checkout, env=program.environment, timeout=30, encoding="utf-8")
    child.expect("Trust this file")
    assert 'repos = ["."]' in child.before
    child.sendline("y")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    program.run("up", "--dry-run", cwd=checkout)


def test_what_a_file_hides_from_a_terminal_is_shown(program, checkout):
    program.write("home/blog/.machine.toml", 'repos = ["."]\nlan = true # \x1b[2K\x1b[1Aharmless\r\n')
    status, shown = on_terminal(program, "trust", cwd=checkout, answer="n")
    assert status == 3
    assert "lan = true" in shown
    assert "\x1b[2K" not in shown and "\x1b[1A" not in shown


@pytest.mark.parametrize("answer", ["n", ""])
def test_on_a_terminal_anything_but_yes_is_no(program, checkout, answer):
    status, _ = on_terminal(program, "trust", cwd=checkout, answer=answer)
    assert status == 3
    program.run("up", "--dry-run", cwd=checkout, status=3)


def test_a_checkout_cant_take_a_name_of_projects_toml(program, checkout):
    program.projects("[blog]\n")
    program.run("trust", "--yes", cwd=checkout)
    result = program.run("up", "--dry-run", cwd=checkout, status=3)
    assert "'blog'" in result.err and "projects.toml" in result.err


def test_a_checkout_cant_take_the_vm_of_another(program, checkout):
    records.write(program.state, "blog", owner="/somewhere/else")
    program.run("trust", "--yes", cwd=checkout)
    for command in ("up", "down", "ssh", "destroy", "rebuild"):
        result = program.run(command, cwd=checkout, status=3)
        assert "/somewhere/else" in result.err
    assert program.json("list", cwd=checkout)[0]["name"] == "blog"


def test_a_name_in_the_file_cant_point_at_a_vm_of_projects_toml(program, checkout):
    records.write(program.state, "bank")
    program.write("home/blog/.machine.toml", 'name = "bank"\nrepos = ["."]\n')
    program.run("trust", "--yes", cwd=checkout)
    for command in ("up", "down", "ssh", "destroy"):
        program.run(command, cwd=checkout, status=3)


def test_origin_of_the_checkout_is_no_option_of_git(program, checkout):
    proof = os.path.join(program.root, "proof")
    program.write("home/blog/.machine.toml", "\n")
    program.git("config", "remote.origin.url", f"--upload-pack=touch {proof}", cwd=checkout)
    program.run("trust", "--yes", cwd=checkout)
    program.run("up", "--dry-run", cwd=checkout, status=3)
    assert not os.path.exists(proof)


def test_no_program_that_the_checkouts_git_names_runs_on_the_host(program, checkout):
    proof = os.path.join(program.root, "proof")
    script = program.write("home/evil", f"#!/bin/sh\ntouch {proof}\n")
    os.chmod(script, 0o755)
    for key in ("core.fsmonitor", "core.sshCommand", "core.hooksPath", "core.pager", "core.editor", "credential.helper"):
        program.git("config", key, script, cwd=checkout)
    program.write("home/blog/.machine.toml", "\n")
    program.git("config", "remote.origin.url", "https://example.org/jane/blog.git", cwd=checkout)
    program.run("trust", "--yes", cwd=checkout)
    program.run("up", "--dry-run", cwd=checkout)
    assert not os.path.exists(proof)
