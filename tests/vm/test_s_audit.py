"""The audit: what it says about an ordinary VM, and that it notices when a line is crossed."""

import contextlib
import json
import os
import re
import signal
import subprocess

import pytest
from conftest import SMALL, Vm, surroundings
from kernel import without_landlock
from program import free_port

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "../../docs/threat-model.md")


def audit(vm, status=0):
    """Returns {line: verdict} and {line: detail}. The output has events before the list and an error after it."""
    result = vm.machine("audit", "--json", status=status)
    findings = json.loads(next(line for line in result.out.splitlines() if line.startswith("[")))
    return {finding["id"]: finding["verdict"] for finding in findings}, {finding["id"]: finding["detail"] for finding in findings}


@pytest.fixture(scope="module")
def pair(data):
    with surroundings(data=data) as program:
        program.projects(f"[tight]\n{SMALL}egress = \"none\"\nports = [{free_port()}]\n[wide]\n{SMALL}lan = true\nforward_agent = true\n")
        vms = [Vm(program, name) for name in ("tight", "wide")]
        for vm in vms:
            vm.up()
        yield vms


@pytest.fixture
def tight(pair):
    return pair[0]


def test_a_vm_as_it_is_made_holds_what_the_threat_model_says(tight):
    with open(PAGE) as file:
        said = {row[0]: row[1] for row in re.findall(r"^\| `([a-z0-9-]+)` \|.*\| (\w+) \| \w+ \|$", file.read(), re.MULTILINE)}
    assert len(said) > 10
    assert audit(tight)[0] == said


def test_what_the_configuration_opens_is_open_and_no_failure(pair):
    verdicts, _ = audit(pair[1])
    assert verdicts["lan"] == "open"
    assert set(verdicts.values()) == {"held", "open"}


def test_the_other_vms_port_is_among_what_was_tried(pair):
    assert "1 other VMs tried in vain: 1" in audit(pair[1])[1]["other-vms"]


def test_a_kernel_without_landlock_is_seen(pair):
    """For machine-keys, which only the VM with an agent has. The other lines are measured as usual."""
    _, wide = pair
    assert "machine-keys" in audit(wide)[1]["confinement"]
    result = wide.program.finish(wide.program.start("audit", wide.name, "--json", preexec_fn=without_landlock))
    findings = json.loads(next(line for line in result.out.splitlines() if line.startswith("[")))
    (finding,) = [finding for finding in findings if finding["id"] == "confinement"]
    assert finding["verdict"] == "unavailable" and "Landlock" in finding["detail"]


def test_people_are_told_what_was_tried(tight):
    result = tight.machine("audit")
    assert re.search(r"^held +host-loopback: .*\n +listened on 127\.0\.0\.1", result.out, re.MULTILINE)
    assert tight.machine("audit", "--quiet").out == ""


# Calls mount(2) by its number: a FUSE file system with no server, which still shows its type and source.
MOUNT = """
use strict; use warnings;
my $number = `uname -m` =~ /x86_64/ ? 165 : 40;
open my $fuse, "+<", "/dev/fuse" or die "fuse: $!";
my ($source, $point, $type) = ("host", "/tmp/host", "fuse.sshfs");
my $options = "fd=" . fileno($fuse) . ",rootmode=40000,user_id=0,group_id=0";
syscall($number, $source, $point, $type, 0, $options) == 0 or die "mount: $!";
"""


def test_a_folder_from_outside_is_seen(tight):
    tight.sh("mkdir -p /tmp/host; sudo modprobe fuse")
    tight.run("sudo", "perl", "-e", MOUNT)
    verdicts, details = audit(tight, status=1)
    assert verdicts["mounts"] == "crossed"
    assert "/tmp/host" in details["mounts"]
    tight.sh("sudo umount -l /tmp/host")
    assert audit(tight)[0]["mounts"] == "held"


def test_an_agent_without_a_session_is_seen(tight):
    tight.sh("ssh-agent -a /tmp/agent >/dev/null; SSH_AUTH_SOCK=/tmp/agent setsid sleep 600 >/dev/null 2>&1 </dev/null &")
    verdicts, details = audit(tight, status=1)
    assert verdicts["agent"] == "crossed"
    assert "/tmp/agent" in details["agent"]
    tight.sh("sudo kill $(pgrep -x ssh-agent) $(pgrep -x sleep)")
    assert audit(tight)[0]["agent"] == "held"


def test_a_folder_that_others_may_look_into_is_seen(tight):
    os.chmod(tight.folder(), 0o755)
    try:
        verdicts, details = audit(tight, status=1)
    finally:
        os.chmod(tight.folder(), 0o700)
    assert verdicts["files"] == "crossed"
    assert tight.folder() in details["files"]


def test_a_secret_that_comes_to_the_disk_is_seen(tight):
    """In this guest, the place for secrets is a folder on its disk."""
    tight.sh('sudo install -d -o "$(id -u)" /var/tmp/disk /run/secrets && sudo mount --bind /var/tmp/disk /run/secrets')
    verdicts, details = audit(tight, status=1)
    assert verdicts["secrets"] == "crossed"
    assert tight.folder() in details["secrets"]
    tight.sh("sudo umount /run/secrets && [ -z \"$(ls -A /var/tmp/disk)\" ]")
    assert audit(tight)[0]["secrets"] == "held"


def test_a_guest_with_another_host_key_is_not_talked_to(tight):
    config = os.path.join(tight.folder(), "ssh_config")
    ssh = ["/usr/bin/ssh", "-F", config, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ControlPath=none"]
    key = "/etc/ssh/ssh_host_ed25519_key"
    tight.sh(f"sudo sh -c 'mv {key} {key}.kept && ssh-keygen -q -t ed25519 -N \"\" -f {key} && systemctl restart ssh'")
    # An open connection has already checked the key, so it is closed.
    subprocess.run(["/usr/bin/ssh", "-F", config, "-O", "exit", f"machine-{tight.name}"], stderr=subprocess.DEVNULL, check=False)
    try:
        result = tight.machine("audit", status=None)
    finally:
        subprocess.run([*ssh, f"machine-{tight.name}", f"sudo sh -c 'mv {key}.kept {key} && systemctl restart ssh'"],
                       env=tight.program.environment, capture_output=True, check=True)
    assert result.status != 0
    assert "Host key verification failed" in result.err
    assert "held" not in result.out
    assert tight.sh("hostname") == f"{tight.name}\n"


def test_a_network_process_that_is_gone_is_started_again_before_anything_is_measured(pair):
    _, wide = pair
    for pid in wide.program.processes("machine-net", f"/{wide.name}/"):
        with contextlib.suppress(ProcessLookupError):  # the first takes the others with it
            os.kill(pid, signal.SIGKILL)
    result = wide.machine("audit")
    assert "had lost its network" in result.err
    assert "held" in result.out and "crossed" not in result.out
