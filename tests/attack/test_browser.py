"""A page that a guest serves, and what a browser on this computer sends to it."""

import http.server
import signal
import threading

import pytest

# Serves each request back to its sender, so that the test sees what a browser sends.
PAGE = r"""
use strict; use warnings; use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 8123, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
        my $request = "";
        while (my $line = <$client>) { $request .= $line; last if $line =~ /^\r?$/ }
        print $client "HTTP/1.0 200 OK\r\nSet-Cookie: planted=here; Domain=localhost\r\nContent-Length: ", length $request, "\r\n\r\n$request";
        close $client;
}
"""


class Login(http.server.BaseHTTPRequestHandler):
    """A server on this computer that a person is logged in to."""

    def do_GET(self):
        self.server.brought.append(self.headers.get("Cookie", ""))
        self.send_response(200)
        self.send_header("Set-Cookie", "session=secret; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def login():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Login)
    server.brought = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def page(program, box):
    """The address for the browser, as `machine open` prints it."""
    box.run("sh", "-c", "cat >page; setsid perl page >/dev/null 2>&1 </dev/null &", input=PAGE)
    child = program.start("open", "box", "8123", "--print")
    yield child.stdout.readline().decode().strip()
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)


def test_a_page_of_the_guest_gets_no_cookie_of_this_computers_servers(program, page, login):
    """curl has a browser's rules for cookies: they belong to a host name, whatever the port."""
    curl = ["/usr/bin/curl", "--silent", "--show-error", "--noproxy", "*", "--cookie", "jar", "--cookie-jar", "jar"]
    here = f"http://localhost:{login.server_address[1]}/"
    program.run(*curl, here)
    program.run(*curl, here)
    assert login.brought == ["", "session=secret"], "a login is brought back to its own server, or this would show nothing"
    request = program.run(*curl, "--retry", "20", "--retry-delay", "1", "--retry-all-errors", page).out  # until it listens
    assert request.startswith("GET / ") and "session=secret" not in request
    # The guest's page can't plant a cookie for this computer's server either.
    program.run(*curl, here)
    assert login.brought[-1] == "session=secret"
