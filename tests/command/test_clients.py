"""Which hosts a guest's package clients use. The guest's own script runs here, in a temporary home, with fake clients that say what
real ones say, and a fake index. (Real clients and their real indexes: tests/vm/test_u_shipped.py.)"""

import os
import subprocess

import pytest
from mirror import Mirror
from program import ROOT

SCRIPT = os.path.join(ROOT, "guest/session/clients.sh")
NPM = """{
  "@corp:registry": "https://npm.corp.example.org:8443/api/",
  "registry": "%s/npm/",
  "user-agent": "npm/11 node/v24"
}"""
CARGO = """    Updating crates.io index
error: download of config.json failed

Caused by:
  failed to download from `%s/index/config.json`
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "bin").mkdir()
    # A login shell resets PATH; this profile sets it back.
    (tmp_path / ".profile").write_text(f"PATH={tmp_path}/bin:/usr/bin:/bin\n")
    # Of this computer's clients only curl may answer.
    for name in ("apt-get", "npm", "pnpm", "yarn", "pip", "uv", "cargo", "go", "python3"):
        install(tmp_path, name, "exit 127")
    return tmp_path


@pytest.fixture
def index():
    mirror = Mirror()
    mirror.url = f"http://127.0.0.1:{mirror.server.server_address[1]}"
    mirror.host = mirror.url.removeprefix("http://")
    yield mirror
    mirror.server.shutdown()


def install(home, name, script):
    path = home / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def says(home, name, text):
    (home / f"{name}.txt").write_text(text)
    install(home, name, f"cat {home}/{name}.txt")


def clients(home):
    with open(SCRIPT) as script:
        result = subprocess.run(["sh", "-s"], stdin=script, capture_output=True, text=True, check=True,
                                env={"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin"})
    assert result.stderr == ""
    return result.stdout.splitlines()


def test_who_has_no_client_uses_nothing(home):
    assert clients(home) == []


def test_apt(home):
    says(home, "apt-get", "".join(f"'{url}/dists/x/InRelease' some_file 0 \n" for url in (
        "http://deb.example.org/debian", "http://deb.example.org/debian-security", "https://jane:secret@corp.example.org:80/apt",
        "cdrom:[disk]", "file:/srv/debs", "mirror+http://list.example.org:80/l")))
    assert clients(home) == ["@apt corp.example.org:80", "@apt deb.example.org", "@apt list.example.org:80"]


def test_npm_and_where_its_files_are(home, index):
    says(home, "npm", NPM % index.url)
    says(home, "yarn", "https://yarn.example.org\n")
    says(home, "pnpm", "undefined\n")
    assert clients(home) == sorted([f"@npm {index.host}", "@npm npm.corp.example.org:8443", "@npm yarn.example.org"])
    index.files["/npm/npm/latest"] = b'{"name":"npm","dist":{"shasum":"00","tarball":"https://files.example.org/npm-1.tgz"}}'
    assert "@npm files.example.org" in clients(home)


def test_pip_by_its_configuration_and_uv_by_what_it_asks_for(home, index):
    install(home, "pip", f'[ "$*" = "config list" ] && echo "global.index-url=\'{index.url}/simple/\'" && '
            'echo ":env:.extra-index-url=\'https://a.example.org/x https://b.example.org/\'"')
    install(home, "uv", 'cat >/dev/null; echo "DEBUG No cache entry for: https://uv.example.org/simple/pip/" >&2; exit 1')
    expected = [f"@pip {index.host}", "@pip a.example.org", "@pip b.example.org", "@pip uv.example.org"]
    assert clients(home) == sorted(expected)
    index.files["/simple/pip/"] = b'<a href="https://files.example.org/pip-1.whl#sha256=0">pip</a> <a href="../relative.whl">r</a>'
    assert clients(home) == sorted(expected + ["@pip files.example.org"])


def test_pip_without_a_configuration_is_asked_for_its_own(home):
    install(home, "pip", "[ \"$*\" = 'config list' ] && echo \"global.timeout='60'\"")
    says(home, "python3", "https://pypi.example.org/simple\n")
    assert clients(home) == ["@pip pypi.example.org"]


def test_cargo_by_what_it_did_not_get(home, index):
    """cargo doesn't ask for what it has fetched before, so it gets an empty CARGO_HOME, with its configuration."""
    (home / ".cargo").mkdir()
    (home / ".cargo/config.toml").write_text("[net]\n")
    (home / "cargo.txt").write_text(CARGO % index.url)
    install(home, "cargo", f'[ -e "$CARGO_HOME/config.toml" ] && [ "$CARGO_HOME" != "$HOME/.cargo" ] && cat {home}/cargo.txt >&2; exit 101')
    assert clients(home) == [f"@cargo {index.host}"]
    index.files["/index/config.json"] = b'{"dl": "https://dl.example.org/crates", "api": "https://api.example.org:443"}'
    assert clients(home) == sorted([f"@cargo {index.host}", "@cargo api.example.org", "@cargo dl.example.org"])


@pytest.mark.parametrize("proxy, sums, expected", [
    ("https://proxy.example.org,direct", "sum.example.org", ["proxy.example.org", "sum.example.org"]),
    ("https://a.example.org|http://b.example.org:8080/x,off", "off", ["a.example.org", "b.example.org:8080"]),
    ("direct", "sum.example.org+00000000+AAAA", ["sum.example.org"]),
    ("off", "sum.example.org https://mirror.example.org/sumdb", ["mirror.example.org"]),
])
def test_go(home, proxy, sums, expected):
    install(home, "go", f'case $2 in GOPROXY) echo "{proxy}" ;; GOSUMDB) echo "{sums}" ;; esac')
    assert clients(home) == [f"@go {host}" for host in expected]
