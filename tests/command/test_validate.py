"""`machine validate`: every mistake is reported with its place, in the words of the file."""

import json

import pytest


def places(result):
    """The file:line:column of every mistake, without the folder."""
    return [line for line in result.err.splitlines() if "projects.toml:" in line]


def test_a_valid_file_is_said_to_be(program):
    path = program.projects('[blog]\nrepos = ["https://example.org/jane/blog.git"]\nports = [3000, "8080:80"]\n')
    assert program.run("validate").out == f"{path}: valid\n"


def test_no_file_is_valid(program):
    program.run("validate")


def test_a_missing_file_that_was_named_is_not(program):
    assert "nowhere.toml" in program.run("validate", "nowhere.toml", status=1).err


@pytest.mark.parametrize("text, place, said", [
    ("[blog\n", "1:", ""),
    ("[blog]\nrepo = []\n", "2:1", "repos"),
    ("[blog]\ncpus = 0\n", "2:8", "cpus"),
    ("[blog]\ncpus = 257\n", "2:8", "cpus"),
    ("[blog]\ncpus = \"two\"\n", "2:8", "cpus"),
    ("[blog]\nmemory = \"1MiB\"\n", "2:10", "memory"),
    ("[blog]\nmemory = \"lots\"\n", "2:10", "memory"),
    ("[blog]\ndisk = \"1GiB\"\n", "2:8", "disk"),
    ("[blog]\nshell = \"fish\"\n", "2:9", "shell"),
    ("[blog]\nengine = \"vmware\"\n", "2:10", "engine"),
    ("[blog]\nlan = 1\n", "2:7", "lan"),
    ("[blog]\nports = [0]\n", "2:10", "port"),
    ("[blog]\nports = [\"80:http\"]\n", "2:10", "port"),
    ("[blog]\nports = [3000, 3000]\n", "2:16", "3000"),
    ("[blog]\nrepos = [\"--upload-pack=touch /tmp/x\"]\n", "2:10", "dash"),
    ("[blog]\nrepos = [\"ext::sh -c id\"]\n", "2:10", ""),
    ("[blog]\nrepos = [\"ssh://-oProxyCommand=id/x\"]\n", "2:10", ""),
    ("[blog]\nrepos = [\"git@-oProxyCommand=id:x\"]\n", "2:10", ""),
    ("[blog]\nrepos = [\"file:///etc\"]\n", "2:10", ""),
    ("[blog]\nrepos = [\"https://example.org/a\\u001b[31m\"]\n", "2:10", ""),
    ("[blog]\nrepos = [\"https://a.org/x.git\", \"https://b.org/x\"]\n", "2:33", "x"),
    ("[Blog]\n", "1:", "Blog"),
    ("default_shel = \"zsh\"\n", "1:1", "default_shell"),
])
def test_a_mistake_is_named_with_its_place(program, text, place, said):
    path = program.projects(text)
    result = program.run("validate", status=3)
    assert f"{path}:{place}" in result.err, result.err
    assert said in result.err
    assert "\x1b" not in result.err


@pytest.mark.parametrize("size", ["6 GB", "6GB", "6 gib", "6GiB", "6g", "6144M"])
def test_sizes_are_read_as_people_write_them(program, size):
    program.projects(f'[blog]\nmemory = "{size}"\n')
    entry, = program.json("list")
    assert entry["memory_bytes"] == 6 << 30


def test_profiles_that_arent_there_are_mistakes_with_their_places(program):
    path = program.projects('default_profile = "pyton"\n[blog]\nprofiles = ["rust", "gol"]\n[shop]\n')
    result = program.run("validate", status=3)
    assert f"{path}:1:19: no profile 'pyton'" in result.err and "did you mean 'python'?" in result.err
    assert f"{path}:3:21: no profile 'gol'" in result.err and "did you mean 'go'?" in result.err
    assert result.err.count("no profile") == 2 and "valid" not in result.out
    assert "pyton" in program.run("validate", path, status=3).err
    program.run("profile", "new", "pyton")
    program.run("profile", "new", "gol")
    assert program.run("validate", path).out == f"{path}: valid\n"


def test_a_checkout_may_name_its_own_profiles(program, checkout):
    path = program.write("home/blog/.machine.toml", 'repos = ["."]\nprofiles = ["own"]\n')
    result = program.run("validate", cwd=checkout, status=3)
    assert f"{path}:2:13: no profile 'own'" in result.err and "machine profile new own" in result.err
    program.run("profile", "new", "own", "--repo", cwd=checkout)
    assert f"{path}: valid" in program.run("validate", cwd=checkout).out
    assert program.run("validate", ".machine.toml", cwd=checkout).status == 0


def test_all_mistakes_are_listed_at_once(program):
    program.projects('[blog]\ncpus = 0\nrepo = []\nshell = "fish"\n\n[shop]\nlan = "yes"\n')
    result = program.run("validate", status=3)
    found = places(result)
    assert [number in "\n".join(found) for number in (":2:8", ":3:1", ":4:9", ":7:7")] == [True] * 4


def test_mistakes_as_json_have_file_line_and_column(program):
    path = program.projects("[blog]\ncpus = 0\nshell = \"fish\"\n")
    errors = [json.loads(line) for line in program.run("validate", "--json", status=3).out.splitlines()]
    found = {(error["file"], error["line"], error["column"], error["kind"]) for error in errors}
    assert found == {(path, 2, 8, "config"), (path, 3, 9, "config")}


def test_both_files_are_looked_at(program, checkout):
    program.projects("[blog]\ncpus = 0\n")
    program.write("home/blog/.machine.toml", "memry = \"1GiB\"\n")
    result = program.run("validate", status=3, cwd=checkout)
    assert "projects.toml:2:8" in result.err
    assert ".machine.toml:1:1" in result.err


def test_a_file_that_is_no_text_is_refused(program):
    path = program.projects("")
    with open(path, "wb") as file:
        file.write(b"[blog]\nshell = \"\xff\xfe\"\n\0\0")
    assert "projects.toml" in program.run("validate", status=3).err


def test_a_huge_file_is_refused(program):
    program.projects("# " + "x" * (2 << 20) + "\n")
    assert "projects.toml" in program.run("validate", status=None).err


def test_config_toml_is_checked_with_the_others(program):
    program.projects("[blog]\ncpus = 0\n")
    path = program.write("config/machine/config.toml", "template_buget = 3\n")
    result = program.run("validate", status=3)
    assert f"{path}:1:1: unknown key 'template_buget'" in result.err
    assert "did you mean 'template_budget'?" in result.err
    assert "projects.toml:2:8" in result.err
    program.write("config/machine/config.toml", 'template_budget = "2GiB"\n')
    assert program.run("validate", path).out == f"{path}: valid\n"
