"""`machine code`, `cursor` and `zed`: what the editor on this computer is started with. The editors are stand-ins that note it."""

import json
import os

import pytest
import records
from alive import running

REPOS = ["https://example.org/shop.git", "https://example.org/theme.git"]
REMOTE = "--folder-uri=vscode-remote://ssh-remote+machine-"
ADDRESSES = {"code": REMOTE, "cursor": REMOTE, "zed": "ssh://machine-"}


def install(program, *names, folder="bin", status=0):
    """Puts a stand-in for each of these programs into a folder, and the folder into PATH."""
    for name in names:
        path = program.write(f"{folder}/{name}", f'#!/bin/sh\necho "{name} $*" >>"$HOME/started"\necho said\nexit {status}\n')
        os.chmod(path, 0o700)
    program.environment["PATH"] = f"{program.root}/{folder}:{program.environment['PATH']}"


def started(program):
    return program.read("home/started").splitlines() if os.path.exists(f"{program.home}/started") else []


@pytest.fixture
def editors(program):
    install(program, *ADDRESSES)
    return program


@pytest.mark.parametrize("editor", ADDRESSES)
def test_it_opens_the_folder_of_the_first_repo(editors, editor):
    with running(editors, "shop", repos=REPOS):
        result = editors.run(editor, "shop")
    assert started(editors) == [f"{editor} {ADDRESSES[editor]}shop/home/dev/code/shop"]
    assert "opening /home/dev/code/shop in " in result.err and "trusts the VM" in result.err


@pytest.mark.parametrize("editor", ADDRESSES)
def test_repo_chooses_another(editors, editor):
    with running(editors, "shop", repos=REPOS):
        editors.run(editor, "shop", "--repo", "theme")
    assert started(editors) == [f"{editor} {ADDRESSES[editor]}shop/home/dev/code/theme"]


def test_a_repo_that_the_project_does_not_have_is_an_error_that_names_those_it_has(editors):
    with running(editors, "shop", repos=REPOS), running(editors, "bare", repos=[]):
        said = editors.run("code", "shop", "--repo", "thema", status=4).err
        assert "VM 'shop' has no repo 'thema'" in said and "its repos: shop and theme" in said
        said = editors.run("code", "bare", "--repo", "thema", status=4).err
        assert "VM 'bare' has no repo 'thema'" in said and "it has no repos" in said
    assert started(editors) == []


def test_a_name_with_hyphens_and_no_repos(editors):
    with running(editors, "my-shop-2", repos=[], user="jane"):
        editors.run("code", "my-shop-2")
    assert started(editors) == [f"code {REMOTE}my-shop-2/home/jane/code"]


@pytest.mark.parametrize("url, encoded", [
    ("https://example.org/example.com.git", "example.com"),
    ("https://example.org/c++.git", "c%2B%2B"),
    ("https://example.org/50%off.git", "50%25off"),
    ("https://example.org/zoë.git", "zo%C3%AB"),
])
def test_a_repos_name_is_encoded_as_addresses_are(editors, url, encoded):
    with running(editors, "shop", repos=[url]):
        editors.run("code", "shop")
    assert started(editors) == [f"code {REMOTE}shop/home/dev/code/{encoded}"]


def test_in_a_checkout_no_name_is_needed(editors, checkout):
    with running(editors, "blog", repos=["."], owner=checkout):
        editors.run("code", cwd=checkout)
    assert started(editors) == [f"code {REMOTE}blog/home/dev/code/blog"]


@pytest.mark.parametrize("editor, title, site", [("code", "VS Code", "code.visualstudio.com"), ("cursor", "Cursor", "cursor.com"), ("zed", "Zed", "zed.dev")])
def test_an_editor_that_is_not_there_is_said_before_a_vm_is_started(program, editor, title, site):
    records.write(program.state, "shop")
    program.environment["PATH"] = "/usr/bin:/bin"
    said = program.run(editor, "shop", status=1).err
    assert f"'{editor}', the command that starts {title}, is not in PATH" in said
    assert f"install {title}" in said and site in said
    assert "start" not in said.replace("starts", "")


def test_zed_is_found_by_the_name_that_distributions_give_it(program):
    install(program, "zed", "zeditor")
    with running(program, "shop", repos=REPOS):
        program.run("zed", "shop")
    assert started(program) == ["zeditor ssh://machine-shop/home/dev/code/shop"]


def test_zfs_has_a_daemon_called_zed_that_is_not_the_editor(program):
    install(program, "zed", folder="sbin")
    with running(program, "shop", repos=REPOS):
        assert "is not in PATH" in program.run("zed", "shop", status=1).err
    assert started(program) == []


def test_json_is_all_that_is_printed_and_the_editors_status_is_ours(program):
    install(program, "code", status=3)
    with running(program, "shop", repos=REPOS):
        result = program.run("code", "shop", "--json", status=3)
        assert program.run("code", "shop", status=3).out == "said\n"
    events = [json.loads(line) for line in result.out.splitlines()]
    assert events[-1] == {"event": "result", "name": "shop", "folder": "/home/dev/code/shop", "editor": "VS Code"}
    assert any("opening /home/dev/code/shop" in event.get("text", "") for event in events[:-1])


def test_the_alias(editors):
    with running(editors, "shop", repos=REPOS):
        editors.run("vscode", "shop")
    assert started(editors) == [f"code {REMOTE}shop/home/dev/code/shop"]
