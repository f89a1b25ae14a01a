"""What `machine proxy`, behind ssh, has to say reaches the person."""

import pytest

PERSISTENT = ["-o", "ControlMaster=auto", "-o", "ControlPersist=1m", "-o", "ControlPath={home}/master"]


def ssh(program, *options):
    """ssh with a command for the proxy as we write it, and no other configuration."""
    options = [option.format(home=program.home) for option in options]
    return program.run("/usr/bin/ssh", "-F", "none", "-o", f"ProxyCommand='{program.machine}' proxy nobody", *options, "-o", "BatchMode=yes",
                       "-o", "LogLevel=ERROR", "machine-nobody", "true", status=255)


@pytest.mark.parametrize("options", [PERSISTENT + ["-o", "ProxyUseFdpass=yes"], ["-o", "ProxyUseFdpass=yes"], PERSISTENT, []],
                         ids=["persistent", "plain", "persistent relay", "relay"])
def test_an_error_behind_ssh_is_shown_whatever_ssh_does_with_standard_error(program, options):
    said = ssh(program, *options).err
    assert "no VM 'nobody'" in said
    assert "machine up nobody" in said


def test_by_hand_it_is_an_error_like_any_other(program):
    result = program.run("proxy", "nobody", status=4)
    assert "no VM 'nobody'" in result.err
    assert "needs a VM's name" in program.run("proxy", status=2).err
