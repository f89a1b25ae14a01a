"""Recipes without any VM: what `plan` shows, what trust covers, profiles and the lock file."""

import os

SHA = "0123456789abcdef" * 4
BASE = f"""[apt]
packages = ["jq"]

[[release]]
name = "fzf"
url = "https://example.org/fzf-{{arch}}.tar.gz"
bin = ["fzf"]

[[installer]]
name = "pinned"
url = "https://example.org/pinned.sh"
sha256 = "{SHA}"

[[shell]]
when = {{ suite = "forky" }}
cmd = "true"
"""


def own_profiles(program, **how):
    """The profiles that aren't shipped."""
    return [profile for profile in program.json("profile", "list", **how) if profile["from"] != "shipped"]


def recipe_steps(program, *args, **how):
    return {f"{step['part']}/{step['id']}": step for step in program.json(*args, **how) if step["step"] == "recipe"}


def test_plan_names_every_step_with_its_place_and_changes_nothing(program):
    path = program.write("config/machine/provision.toml", BASE)
    before = sorted(os.listdir(program.config + "/machine"))
    steps = recipe_steps(program, "plan")
    assert list(steps) == ["base/apt", "base/release-fzf", "base/installer-pinned", "base/shell"]
    assert (steps["base/apt"]["file"], steps["base/apt"]["line"], steps["base/apt"]["origin"]) == (path, 1, "user")
    assert steps["base/release-fzf"]["downloads"][0]["state"] == "will be recorded"
    assert steps["base/installer-pinned"]["downloads"][0] == {
        "url": "https://example.org/pinned.sh", "sha256": SHA, "state": "pinned"}
    assert steps["base/shell"]["skipped"] == "only in forky" and not steps["base/shell"].get("hash")
    assert sorted(os.listdir(program.config + "/machine")) == before and program.read_state() == []
    assert recipe_steps(program, "up", "--dry-run") == steps


def test_plan_for_people_says_the_same(program):
    path = program.write("config/machine/provision.toml", BASE)
    out = program.run("plan").out
    assert f"recipe base: {path} (user)" in out
    assert "only in forky" in out and "will be recorded" in out and "pinned" in out


def test_plan_says_which_steps_are_optional(program):
    program.write("config/machine/provision.toml", "[[shell]]\nname = 'agent'\ncmd = 'true'\noptional = true\n[[shell]]\ncmd = 'true'\n")
    steps = recipe_steps(program, "plan")
    assert steps["base/shell-agent"]["optional"] is True and steps["base/shell"]["optional"] is False
    assert "shell agent (line 1), optional\n" in program.run("plan").out


def test_whether_a_step_is_optional_is_true_or_false(program):
    path = program.write("config/machine/provision.toml", "[[shell]]\ncmd = 'true'\noptional = 'yes'\n")
    assert f"{path}:3:12: 'optional' must be" in program.run("validate", status=3).err


def test_what_the_lock_has_is_in_the_plan_until_it_is_dropped(program):
    program.write("config/machine/provision.toml", BASE)
    arch = "arm64" if os.uname().machine == "aarch64" else "amd64"
    path = program.write("config/machine/machine.lock",
                         f'[{arch}.downloads]\n"https://example.org/fzf-{arch}.tar.gz" = "{SHA}"\n'
                         f'[{arch}.versions."base/apt"]\njq = "1.7"\n')
    steps = recipe_steps(program, "plan")
    assert steps["base/apt"]["packages"] == ["jq=1.7"]
    assert steps["base/release-fzf"]["downloads"][0]["state"] == "locked"
    assert [entry["name"] for entry in program.json("lock")] == [f"https://example.org/fzf-{arch}.tar.gz", "jq"]
    program.run("lock", "--update", "apt")
    assert [entry["what"] for entry in program.json("lock")] == ["download"]
    program.run("lock", "--update")
    assert program.json("lock") == []
    assert "[" not in program.read("config/machine/machine.lock").replace(path, "")
    assert "machine plan" in program.run("lock", "--update", "nothing", status=4).err


