"""The site, as tools/site/build makes it, served to a browser from this computer."""

import functools
import http.server
import os
import subprocess
import threading

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Site:
    """`folder`: the built pages; `address`: where they are served."""

    def __init__(self, folder, address):
        self.folder, self.address = folder, address

    def pages(self):
        """The paths of all pages, relative to the site."""
        found = [os.path.relpath(os.path.join(folder, name), self.folder)
                 for folder, _, names in os.walk(self.folder) for name in names if name.endswith(".html")]
        return sorted(found)


@pytest.fixture(scope="session")
def site():
    build = os.environ["MACHINE_TEST_BUILD"]
    done = subprocess.run([os.path.join(ROOT, "tools/site/build"), "--machine", os.environ["MACHINE"], "--build", build,
                           "--project-url", "https://forge.example/jane/machine"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = os.path.join(build, "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
