"""`machine open`: a port of the guest on 127.0.0.1, until the command is ended."""

import json
import signal
import socket
import urllib.request

import pytest
from conftest import Vm
from program import free_port, wait_until


@pytest.fixture(scope="module")
def box(program):
    vm = Vm(program, "box")
    vm.up()
    # The base image has perl. It serves one page to every client, after all of the request: what is closed with something left to
    # read is reset.
    vm.sh("""cat >serve <<'END'
use strict; use warnings; use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 8123, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
        while (my $line = <$client>) { last if $line =~ /^\\r?\\n$/ }
        print $client "HTTP/1.0 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n";
        close $client;
}
END
setsid perl serve >/dev/null 2>&1 </dev/null &
until perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new("127.0.0.1:8123")'; do sleep 0.2; done""")
    return vm


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_is_there_until_it_is_ended(program, box):
    port = free_port()
    child = program.start("open", "box", "8123", "--local", str(port), "--print", "--json")
    said = json.loads(child.stdout.readline())
    assert said["url"] == f"http://box.localhost:{port}/" and said["port"] == port
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60).read() == b"hello\n"
    assert program.run("/usr/bin/curl", "--silent", "--noproxy", "*", said["url"]).out == "hello\n"
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)
    wait_until(lambda: not is_open(port), 30, "nothing listens any more")


def test_a_browser_is_shown_the_address(program, box):
    """`xdg-open` is a stand-in that records its arguments."""
    path = program.write("bin/xdg-open", f"#!/bin/sh\necho \"$*\" >{program.root}/shown.new; mv {program.root}/shown.new {program.root}/shown\n")
    program.run("/bin/chmod", "755", path)
    port = free_port()
    child = program.start("open", "box", "8123", "--local", str(port), env={"PATH": f"{program.root}/bin:{program.environment['PATH']}"})
    assert child.stdout.readline().decode() == f"http://box.localhost:{port}/\n"
    wait_until(lambda: program.run("/bin/cat", f"{program.root}/shown", status=None).out == f"http://box.localhost:{port}/\n", 30, "the browser")
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(program, box):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        result = program.run("open", "box", "8123", "--local", str(port), status=1)
        assert f"port {port} on 127.0.0.1 is in use by" in result.err
        assert "machine open box 8123 --local" in result.err


def test_what_is_no_port_is_a_usage_error(program, box):
    for operands in ([], ["box"], ["box", "0"], ["box", "65536"], ["box", "x"]):
        assert "needs a port" in program.run("open", *operands, status=2).err