def test_an_unknown_profile_is_named_at_its_place(program):
    program.write("config/machine/profiles/python/profile.toml", '[profile]\nsummary = "Python"\n')
    path = program.projects('[blog]\nprofiles = [\n  "pyton",\n]\n')
    result = program.run("plan", "blog", status=3)
    assert f"{path}:3:3: no profile 'pyton'" in result.err and "python" in result.err


def test_trust_covers_the_recipe_beside_the_checkouts_file(program, checkout):
    program.write("home/blog/provision.toml", '[apt]\npackages = ["jq"]\n')
    program.write("home/blog/profiles/own/profile.toml", '[profile]\nsummary = "own"\n[[shell]]\nscript = "setup.sh"\n')
    program.write("home/blog/profiles/own/setup.sh", "true\n")
    program.write("home/blog/.machine.toml", 'repos = ["."]\nprofiles = ["own"]\n')
    assert "machine trust" in program.run("plan", cwd=checkout, status=3).err
    program.run("trust", "--yes", cwd=checkout)
    assert list(recipe_steps(program, "plan", cwd=checkout)) == ["base/apt", "own/shell"]
    program.write("home/blog/profiles/own/setup.sh", "curl https://example.org | sh\n")
    assert "changed" in program.run("plan", cwd=checkout, status=3).err
    assert own_profiles(program, cwd=checkout) == []


def test_a_profile_that_was_begun_is_valid_and_listed(program):
    path = program.run("profile", "new", "mine").out.strip()
    assert path.endswith("/profiles/mine/profile.toml") and os.access(os.path.dirname(path) + "/setup.sh", os.X_OK)
    assert own_profiles(program) == [
        {"name": "mine", "from": "user", "file": path, "summary": "what this profile is for, in one line"}]
    assert f"{path}: valid" in program.run("validate").out
    program.projects('[blog]\nprofiles = ["mine"]\n')
    assert "mine/verify" in recipe_steps(program, "plan", "blog")
    assert "[profile]" in program.run("profile", "show", "mine").out


def test_a_profile_is_not_replaced_unless_told_so(program):
    path = program.run("profile", "new", "mine").out.strip()
    with open(path, "a") as file:
        file.write("# mine\n")
    assert "--force" in program.run("profile", "new", "mine", status=1).err
    assert "# mine" in program.read("config/machine/profiles/mine/profile.toml")
    program.run("profile", "new", "mine", "--force")
    assert "# mine" not in program.read("config/machine/profiles/mine/profile.toml")


def test_a_profile_can_be_begun_in_the_checkout(program, checkout):
    path = program.run("profile", "new", "ours", "--repo", cwd=checkout).out.strip()
    assert path == os.path.join(checkout, "profiles/ours/profile.toml")
    assert "machine trust" in program.run("plan", cwd=checkout, status=3).err


def test_validate_lists_the_mistakes_of_recipes_and_profiles(program):
    program.write("config/machine/profiles/bad/profile.toml", '[profile]\nsumary = "x"\n[apt]\npackages = "jq"\n')
    result = program.run("validate", status=3)
    assert "profile.toml:2:1: unknown key 'sumary'" in result.err and "profile.toml:4:12" in result.err


def test_validate_goes_on_behind_a_profile_with_mistakes(program):
    program.write("config/machine/profiles/bad/profile.toml", '[profile]\nsumary = "x"\n')
    program.write("config/machine/profiles/needs-bad/profile.toml", '[profile]\nsummary = "x"\nrequires = ["bad"]\n')
    program.write("config/machine/profiles/worse/profile.toml", '[profile]\nsummary = 1\n')
    good = program.write("config/machine/profiles/zero/profile.toml", '[profile]\nsummary = "zero"\n')
    result = program.run("validate", status=3)
    assert result.err.count("bad/profile.toml:2:1: unknown key") == 1
    assert "worse/profile.toml:2:11" in result.err
    assert f"{good}: valid" in result.out


def test_a_lock_file_that_is_broken_can_be_forgotten(program):
    program.write("config/machine/provision.toml", BASE)
    path = program.write("config/machine/machine.lock", "[amd64\n")
    result = program.run("plan", status=3)
    assert f"{path}:1:" in result.err and "machine lock --update" in result.err
    program.run("lock", "--update")
    assert program.json("lock") == []
