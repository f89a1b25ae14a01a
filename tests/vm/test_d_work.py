"""Nothing is lost: a VM with work that exists nowhere else can't be removed."""

import pytest

REFUSED = 7


@pytest.fixture(autouse=True)
def repos(blog, lab):
    """Cleans the repo after each test."""
    yield
    blog.sh("cd ~/code/blog && git stash clear && git checkout -q -f main && git reset -q --hard origin/main && git clean -qfd &&"
            " git branch | grep -v main | xargs -r git branch -q -D; rm -rf ~/code/fresh ~/code/notes")


def refused(vm, *says):
    for command in ("destroy", "rebuild"):
        for options in (["--yes"], []):
            result = vm.machine(command, *options, status=REFUSED)
            for words in says:
                assert words in result.err
    assert vm.state() == "running"


def test_an_uncommitted_change(blog):
    blog.sh("echo more >>~/code/blog/README")
    refused(blog, "blog", "uncommitted")


def test_a_new_file(blog):
    blog.sh("touch ~/code/blog/new")
    refused(blog, "blog")


def test_a_commit_that_is_not_pushed(blog):
    blog.sh("cd ~/code/blog && git -c user.name=J -c user.email=j@example.org commit -q --allow-empty -m work")
    refused(blog, "blog", "unpushed")


def test_a_commit_on_another_branch(blog):
    blog.sh("cd ~/code/blog && git checkout -q -b feature && git -c user.name=J -c user.email=j@example.org commit -q --allow-empty -m work"
            " && git checkout -q main")
    refused(blog, "blog", "feature")


def test_a_stash(blog):
    blog.sh("cd ~/code/blog && echo more >>README && git -c user.name=J -c user.email=j@example.org stash -q")
    refused(blog, "blog", "stash")


def test_a_repo_of_the_guests_own(blog):
    blog.sh("git init -q ~/code/fresh && cd ~/code/fresh && git -c user.name=J -c user.email=j@example.org commit -q --allow-empty -m work")
    refused(blog, "fresh")


def test_what_a_repo_says_is_printed_harmlessly(blog):
    blog.sh(r"""cd ~/code/blog && git checkout -q -b "$(printf 'x\302\233y')" && git -c user.name=J -c user.email=j@example.org commit -q --allow-empty -m work""")
    result = blog.machine("destroy", "--yes", status=REFUSED)
    assert "\x9b" not in result.err and "\x1b" not in result.err


def test_hooks_and_settings_of_the_repo_dont_run_when_it_is_asked(blog):
    blog.sh("cd ~/code/blog && git config core.fsmonitor 'touch /tmp/asked; false' && echo more >>README")
    try:
        refused(blog, "blog")
        assert blog.run("test", "-e", "/tmp/asked", status=1)
    finally:
        blog.sh("cd ~/code/blog && git config --unset core.fsmonitor")


def test_json_names_the_kind(blog):
    blog.sh("touch ~/code/blog/new")
    assert blog.program.json("destroy", "blog", "--yes", status=REFUSED)["kind"] == "work"


def test_a_guest_that_cant_be_asked_counts_as_having_work(blog):
    blog.sh("sudo mv /usr/bin/git /usr/bin/git.kept")
    try:
        assert "--discard-work" in blog.machine("destroy", "--yes", status=REFUSED).err
    finally:
        blog.sh("sudo mv /usr/bin/git.kept /usr/bin/git")


def test_pushed_work_is_no_work(shop, lab):
    """The VM is then removed, because its work is at the origin."""
    shop.sh("cd ~/code/shop && echo more >>README && git -c user.name=J -c user.email=j@example.org commit -q -a -m work && touch ~/before")
    shop.machine("rebuild", "--yes", status=REFUSED)
    shop.sh("cd ~/code/shop && git push -q origin main")
    identity = "cat /etc/machine-id /etc/ssh/authorized_keys/*; sudo ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key"
    before = set(shop.sh(identity).splitlines())
    key = shop.program.read("state/machine/vms/shop/id_ed25519")
    shop.machine("rebuild", "--yes", timeout=600)
    assert shop.sh("cat ~/code/shop/README") == "shop\nmore\n"
    shop.run("sh", "-c", "test -e ~/before", status=1)
    assert not before & set(shop.sh(identity).splitlines())
    assert shop.program.read("state/machine/vms/shop/id_ed25519") != key
    # The alias stays and the new key is pinned, so plain ssh accepts it without a question.
    shop.program.run("/usr/bin/ssh", "-F", f"{shop.program.ssh}/config.d/machine", "-o", "BatchMode=yes", "machine-shop", "true")
