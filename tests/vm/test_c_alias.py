"""What a user's own ssh, scp, sftp, rsync and git do with the name machine-NAME."""

import os
import stat

import pytest


def config(vm):
    """A user's ssh reads this file by an Include in ~/.ssh/config. ssh takes ~ from passwd, so the tests name the file."""
    return os.path.join(vm.program.ssh, "config.d/machine")


def ssh(vm, *args, **how):
    return vm.program.run("/usr/bin/ssh", "-F", config(vm), *args, **{"cwd": "/", **how})


def test_the_include_stands_at_the_top_and_once(blog, shop):
    lines = [line for line in blog.program.read("ssh/config").splitlines() if line.lower().startswith("include")]
    assert len(lines) == 1 and lines[0].endswith("config.d/machine")
    assert blog.program.read("ssh/config").splitlines()[0] == lines[0]


def test_the_block_file_is_its_owners_alone(blog):
    assert stat.S_IMODE(os.stat(config(blog)).st_mode) == 0o600


def test_ssh_from_any_folder(blog):
    assert ssh(blog, "machine-blog", "hostname").out == "blog\n"
    assert ssh(blog, "machine-blog", "hostname", cwd="/usr").out == "blog\n"


def test_the_host_key_is_pinned(blog):
    result = ssh(blog, "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "machine-blog", "true", status=255)
    assert "verification failed" in result.err
    settings = ssh(blog, "-G", "machine-blog").out
    assert "\nstricthostkeychecking true\n" in settings
    assert "\nidentitiesonly yes\n" in settings
    assert "\nforwardagent no\n" in settings


def test_scp_there_and_back(blog, tmp_path):
    (tmp_path / "there").write_bytes(b"some bytes\0" * 1000)
    blog.program.run("/usr/bin/scp", "-q", "-F", config(blog), str(tmp_path / "there"), "machine-blog:copied")
    blog.program.run("/usr/bin/scp", "-q", "-F", config(blog), "machine-blog:copied", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "there").read_bytes()


def test_sftp(blog, tmp_path):
    (tmp_path / "there").write_text("by sftp\n")
    blog.program.run("/usr/bin/sftp", "-q", "-F", config(blog), "-b", "-", "machine-blog", input=f"put {tmp_path}/there put\nls -l put\n")
    assert blog.sh("cat ~/put") == "by sftp\n"


def test_rsync(blog, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    blog.program.run("/usr/bin/rsync", "-a", "-e", f"/usr/bin/ssh -F {config(blog)}", f"{tmp_path}/", "machine-blog:synced/")
    assert blog.sh("cat ~/synced/a ~/synced/b") == "ab"


def test_git(blog, lab, tmp_path):
    env = {"GIT_SSH_COMMAND": f"/usr/bin/ssh -F {config(blog)}"}
    blog.program.git("clone", "--quiet", "machine-blog:code/blog", str(tmp_path / "clone"), cwd="/", env=env)
    assert (tmp_path / "clone/README").read_text() == "blog\n"


def test_many_connections_at_once(blog):
    children = [blog.program.start("/usr/bin/ssh", "-F", config(blog), "machine-blog", "echo", str(number)) for number in range(8)]
    results = [blog.program.finish(child, timeout=120) for child in children]
    assert [result.out for result in results] == [f"{number}\n" for number in range(8)], results


@pytest.mark.long
def test_a_stopped_vm_is_started_by_ssh(blog):
    blog.machine("down")
    assert blog.state() == "stopped"
    assert ssh(blog, "machine-blog", "hostname", timeout=300).out == "blog\n"
    assert blog.state() == "running"


def test_a_client_that_cant_take_a_descriptor_is_served(blog):
    """ProxyCommand without ProxyUseFdpass: `machine proxy` relays the bytes through its stdin and stdout."""
    assert ssh(blog, "-o", "ProxyUseFdpass=no", "machine-blog", "echo", "relayed").out == "relayed\n"


def test_another_users_settings_stay(own, data):
    own.write("ssh/config", "# mine\nHost example\n        User jane\n")
    from conftest import SMALL, Vm  # the smallest VM there is, made for this test alone
    own.projects(f"[plain]\n{SMALL}")
    vm = Vm(own, "plain")
    vm.up()
    text = own.read("ssh/config")
    assert text.endswith("# mine\nHost example\n        User jane\n")
    assert text.lower().startswith("include ")
    vm.machine("destroy", "--yes")
    assert "machine-plain" not in own.read("ssh/config.d/machine")
    own.assert_no_processes()
    assert not os.path.exists(vm.folder())


@pytest.mark.parametrize("name", ["machine-nothing", "machine-blog2"])
def test_a_name_that_is_none_is_not_ours(blog, name):
    assert ssh(blog, "-o", "ConnectTimeout=1", "-o", "BatchMode=yes", name, "true", status=255)
