"""`machine init`."""

import os
import stat


def test_init_writes_an_example_that_is_valid(program):
    path = program.run("init").out.strip()
    assert path == os.path.join(program.config, "machine/projects.toml")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    program.run("validate")


def test_the_example_has_comments_that_work_when_they_are_taken_away(program):
    path = program.run("init").out.strip()
    with open(path) as file:
        lines = file.read().splitlines()
    # "#key = value" is a setting, "# Words" are words.
    with open(path, "w") as file:
        file.write("\n".join(line[1:] if line.startswith("#") and not line.startswith(("# ", "##")) else line for line in lines) + "\n")
    result = program.run("validate")
    assert "valid" in result.out


def test_init_refuses_to_overwrite(program):
    path = program.projects("# mine\n")
    result = program.run("init", status=1)
    assert "exists" in result.err and "--force" in result.err
    assert program.read("config/machine/projects.toml") == "# mine\n"
    assert os.listdir(os.path.dirname(path)) == ["projects.toml"]


def test_init_force_replaces(program):
    program.projects("# mine\n")
    program.run("init", "--force")
    assert "# mine" not in program.read("config/machine/projects.toml")


def test_init_goes_where_the_configuration_is(program):
    folder = program.folder("elsewhere")
    assert program.json("init", env={"MACHINE_CONFIG_DIR": folder}) == {
        "event": "result", "file": os.path.join(folder, "projects.toml")}
