"""Nothing is lost: a VM with something in it that exists nowhere else can't be removed, unless that is saved."""

import glob
import json
import os
import signal
import subprocess

import pytest
from guests import SMALL, Vm, surroundings
from program import said, wait_until

REFUSED = 7
GIT = "git -c user.name=J -c user.email=j@example.org"


@pytest.fixture
def clean(blog, lab):
    """The VM, whose repo is cleaned after the test."""
    yield blog
    blog.sh("cd ~/code/blog && git stash clear && git checkout -q -f main && git reset -q --hard origin/main && git clean -qfd &&"
            " git branch | grep -v main | xargs -r git branch -q -D")


def refused(vm, *says):
    for command, *options in (("destroy", "--yes"), ("rebuild",)):
        result = vm.machine(command, *options, status=REFUSED)
        for words in (*says, f"machine {command} --save {vm.name}.tar.zst {vm.name}"):
            assert words in result.err
    assert vm.state() == "running"


def test_what_a_repo_says_is_printed_harmlessly(clean):
    clean.sh(rf"""cd ~/code/blog && git checkout -q -b "$(printf 'x\302\233y')" && {GIT} commit -q --allow-empty -m work""")
    result = clean.machine("destroy", "--yes", status=REFUSED)
    assert "\x9b" not in result.err and "\x1b" not in result.err


def test_hooks_and_settings_of_the_repo_dont_run_when_it_is_asked(clean):
    clean.sh("cd ~/code/blog && git config core.fsmonitor 'touch /tmp/asked; false' && echo more >>README")
    try:
        refused(clean, "~/code/blog", "1 uncommitted file")
        assert clean.run("test", "-e", "/tmp/asked", status=1)
    finally:
        clean.sh("cd ~/code/blog && git config --unset core.fsmonitor")


def test_a_guest_that_cant_be_asked_counts_as_having_work(blog):
    blog.sh("sudo mv /usr/bin/git /usr/bin/git.kept")
    try:
        assert "--discard-work" in blog.machine("destroy", "--yes", status=REFUSED).err
    finally:
        blog.sh("sudo mv /usr/bin/git.kept /usr/bin/git")


def test_pushed_work_is_no_work(shop, lab):
    """The VM is then removed, because its work is at the origin."""
    shop.sh(f"cd ~/code/shop && echo more >>README && {GIT} commit -q -a -m work; sudo touch /run/before")
    shop.machine("rebuild", "--yes", status=REFUSED)
    shop.sh("cd ~/code/shop && git push -q origin main")
    identity = "cat /etc/machine-id /etc/ssh/authorized_keys/*; sudo ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key"
    before = set(shop.sh(identity).splitlines())
    key = shop.program.read("state/machine/vms/shop/id_ed25519")
    shop.machine("rebuild", "--yes", timeout=600)
    assert shop.sh("cat ~/code/shop/README") == "shop\nmore\n"
    shop.run("sh", "-c", "test -e /run/before", status=1)
    assert not before & set(shop.sh(identity).splitlines())
    assert shop.program.read("state/machine/vms/shop/id_ed25519") != key
    # The alias stays and the new key is pinned, so plain ssh accepts it without a question.
    shop.program.run("/usr/bin/ssh", "-F", f"{shop.program.ssh}/config.d/machine", "-o", "BatchMode=yes", "machine-shop", "true")


# --- everything that a guest can hold, all of it in one VM. tests/unit/guest/test_find_work.c has each kind by itself.

