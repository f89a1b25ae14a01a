"""A project's rules around a real guest with real programs: Debian's package manager and its servers, by the names in the guest's own
configuration, and git from the lab's server. What a hostile guest tries is in tests/net."""

import re
import signal

import lab as lab_module
import pytest
from conftest import SMALL, Vm
from program import said, wait_until


def configure(program, rules, repos=()):
    program.projects(f"[box]\n{SMALL}{rules}\nrepos = {list(repos)}\n")


@pytest.fixture(scope="module")
def box(program):
    configure(program, 'egress = "none"')
    vm = Vm(program, "box")
    vm.up()
    return vm


def counted(program, **wanted):
    return [line for line in program.json("egress", "box") if all(line[key] == value for key, value in wanted.items())]


def update(box, **how):
    return box.run("sudo", "timeout", "300", "apt-get", "-q", "-o", "Acquire::Retries=0", "-o", "APT::Update::Error-Mode=any", "update", timeout=320, **how)


def hosts(box):
    """The hosts that this guest's packages come from."""
    found = re.findall(r"(?m)^(?:deb|URIs:)[^#\n]*?https?://([^/\s]+)", box.sh("cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true"))
    assert found
    return sorted(set(found))


def test_without_a_rule_packages_fail_by_name(program, box):
    result = update(box, status=100)
    for host in hosts(box):
        assert host in result.out + result.err
        wait_until(lambda host=host: counted(program, verdict="refused", protocol="dns", name=host, reason="name"), 10, "the refusal is counted")


def test_what_was_refused_is_learned_and_works_without_a_restart(program, box):
    before = box.qemu()
    learned = program.run("egress", "box", "--learn").out
    assert program.json("egress", "box", "--learn")["egress"] == "allow"
    assert not any(line.strip().startswith('"_') for line in learned.splitlines())
    configure(program, learned)
    assert "egress" in box.machine("up", "--dry-run").out
    box.up()
    update(box)
    assert box.qemu() == before
    for host in hosts(box):
        wait_until(lambda host=host: sum(line["received"] for line in counted(program, verdict="reached", name=host)) > 0, 10, "it is counted")
    assert program.json("status", "box")["drift"] == []


def test_what_they_do_not_name_stays_closed(program, box):
    """The addresses are the same, but only the names in the rules count."""
    host = hosts(box)[0]
    address = box.sh(f"getent ahostsv4 {host} | head -n 1").split()[0]
    assert box.run("curl", "-sS", "-m", "20", "-o", "/dev/null", f"http://{host}/", status=None).status == 0
    assert box.run("curl", "-sS", "-m", "20", "-H", "Host: www.example.org", f"http://{host}/", status=None).status != 0
    assert box.run("curl", "-sSk", "-m", "20", "--connect-to", f"www.example.org:443:{address}:443", "https://www.example.org/", status=None).status != 0
    assert box.run("curl", "-sS", "-m", "20", f"http://{address}/", status=None).status != 0
    wait_until(lambda: {"host-header", "sni"} <= {line["reason"] for line in program.json("egress", "box")}, 10, "both are counted")
    assert "host-header" in program.run("egress", "box").out


def test_the_audit_sees_the_rules_held(box):
    findings = {finding["id"]: finding["verdict"] for finding in box.program.json("audit", "box")}
    assert findings["egress"] == "held"
    # What the audit itself tried is not proposed as a rule.
    assert counted(box.program, verdict="refused", address="198.51.100.7")
    assert not [rule for rule in box.program.json("egress", "box", "--learn")["allow"] if rule.startswith("198.51.100.7")]


@pytest.mark.long
def test_what_comes_is_followed_until_the_vm_stops(program, box):
    child = program.start("egress", "box", "--follow", "--json")
    box.run("getent", "ahostsv4", "followed.example.org", status=None)
    assert any(b"followed.example.org" in line for line in child.stdout)
    box.machine("down")
    assert program.finish(child, timeout=60).status == 0
    box.up()


def traced(box):
    """What is set up for our tracing in the guest's kernel."""
    return box.sh("sudo sh -c 'ls /sys/kernel/tracing/instances; cat /sys/kernel/tracing/uprobe_events'")


