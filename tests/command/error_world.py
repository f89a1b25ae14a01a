"""What has to be there for an error, beside files with a text: VMs, git repositories, links, damage. Each function takes the program and
the folder in which the command runs."""

import hashlib
import json
import os
import platform
import shutil
import subprocess

import damage
import records

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def git(program, *args, cwd):
    program.git(*args, cwd=cwd)


# --- VMs

def vm(program, cwd, name="blog", **changes):
    return records.write(program.state, name, **{"repos": [], **changes})


def vm_with_a_log(program, cwd):
    vm(program, cwd)
    program.write("state/machine/vms/blog/logs/console.log", "hello\n")


def vm_shop(program, cwd):
    vm(program, cwd, "shop")


def fork_of_a_race(program, cwd):
    vm(program, cwd, "blog-race-1", fork_of="blog", race=True)


def disk(program, cwd):
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", f"{vm(program, cwd)}/disk.qcow2", "3G"], check=True)


def half_made(program, cwd):
    vm(program, cwd, intent="create")


def half_removed(program, cwd):
    vm(program, cwd, intent="destroy")


def vm_of_lima(program, cwd):
    vm(program, cwd, engine="lima")


def vm_of_nope(program, cwd):
    vm(program, cwd, engine="nope")


def vm_of_later(program, cwd):
    vm(program, cwd, version=99)


def vm_of_blog(program, cwd):
    """A VM that was made from the checkout in home/blog."""
    vm(program, cwd, owner=f"{program.home}/blog")


def vm_weblog_of_blog(program, cwd):
    vm(program, cwd, "weblog", owner=f"{program.home}/blog")


def vm_of_odd(program, cwd):
    vm(program, cwd, owner=f"{program.home}/it's $HOME")


def vm_of_unnamed(program, cwd):
    """A checkout whose own name can't be that of a folder in the guest."""
    vm(program, cwd, owner=f"{program.home}/-")


def vm_elsewhere(program, cwd):
    """The folder of VM blog, under the name of another."""
    os.rename(vm(program, cwd), os.path.join(program.state, "machine/vms/weblog"))


def damaged(**changes):
    """A record in which that is wrong, and its copy, too."""
    def make(program, cwd):
        vm(program, cwd, **changes)
    return make


record_with_an_empty_member = damaged(user="")
record_with_a_number_as_profile = damaged(profiles=[1])
record_without_processors = damaged(cpus=0)
record_with_a_large_port = damaged(ports=[{"host": 99999, "guest": 80}])
record_with_another_intent = damaged(intent="sleep")
record_with_a_bad_name = damaged(former="A b")
record_with_a_member_of_another_type = damaged(cpus="two")


def record_of_another_kind(program, cwd):
    vm(program, cwd)
    for name in ("vm.json", "vm.json.copy"):
        program.write(f"state/machine/vms/blog/{name}", "{}")


def without_record(program, cwd):
    disk(program, cwd)
    for name in ("vm.json", "vm.json.copy"):
        os.remove(os.path.join(program.state, "machine/vms/blog", name))


def damaged_record(program, cwd):
    disk(program, cwd)
    for name in ("vm.json", "vm.json.copy"):
        program.write(f"state/machine/vms/blog/{name}", "{")


def on_a_layer_that_is_gone(program, cwd):
    folder = vm(program, cwd, base="b" * 64)
    below = os.path.join(program.environment["XDG_DATA_HOME"], f"machine/layers/{'b' * 64}/disk.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", below, "-F", "qcow2", f"{folder}/disk.qcow2", "3G"], check=True)


def on_a_damaged_layer(program, cwd):
    on_a_layer_that_is_gone(program, cwd)
    os.makedirs(os.path.join(program.environment["XDG_DATA_HOME"], f"machine/layers/{'b' * 64}"), mode=0o700)


def world(program, cwd):
    """Two VMs with disks on layers, never booted."""
    damage.World(program)


def vm_that_needs_much_memory(program, cwd):
    world(program, cwd)
    for name in ("vm.json", "vm.json.copy"):
        path = f"state/machine/vms/blog/{name}"
        record = json.loads(program.read(path))
        program.write(path, json.dumps({**record, "memory_bytes": 1 << 50}))


# --- checkouts

def odd(program, cwd):
    """A folder whose name a shell would take apart."""
    program.folder("home", "it's $HOME")


def trusted(program, cwd):
    program.run("trust", "--yes", cwd=cwd)