# Two commits of one second that say the same are one commit to git, so each has words of its own.
COMMIT = f"commit() {{ {GIT} commit-tree -p HEAD -m \"$1\" 'HEAD^{{tree}}'; }}"
# What is done in ~/code/kept, where it is then reported, and what is said there
KINDS = {
    "a commit": (f"echo a >a; echo b >b; git add a b; {GIT} commit -q -m work", "~/code/kept", "branch 'main' has 1 unpushed commit"),
    "a commit on another branch": ("git branch side $(commit side)", "~/code/kept", "branch 'side' has 2 unpushed commits"),
    "a commit on a tag": ("git tag light $(commit light)", "~/code/kept", "tag 'light' has 1 unpushed commit"),
    "an annotated tag": (f"{GIT} tag -a -m work heavy", "~/code/kept", "tag 'heavy' is not pushed"),
    "a commit on a ref of one's own": ("git update-ref refs/own/r $(commit r)", "~/code/kept", "ref 'refs/own/r' has 1 unpushed commit"),
    "notes": (f"{GIT} notes add -m work", "~/code/kept", "notes 'commits' have 1 unpushed commit"),
    "a stash": (f"echo more >>README; {GIT} stash -q", "~/code/kept", "1 stash"),
    "a changed file": ("echo more >>README", "~/code/kept", "1 uncommitted file"),
    "a file that git skips": ("git update-index --skip-worktree a; echo more >>a", "~/code/kept", "2 uncommitted files that git overlooks"),
    "a file that git takes for unchanged": ("git update-index --assume-unchanged b; echo more >>b", "~/code/kept", "that git overlooks"),
    "a new file": ("touch new", "~/code/kept", "untracked file"),
    "an ignored file": ("printf '.env\\nnode_modules\\n' >.git/info/exclude; echo KEY=1 >.env", "~/code/kept", "ignored: .env"),
    "a folder that is closed": ("mkdir closed; echo x >closed/x; chmod 000 closed", "~/code/kept", "2 untracked files"),
    "an embedded repo": (f"git init -q emb; {GIT} -C emb commit -q --allow-empty -m work", "~/code/kept/emb",
                         "has 1 unpushed commit"),
    "a repo in an ignored folder": (f"git init -q node_modules/r; {GIT} -C node_modules/r commit -q --allow-empty -m work",
                                    "~/code/kept/node_modules/r", "has 1 unpushed commit"),
    "a commit on no branch": (f"git worktree add -q --detach ~/two; {GIT} -C ~/two commit -q --allow-empty -m two", "~/two",
                              "the detached HEAD has"),
    "what a rebase set aside": (
        f"cd ~/two; {GIT} commit -q --allow-empty -m onto; git branch onto; git reset -q --hard HEAD~; echo more >>README; "
        f"{GIT} -c sequence.editor='echo break >' rebase -q -i --autostash onto >/dev/null 2>&1; git branch -q -D onto", "~/two", "--autostash"),
    "commits pushed to a remote inside": (
        "git init -q --bare ~/in.git; git remote add in ~/in.git; git push -q in main", "~/in.git", "branch 'main' has 2 unpushed commits"),
    "a submodule's stash and tag": (
        f"git init -q ~/code/sub; {GIT} -C ~/code/sub commit -q --allow-empty -m work; mkdir ~/code/outer; cd ~/code/outer; git init -q; "
        f"git -c protocol.file.allow=always submodule --quiet add ~/code/sub sub; {GIT} commit -q -m work; cd sub; echo x >x; git add x; "
        f"{GIT} stash -q; {GIT} tag -a -m work t", "~/code/outer/sub", "1 stash"),
    "a folder that is no repo": ("mkdir ~/code/notes; echo x >~/code/notes/x; echo x >~/code/notes/y", "~/code/notes", "2 files"),
    "a dot folder": ("mkdir -p ~/.config/tool ~/.tool; echo x >~/.config/tool/rc; echo x >~/.tool/rc", "~/.config/tool/rc", "1 file"),
    "a file in the home": ("echo x >~/draft; chmod 600 ~/draft", "~/draft", "1 file"),
    "a file of the system": ("echo x | sudo tee /etc/mine.conf", "/etc/mine.conf", "1 file"),
    "programs of one's own": ("echo x | sudo tee /usr/local/bin/mine; sudo chmod 4755 /usr/local/bin/mine; sudo mkdir /opt/mine; "
                              "echo x | sudo tee /opt/mine/x /opt/mine/y", "/opt/mine", "2 files"),
    "a database": ("sudo install -d -m 700 /var/lib/mine/base; head -c 9999 /dev/urandom | sudo tee /var/lib/mine/base/1 >/dev/null",
                   "/var/lib/mine", "1 file"),
    "a sparse file": ("truncate -s 50M ~/sparse; echo x >>~/sparse", "~/sparse", "1 file"),
}
SAFE = "mkdir -p node_modules/big ~/.cache; head -c 3000000 /dev/urandom >node_modules/big/x; head -c 2000000 /dev/urandom >~/.cache/x"
# Every file and folder of it: kind, mode, owner, links' targets, content
SEEN = ("sudo sh -c 'cd / && find home/*/code home/*/two home/*/in.git home/*/.config/tool home/*/.tool home/*/draft home/*/sparse"
        " etc/mine.conf opt/mine usr/local/bin/mine var/lib/mine -name node_modules -prune -o -printf \"%y %M %u:%g %l %p\\n\" |"
        " sort && find home/*/code home/*/two home/*/in.git home/*/.config/tool home/*/.tool home/*/draft home/*/sparse etc/mine.conf opt/mine"
        " usr/local/bin/mine var/lib/mine -name big -prune -o -type f -exec sha256sum {} + | sort'")


@pytest.fixture(scope="module")
def kept(data, lab):
    """A VM with a clone. Each test leaves it running, with whatever it made."""
    with surroundings(data=data) as program:
        program.projects(f'[kept]\nrepos = ["{lab.repo("kept")}"]\n{SMALL}')
        vm = Vm(program, "kept")
        vm.up()
        yield vm