def watching(program):
    """Starts `egress --learn --follow`, and returns when the guest watches."""
    child = program.start("egress", "box", "--learn", "--follow")
    while b"until Ctrl-C" not in (line := child.stderr.readline()):
        assert line, program.finish(child)
    return child


def test_what_is_learned_while_somebody_watches_has_the_guests_programs(program, box):
    configure(program, 'egress = "allow"\nallow = ["*.example.net"]')
    box.up()
    child = watching(program)
    assert traced(box)
    box.run("getent", "ahostsv4", "by-getent.example.org", status=None)
    box.run("curl", "-sS", "-m", "20", "http://198.51.100.9:81/", status=None)
    box.run("curl", "-sS", "-m", "20", "http://below.example.net/", status=None)
    box.run("sudo", "apt-get", "-o", "Acquire::Retries=0", "update", status=None)
    wait_until(lambda: counted(program, verdict="refused", address="198.51.100.9"), 10, "the refusal is counted")
    child.send_signal(signal.SIGINT)
    result = program.finish(child, timeout=60)
    assert result.status == 0, said(result)
    rules = {line.strip() for line in result.out.splitlines()}
    assert '"by-getent.example.org", # getent, says the guest' in rules
    assert '"198.51.100.9/32:81", # curl, says the guest' in rules
    for host in hosts(box):
        # If a program has ended at once, its parent is no longer known.
        assert re.search(rf'"{re.escape(host)}", # .*\bhttp( of apt-get)?, says the guest', result.out)
    # For what a rule allows, that rule is proposed.
    assert '"*.example.net",' in rules
    assert not any("below.example.net" in rule for rule in rules)
    assert "by-getent.example.org" in result.err
    assert traced(box) == ""
    # The output can be pasted into the configuration.
    configure(program, result.out)
    box.up()


def test_who_watched_and_was_killed_leaves_nothing_in_the_guest(program, box):
    child = watching(program)
    child.send_signal(signal.SIGKILL)
    program.finish(child)
    wait_until(lambda: traced(box) == "", 20, "the guest has stopped watching")


def test_git_reaches_the_repos_hosts_by_one_word_and_else_says_what_to_do(program, box, lab):
    lab.repo("blog")
    url = f"git://{lab_module.PUBLIC}/blog.git"
    configure(program, 'egress = "none"', [url])
    refused = program.run("up", "box", status=6)
    assert "machine egress box shows what was refused" in refused.err
    configure(program, 'egress = "allow"\nallow = ["@git"]', [url])
    assert "blog" in box.up().err
    assert box.sh("git -C ~/code/blog log --format=%s | head -n 1")
    assert counted(program, verdict="reached", address=lab_module.PUBLIC, port=9418)


def test_open_again_is_open(program, box):
    configure(program, "")
    box.up()
    assert box.run("getent", "ahostsv4", hosts(box)[0]).out



def test_a_client_is_asked_before_there_is_code_or_not_at_all(program, box):
    configure(program, 'egress = "allow"\nallow = ["@apt"]')
    assert "allow: VM 'box' has not asked its package clients before there was code" in box.up().err
    assert not box.clients()
    configure(program, "")
    box.up()


@pytest.mark.long
def test_apt_reaches_what_it_is_configured_to_use(program):
    """With the base image's own configuration and Debian's real servers."""
    program.projects(f'[apt]\n{SMALL}egress = "allow"\nallow = ["@apt", "@npm"]\n')
    vm = Vm(program, "apt")
    dry = program.run("up", "apt", "--dry-run")
    assert re.search(r"^clients .*@apt, @npm", dry.out, re.MULTILINE)
    said = vm.up()
    assert 'no client for "@npm"' in said.err
    assert vm.clients() and all(line.startswith("@apt ") for line in vm.clients())
    update(vm)
    assert vm.run("getent", "ahostsv4", "www.example.org", status=None).status != 0
    wait_until(lambda: {line["verdict"] for line in program.json("egress", "apt")} == {"reached", "refused"}, 10, "both are counted")
    vm.machine("destroy", "--yes")