def changed(program, cwd):
    """Trusted, and changed after that."""
    program.write("home/blog/.machine.toml", "repos = []\n")
    trusted(program, cwd)
    program.write("home/blog/.machine.toml", "repos = []\nlan = true\n")


def git_here(program, cwd):
    git(program, "init", "-q", cwd=cwd)


def git_blog(program, cwd):
    """A repository in home/blog with a commit of nothing."""
    folder = program.folder("home", "blog")
    git(program, "init", "-q", cwd=folder)
    git(program, "commit", "-q", "--allow-empty", "-m", "first", cwd=folder)


def with_origin(url):
    def make(program, cwd):
        git_blog(program, cwd)
        git(program, "remote", "add", "origin", url, cwd=f"{program.home}/blog")
        program.write("home/blog/.machine.toml", "")
    return make


origin_with_a_password = with_origin("https://jane:pw@example.org/blog")
origin_without_a_name = with_origin("https://example.org/~")


def foreign_remote(program, cwd):
    git(program, "remote", "add", "machine", "https://example.org/other", cwd=f"{program.home}/blog")


def remote_with_more(program, cwd):
    git(program, "remote", "add", "machine", "machine-blog:code/blog", cwd=f"{program.home}/blog")
    git(program, "config", "remote.machine.uploadpack", "/tmp/x", cwd=f"{program.home}/blog")


def alternates(program, cwd):
    program.write("home/blog/.git/objects/info/alternates", f"{program.home}/other/.git/objects\n")


def no_alternates(program, cwd):
    """A clone that has all of its objects has no such file."""
    os.remove(f"{program.home}/blog/.git/objects/info/alternates")


def moved_worktree(program, cwd):
    """A work tree of home/blog that was moved to home/moved without telling git."""
    git_blog(program, cwd)
    git(program, "worktree", "add", "-q", "-b", "two", f"{program.home}/two", cwd=f"{program.home}/blog")
    os.rename(f"{program.home}/two", f"{program.home}/moved")
    program.write("home/moved/.machine.toml", "repos = ['.']\n")


def moved_worktree_without_repos(program, cwd):
    moved_worktree(program, cwd)
    program.write("home/moved/.machine.toml", "")


def link_in_profiles(program, cwd):
    os.makedirs(f"{cwd}/profiles")
    program.write("home/real", "")
    os.symlink(f"{program.home}/real", f"{cwd}/profiles/x")


def copy_in_profiles(program, cwd):
    os.remove(f"{cwd}/profiles/x")
    shutil.copy(f"{program.home}/real", f"{cwd}/profiles/x")


def deep_profiles(program, cwd):
    os.makedirs(f"{cwd}/profiles/{'/'.join('x' * 30)}")


def many_profiles(program, cwd):
    os.makedirs(f"{cwd}/profiles")
    for number in range(1100):
        with open(f"{cwd}/profiles/{number}", "w"):
            pass


def folder_as_source(program, cwd):
    program.folder("config", "machine", "a")


# --- lock files and archives

def lock_without_a_version(program, cwd):
    program.write("config/machine/machine.lock", f"[{ARCHITECTURE}.versions.'base/apt']\njq = '-x y'\n")


def lock_with_another_hash(program, cwd):
    program.write("config/machine/machine.lock", f"[{ARCHITECTURE}.downloads]\n'https://example.org/a' = '{'1' * 64}'\n")


def archive(program, content, id, cut=0):
    """An archive of `destroy --save` that has nothing in it but the marks around it."""
    frame = b"\x50\x2a\x4d\x18" + bytes([len(b"machine work 1 ") + 64, 0, 0, 0]) + b"machine work 1 " + id.encode()
    with open(f"{program.home}/x", "wb") as file:
        file.write(content + frame[:len(frame) - cut] + b"\0" * cut)


def cut_archive(program, cwd):
    content = b"\x28\xb5\x2f\xfd" + b"x" * 100
    archive(program, content, hashlib.sha256(content).hexdigest(), cut=3)


def damaged_archive(program, cwd):
    archive(program, b"\x28\xb5\x2f\xfd" + b"x" * 100, "0" * 64)


# --- folders

def open_state(program, cwd):
    os.makedirs(f"{program.state}/machine/vms", mode=0o700, exist_ok=True)
    os.chmod(f"{program.state}/machine/vms/blog", 0o755)


def long_runtime(program, cwd):
    os.makedirs(f"{program.root}/{'x' * 90}", mode=0o700)


def only_git(program, cwd):
    """A folder for PATH in which no engine is found."""
    os.symlink("/usr/bin/git", os.path.join(program.folder("bin"), "git"))
