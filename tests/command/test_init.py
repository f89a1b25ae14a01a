"""`machine init`."""

import os
import re
import stat
import tomllib

import pytest
import records


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


def test_init_force_replaces_and_keeps_what_was_there(program):
    path = program.projects("# mine\n")
    result = program.run("init", "--force")
    assert result.out == f"{path}\n" and f"is kept as '{path}.old'" in result.err
    assert "# mine" not in program.read("config/machine/projects.toml")
    program.projects("# mine, too\n")
    assert program.json("init", "--force")["kept"] == f"{path}.old-2"
    assert [program.read(f"config/machine/projects.toml.{name}") for name in ("old", "old-2")] == ["# mine\n", "# mine, too\n"]
    assert program.json("init", "--force")["kept"] is None


def test_init_goes_where_the_configuration_is(program):
    folder = program.folder("elsewhere")
    assert program.json("init", env={"MACHINE_CONFIG_DIR": folder}) == {
        "event": "result", "file": os.path.join(folder, "projects.toml"), "kept": None}


# --- in a checkout

@pytest.fixture
def code(program):
    """A git checkout that is no project yet."""
    folder = program.folder("home", "My Code")
    program.git("init", "--quiet", cwd=folder)
    return folder


def written(folder):
    with open(f"{folder}/.machine.toml", "rb") as file:
        return tomllib.load(file)


def test_in_a_checkout_it_writes_a_project_that_can_be_used_at_once(program, code):
    result = program.run("init", cwd=code)
    assert result.out == f"{code}/.machine.toml\n"
    assert written(code) == {"name": "my-code", "repos": ["."]}
    assert "valid" in program.run("validate", cwd=code).out
    assert program.json("up", "--dry-run", cwd=code)[0]["reason"] == "there is no VM 'my-code' yet"
    assert not os.path.exists(f"{program.config}/machine/projects.toml")


def test_its_comments_work_when_they_are_taken_away(program, code):
    program.run("init", cwd=code)
    with open(f"{code}/.machine.toml") as file:
        lines = file.read().splitlines()
    program.write("home/My Code/.machine.toml", "\n".join(line[1:] if re.match("#[a-z]", line) else line for line in lines) + "\n")
    assert "valid" in program.run("validate", cwd=code).out
    assert set(written(code)) == {"name", "repos", "ports", "cpus", "memory"}


@pytest.mark.parametrize("files, profiles", [
    (["pyproject.toml", "requirements.txt"], ["python"]),
    (["go.mod"], ["go"]),
    (["Cargo.toml", "package.json", "playwright.config.ts"], ["rust", "playwright"]),
    (["package.json"], None),
    (["README.md"], None),
])
def test_its_profiles_come_from_the_files_and_are_there(program, code, files, profiles):
    for name in files:
        program.write(f"home/My Code/{name}", "")
    program.run("init", cwd=code)
    assert written(code).get("profiles") == profiles
    assert "valid" in program.run("validate", cwd=code).out


def test_a_profile_of_the_users_own_counts_and_the_default_one_stays(program, code):
    program.write("home/My Code/package.json", "")
    program.run("profile", "new", "node")
    program.projects('default_profile = "modern"\n')
    program.run("init", cwd=code)
    assert written(code)["profiles"] == ["modern", "node"]


def test_below_the_top_it_writes_to_the_top(program, code):
    program.write("home/My Code/sub/text", "")
    assert program.run("init", cwd=f"{code}/sub").out == f"{code}/.machine.toml\n"


def test_a_folder_with_code_but_without_git_gets_a_project_without_it(program):
    folder = program.folder("home", "code")
    program.write("home/code/go.mod", "")
    program.run("init", cwd=folder)
    assert written(folder) == {"name": "code", "repos": [], "profiles": ["go"]}


def test_a_checkout_of_the_home_folder_is_no_project(program):
    program.git("init", "--quiet", cwd=program.home)
    assert program.run("init").out.endswith("/projects.toml\n")
    folder = program.folder("home", "text")
    assert "exists" in program.run("init", cwd=folder, status=1).err
    assert not os.path.exists(f"{folder}/.machine.toml")


def test_a_name_that_is_taken_gets_a_number(program, code):
    program.projects("[my-code]\n[my-code-2]\n")
    records.write(program.state, "my-code-3")
    program.run("init", cwd=code)
    assert written(code)["name"] == "my-code-4"


def test_an_existing_one_is_only_replaced_by_force_and_kept(program, checkout):
    path = f"{checkout}/.machine.toml"
    result = program.run("init", cwd=checkout, status=1)
    assert f"'{path}' exists" in result.err and "--force" in result.err and "--projects" in result.err
    assert program.run("init", "--projects", cwd=checkout).out.endswith("/projects.toml\n")
    assert f"'{path}.old'" in program.run("init", "--force", cwd=checkout).err
    assert program.read("home/blog/.machine.toml.old") == 'repos = ["."]\n'
    assert written(checkout)["name"] == "blog"


def test_a_recipe_beside_it_is_not_trusted_unseen(program, code):
    program.write("home/My Code/provision.toml", "")
    assert "machine trust" in program.run("init", cwd=code).err
    assert "not trusted" in program.run("up", "--dry-run", cwd=code, status=3).err