def work(vm, status=REFUSED):
    """What `destroy` would lose: {path: what}, and what is safe to lose."""
    result = vm.program.run("destroy", vm.name, "--yes", "--json", status=status)
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert lines[-1]["kind"] == "work" and lines[-1]["event"] == "error", said(result)
    found = next(line for line in lines if line["event"] == "work")
    return {item["path"]: item["what"] for item in found["work"]}, {item["path"]: item["bytes"] for item in found["safe"]}


def test_everything_is_found_saved_and_brought_back(kept):
    script = "\n".join(f"(cd ~/code/kept; {do}) >/dev/null" for do, _, _ in KINDS.values())
    kept.sh(f"set -e\n{COMMIT}\n{script}\ncd ~/code/kept\n{SAFE}")
    found, safe = work(kept)
    for kind, (_, path, says) in KINDS.items():
        assert says in found.get(path, ""), (kind, found)
    assert set(found) == {path for _, path, _ in KINDS.values()} | {"~/.tool/rc", "/usr/local/bin/mine", "~/code/sub", "~/code/outer"}
    assert safe["~/code/kept/node_modules"] >= 3000000 and safe["~/.cache"] >= 2000000
    before = kept.sh(SEEN)

    file = os.path.join(kept.program.home, "kept.tar.zst")
    uuid = kept.sh("cat /etc/machine-id")
    kept.machine("rebuild", "--yes", "--save", file, timeout=600)
    assert kept.sh("cat /etc/machine-id") != uuid
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert os.listdir(kept.program.home).count("kept.tar.zst") == 1 and not glob.glob(f"{kept.program.home}/.machine-save.*")
    # Sparse files are small in it, and so is what a build makes: it is left out.
    assert os.stat(file).st_size < 1 << 20
    listed = subprocess.run(["tar", "--zstd", "-tf", file], capture_output=True, text=True, check=True).stdout
    assert "/code/kept/node_modules/r/.git/HEAD" in listed and "node_modules/big" not in listed

    again = kept.program.run("up", "kept", "--from", file, timeout=600)
    assert "set-aside" not in again.err
    assert kept.sh(SEEN) == before
    assert work(kept)[0].keys() == found.keys()
    # Now it holds work of its own.
    kept.sh("echo other >~/draft")
    assert "~/draft" in kept.program.run("up", "kept", "--from", file, status=REFUSED).err
    assert kept.sh("cat ~/draft") == "other\n"


def test_a_failed_save_leaves_nothing_and_destroys_nothing(kept):
    seen = kept.sh("head -c 20000000 /dev/urandom >~/big; sha256sum <~/big")
    folder = kept.program.folder("saves")
    file = os.path.join(folder, "kept.tar.zst")
    kept.program.write("saves/there", "mine\n")
    assert "already exists" in kept.machine("destroy", "--yes", "--save", f"{folder}/there", status=1).err
    assert "there is no folder" in kept.machine("destroy", "--yes", "--save", f"{folder}/no/x", status=1).err
    for number in (signal.SIGTERM, signal.SIGKILL):
        child = kept.program.start("destroy", "kept", "--yes", "--save", file)
        wait_until(lambda: any(os.path.getsize(path) > 0 for path in glob.glob(f"{folder}/.machine-save.*/archive")), 60, "it is saving")
        child.send_signal(number)
        kept.program.finish(child)
        assert child.returncode != 0
        # What a killed one could not remove, the next one does.
        assert number == signal.SIGKILL or os.listdir(folder) == ["there"]
    full = kept.program.folder("full")
    if os.geteuid() == 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", full], check=True)
        try:
            result = kept.machine("destroy", "--yes", "--save", f"{full}/x", status=1)
            assert "No space left on device" in result.err and os.listdir(full) == []
        finally:
            subprocess.run(["umount", full], check=True)
    assert kept.state() == "running" and kept.program.read("saves/there") == "mine\n"
    assert kept.sh("sha256sum <~/big") == seen


def test_what_comes_by_itself_is_no_work(make, lab):
    """A VM that was set up, used, restarted and given a package holds nothing. What its set-up made counts once it is changed."""
    vm = make("quiet", f'repos = ["{lab.repo("quiet")}"]\nsetup = ["echo x >~/made"]\n')
    vm.up()
    vm.sh("sudo -n true; bash -lc true; git -C ~/code/quiet fetch -q; git -C ~/code/quiet log -1 >/dev/null; echo x >/tmp/x; cat ~/made")
    vm.machine("down")
    vm.up()
    # No work, so the question is asked, which needs a terminal.
    assert "machine destroy --yes quiet" in vm.machine("destroy", status=2).err
    vm.sh("echo y >>~/made")
    assert list(work(vm)[0]) == ["~/made"]
    file = os.path.join(vm.program.home, "quiet.tar.zst")
    vm.machine("destroy", "--yes", "--save", file)
    assert not os.path.exists(vm.folder())
    assert "/made\n" in subprocess.run(["tar", "--zstd", "-tf", file], capture_output=True, text=True, check=True).stdout
