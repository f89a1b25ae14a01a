"""machine-net without any VM: the tests play the guest, and a network namespace is the computer."""

import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import network  # noqa: E402
import waker  # noqa: E402


def reason_to_skip():
    if os.getuid() != 0:
        return "network namespaces are made by root"
    if not shutil.which("ip"):
        return "'ip' of iproute2 isn't there"
    return None


def pytest_collection_modifyitems(items):
    reason = reason_to_skip()
    for item in items:
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def namespaces():
    made = network.Namespaces()
    try:
        yield made.set_up()
    finally:
        made.tear_down()


@pytest.fixture(scope="session")
def servers(namespaces):
    """Servers of each kind, at addresses that a guest may reach and at others that it may not."""
    namespaces.serve(namespaces.host, "tcp", "0.0.0.0", 8080)
    namespaces.serve(namespaces.host, "udp", "0.0.0.0", 8081)
    namespaces.serve(namespaces.lan, "tcp", network.NEIGHBOUR, 8080)
    namespaces.serve(namespaces.lan, "udp", network.NEIGHBOUR, 8081)
    for port in (22, 80, 443, 8443):
        namespaces.serve(namespaces.far, "tcp", ",".join((network.FAR, network.NAMED, network.METADATA)), port)
    for port in (80, 443):
        namespaces.serve(namespaces.far, "keep", network.KEPT, port)
        namespaces.serve(namespaces.far, "digest", network.TAKER, port)
    namespaces.serve(namespaces.far, "bulk", network.FAR, 81)
    namespaces.serve(namespaces.far, "digest", network.FAR, 82)
    namespaces.serve(namespaces.far, "drip", network.FAR, 83)
    namespaces.serve(namespaces.far, "leave", network.FAR, 84)
    namespaces.serve(namespaces.far, "udp", network.FAR, 8081)
    namespaces.serve(namespaces.far, "dns", network.FAR, 53)
    return namespaces


@pytest.fixture
def start(namespaces):
    """Starts machine-net with options, and ends it with the test."""
    started = []

    def start(*options, **more):
        net = network.MachineNet(namespaces, *options, **more)
        started.append(net)
        return net

    yield start
    for net in started:
        net.close()


@pytest.fixture
def net(request, start, servers):
    """With the RULES of the test's file, if it has any."""
    net = start(rules=getattr(request.module, "RULES", None))
    assert net.said == "ok\n"
    return net


@pytest.fixture
def program(tmp_path):
    """Stands in for `machine`."""
    return waker.Program(tmp_path)


@pytest.fixture
def woken(start, servers, program):
    """Starts machine-net with a waker."""
    def begin(*options):
        net = start(f"--waker={program.path}", "--vm=blog", *options, control=True, environment={"MARK": "user's"})
        assert net.said == "ok\n"
        return net

    return begin


@pytest.fixture
def guest(net):
    return net.guest


@pytest.fixture
def lan_guest(start, servers):
    """A guest that may reach the LAN."""
    net = start("--lan")
    assert net.said == "ok\n"
    return net.guest
