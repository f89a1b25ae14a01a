"""The shipped recipe and the profile python, as a user gets them. Layers are filled from the real Debian, Python index and npm, and
each tool is run. Only Aider is left out: it needs a Python that uv downloads from GitHub, which can't be reached here."""

import os
import re
import shutil

import pytest
from conftest import SMALL, Vm, surroundings

SHARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../share")
UP_SECONDS = 2700

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def site(own_data):
    with open(os.path.join(SHARE, "provision.toml"), encoding="utf-8") as file:
        recipe, left_out = re.subn(r'\[\[uv_tool\]\]\n[^[]*packages = \["aider-chat[^[]*', "", file.read())
    assert left_out == 1
    with surroundings(data=own_data) as program:
        program.write("config/machine/config.toml", "trust_host_ca = true\n")
        program.write("config/machine/provision.toml", recipe)
        shutil.copy(os.path.join(SHARE, "docker.sh"), os.path.join(program.config, "machine/docker.sh"))
        size = SMALL.replace("cpus = 1", "cpus = 2").replace("1GiB", "2GiB").replace('shell = "bash"\n', "")
        program.projects(f"[box]\nprofiles = ['python']\n{size}[other]\nprofiles = ['python']\n{size}"
                         f"[tight]\nprofiles = ['python']\n{size}egress = 'allow'\nallow = ['@npm', '@pip', '@cargo']\n")
        yield program


@pytest.fixture(scope="module")
def box(site):
    vm = Vm(site, "box")
    vm.first_up = vm.up(timeout=UP_SECONDS)
    return vm


def test_debians_packages_are_in_the_image_and_the_steps_find_them_there(site, box):
    layers = {layer["key"]: layer for layer in site.json("layers")}
    of_recipe = [layer for layer in layers.values() if layer["kind"] == "recipe" and layer["about"].startswith("base for")]
    below = [layers[layer["parent"]] for layer in of_recipe if layer["current"]]
    assert [layer["about"].partition(" for ")[0] for layer in below] == ["trixie with the recipe's packages"]
    assert below[0]["current"]
    assert "base image with" in box.first_up.err
    # The shell's files from the packages' documentation folders are there too.
    box.run("test", "-e", "/usr/share/doc/fzf/examples/key-bindings.zsh")


@pytest.mark.parametrize("command", [
    "rg", "fd", "fzf", "jq", "gh", "direnv", "tmux -V", "gcc", "make", "git", "zsh", "uv", "node", "npm", "pnpm", "yarn", "tsc",
    "typescript-language-server", "claude", "codex", "ruff", "pyright", "docker", "docker compose", "docker buildx"])
def test_each_tool_runs(box, command):
    if command.startswith("docker "):
        command += " version"
    elif " " not in command:
        command += " --version"
    assert any(character.isdigit() for character in box.run(*command.split(), timeout=300).out)


def test_uv_makes_an_environment_and_ruff_and_pyright_check_a_file_in_it(box):
    good, bad = "def double(n: int) -> int:\n    return n + n\n", "import os\n\nnumber: int = 'text'\n"
    box.sh(f"mkdir -p check && cd check && uv venv -q && printf %s '{good}' >good.py")
    box.run("sh", "-c", "cat >check/bad.py", input=bad)
    assert "All checks passed" in box.sh("cd check && ruff check good.py")
    assert "0 errors" in box.sh("cd check && pyright good.py", timeout=300)
    assert "F401" in box.run("sh", "-c", "cd check && ruff check bad.py", status=1).out
    assert "reportAssignmentType" in box.run("sh", "-c", "cd check && pyright bad.py", status=1, timeout=300).out
    assert box.sh("cd check && .venv/bin/python -c 'import good; print(good.double(21))'") == "42\n"


def test_docker_runs_a_container_from_a_local_root_file_system(box):
    """No image registry can be reached, so an image is packed in the guest from klibc's programs."""
    box.sh("mkdir -p root/bin && cp /usr/lib/klibc/bin/* root/bin/ && cp -L --parents /usr/lib/klibc-*.so root/ && "
           "mkdir -p root/lib && cp /usr/lib/klibc-*.so root/lib/ && tar -C root -c . | docker import - local", timeout=300)
    assert box.run("docker", "run", "--rm", "local", "/bin/uname", "-s", timeout=300).out == "Linux\n"


def test_typescript_is_compiled_and_runs_on_node(box):
    box.run("sh", "-c", "mkdir -p ts && cat >ts/a.ts", input="const n: number = 6 * 7;\nconsole.log(n);\n")
    assert box.sh("cd ts && tsc a.ts && node a.js", timeout=300) == "42\n"


def test_the_usual_shell_starts_without_a_complaint(box):
    """On a terminal, because fzf's key bindings need one."""
    assert box.run("script", "-qec", "zsh -lic 'echo $0'", "/dev/null").out.split() == ["zsh"]


def test_a_second_project_with_the_same_stack_fills_nothing(site, box):
    before = site.json("layers")
    other = Vm(site, "other")
    said = other.up()
    assert "filling" not in said.err and "base image" not in said.err
    # Only a template may be new, if there was none of this size.
    assert [layer["key"] for layer in site.json("layers") if layer["kind"] != "template"] == [
        layer["key"] for layer in before if layer["kind"] != "template"]
    assert other.run("ruff", "--version").out.startswith("ruff ")
    # The next VM would be made from this.
    assert any(layer["current"] for layer in site.json("layers") if layer["kind"] == "template")


def test_its_package_clients_reach_what_they_use_and_nothing_else(site, box):
    """The real clients are asked for their real indexes. No host is written down anywhere."""
    tight = Vm(site, "tight")
    said = tight.up()
    assert "filling" not in said.err
    assert 'no client for "@cargo"' in said.err
    used = {line.split()[0] for line in tight.clients()}
    assert {"@npm", "@pip"} <= used and "@cargo" not in used
    tight.sh("mkdir -p one && cd one && npm install --no-audit --no-fund left-pad && node -e 'require(\"left-pad\")'", timeout=600)
    tight.sh("uv venv -q two && VIRTUAL_ENV=two uv pip install -q six && two/bin/python -c 'import six'", timeout=600)
    assert tight.run("curl", "-sS", "-m", "20", "https://www.debian.org/", status=None).status != 0
    # The clients are asked only once.
    assert "package clients" not in tight.up().err
