"""What the shipped profiles cypress and backend download from hosts that can't be reached here. Their profile.toml files are the
shipped ones, except for the changes below. The programs are stand-ins that print a version. An apt repository over https stands for
Google's. Its certificate is from the test's own CA, it is signed by the test's own key, and it runs in a network namespace at an
address that stands for a public one. Archives come from a mirror. Xvfb is Debian's real one."""

import hashlib
import io
import os
import re
import subprocess
import tarfile

import lab as lab_module
import pytest
from conftest import SMALL, Vm, surroundings

PROFILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../share/profiles")
PORT = 8443
pytestmark = pytest.mark.long
ARCHITECTURE = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()


def run(*argv, **how):
    return subprocess.run(argv, check=True, capture_output=True, **how).stdout


def says(version):
    return f"#!/bin/sh\necho '{version}'\n".encode()


def archive(**programs):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in programs.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def sign(home, *files):
    """Makes a new key and returns its public half. If there are files, signs the first and writes the result to the second."""
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
    run(*gpg, "--quick-gen-key", "Test <test@example.org>", "rsa3072", "sign")
    if files:
        run(*gpg, "--clearsign", "-o", files[1], files[0])
    run("gpgconf", "--homedir", home, "--kill", "all")
    return run(*gpg, "--armor", "--export")


def make_repository(folder):
    """Makes a signed repository with one package. Returns the public key."""
    package = folder / "package"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "usr/bin").mkdir(parents=True)
    (package / "usr/bin/google-chrome").write_bytes(says("Google Chrome 1.2.3"))
    (package / "usr/bin/google-chrome").chmod(0o755)
    control = (f"Package: google-chrome-stable\nVersion: 1.2.3-1\nArchitecture: {ARCHITECTURE}\nMaintainer: Test <test@example.org>\n"
               "Description: stands for a browser\n")
    (package / "DEBIAN/control").write_text(control)
    site = folder / "site"
    lists = site / f"dists/stable/main/binary-{ARCHITECTURE}"
    lists.mkdir(parents=True)
    run("dpkg-deb", "--root-owner-group", "-b", package, site / "chrome.deb")
    content = (site / "chrome.deb").read_bytes()
    packages = f"{control}Filename: chrome.deb\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
    (lists / "Packages").write_text(packages)
    (site / "dists/stable/Release").write_text(
        f"Origin: Test\nSuite: stable\nCodename: stable\nArchitectures: {ARCHITECTURE}\nComponents: main\n"
        f"Date: {run('date', '-Ru').decode()}SHA256:\n {hashlib.sha256(packages.encode()).hexdigest()} {len(packages)} "
        f"main/binary-{ARCHITECTURE}/Packages\n")
    return sign(folder / "gnupg", site / "dists/stable/Release", site / "dists/stable/InRelease")


def make_certificate(folder):
    """Makes a certificate for the lab's public address, by a CA that only the test's bundle has. Returns the bundle."""
    ca = ["-subj", "/CN=the test's own CA", "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-days", "2"]
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *ca)
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab", "-keyout", folder / "key.pem", "-out", folder / "request.pem")
    (folder / "names").write_text(f"subjectAltName=IP:{lab_module.PUBLIC}\n")
    run("openssl", "x509", "-req", "-in", folder / "request.pem", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", folder / "names", "-out", folder / "cert.pem")
    with open(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt", encoding="utf-8") as bundle:
        (folder / "bundle.pem").write_text(bundle.read() + (folder / "ca.pem").read_text())
    return folder / "bundle.pem"


SERVER = """
import functools, http.server, ssl, sys
http.server.SimpleHTTPRequestHandler.protocol_version = "HTTP/1.1"
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[2])
server = http.server.ThreadingHTTPServer((sys.argv[3], int(sys.argv[4])), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + "/cert.pem", sys.argv[1] + "/key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def profile(name, *changes):
    """The shipped profile with some changes. Each change must match exactly once."""
    with open(os.path.join(PROFILES, name, "profile.toml"), encoding="utf-8") as file:
        text = file.read()
    for pattern, instead in changes:
        text, count = re.subn(pattern, instead, text, flags=re.DOTALL)
        assert count == 1, pattern
    return text


@pytest.fixture(scope="module")
def site(data, lab, mirror, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    mirror.files["/linux/linux_signing_key.pub"] = make_repository(folder)
    mirror.files[f"/supabase/cli/releases/download/v2.115.0/supabase_2.115.0_linux_{ARCHITECTURE}.tar.gz"] = archive(supabase=says("2.115.0"))
    machine = {"amd64": "x86_64"}.get(ARCHITECTURE, ARCHITECTURE)
    mirror.files[f"/superfly/flyctl/releases/download/v0.4.59/flyctl_0.4.59_Linux_{machine}.tar.gz"] = archive(
        flyctl=b'#!/bin/sh\n[ "$1" = version ] && echo flyctl v0.4.59\n')
    bundle = make_certificate(folder)
    lab.inside("/usr/bin/python3", "-c", SERVER, folder, folder / "site", lab_module.PUBLIC, str(PORT))
    lab_module.wait_for_port(lab_module.PUBLIC, PORT)
    with surroundings(data=data) as program:
        program.environment["SSL_CERT_FILE"] = str(bundle)
        here = f"http://127.0.0.1:{mirror.server.server_address[1]}"
        program.write("config/machine/config.toml",
                      f"trust_host_ca = true\n[mirrors]\n\"https://dl.google.com\" = \"{here}\"\n\"https://github.com\" = \"{here}\"\n")
        # Of Cypress's libraries only the X server is installed, because `verify` asks for it.
        program.write("config/machine/profiles/cypress/profile.toml", profile(
            "cypress", (r"\[apt\]\npackages = \[.*?\]", '[apt]\npackages = ["xvfb"]'),
            (r"https://dl\.google\.com/linux/chrome/deb/", f"https://{lab_module.PUBLIC}:{PORT}/"),
            (r'when = \{ arch = "amd64" \}\n', "")))
        # The stand-in for Supabase's client has another hash, so the pinned ones are removed.
        program.write("config/machine/profiles/backend/profile.toml", profile("backend", (r"\[release\.sha256\].*?\n\n", "")))
        program.projects(f"[box]\nprofiles = ['cypress', 'backend']\n{SMALL}")
        yield program


@pytest.fixture(scope="module")
def box(site):
    vm = Vm(site, "box")
    vm.first_up = vm.up()
    return vm


def test_a_repository_of_another_signer_is_added_with_its_key_and_its_package_comes(box):
    assert box.run("google-chrome", "--version").out == "Google Chrome 1.2.3\n"
    assert "signed-by=/etc/apt/keyrings/google-chrome.asc" in box.sh("cat /etc/apt/sources.list.d/google-chrome.list")
    assert box.sh("command -v Xvfb").strip() == "/usr/bin/Xvfb"


def test_archives_are_unpacked_linked_and_recorded(site, box):
    assert box.run("supabase", "--version").out == "2.115.0\n"
    assert [box.run(name, "version").out for name in ("flyctl", "fly")] == ["flyctl v0.4.59\n"] * 2
    assert site.read("config/machine/machine.lock").count("https://github.com/") >= 2


def test_the_versions_are_in_the_lock_file(site, box):
    assert '"1.2.3-1"' in site.read("config/machine/machine.lock")


def test_a_repository_that_is_signed_by_another_key_is_refused(site, mirror, box, tmp_path):
    mirror.files["/linux/other.pub"] = sign(tmp_path / "gnupg")
    before = site.read("config/machine/profiles/cypress/profile.toml")
    site.write("config/machine/profiles/cypress/profile.toml", before.replace("linux_signing_key.pub", "other.pub"))
    try:
        result = box.up(status=6)
        assert "apt_repo-google-chrome" in result.err and "profile.toml" in result.err
    finally:
        site.write("config/machine/profiles/cypress/profile.toml", before)
    box.up()


def test_the_doctor_knows_that_the_vm_trusts_this_computers_own_ca(site, box):
    (check,) = [check for check in site.checks() if check["name"] == "certificates" and "bundle.pem" in check["detail"]]
    assert check["status"] == "ok" and check["detail"].endswith("so do all of its VMs")


def test_a_step_that_does_not_trust_a_ca_leads_to_the_setting_or_to_what_was_given(site, box):
    base, settings = site.read("config/machine/provision.toml"), site.read("config/machine/config.toml")
    other = "/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt"
    try:
        site.write("config/machine/provision.toml",
                   f"{base}\n[[shell]]\nname = 'tls'\ncmd = 'curl -sS --cacert {other} --capath /mnt https://{lab_module.PUBLIC}:{PORT}/'\n")
        result = box.up(status=6)
        assert "failed with exit status 60: curl: (60) SSL certificate problem" in result.err
        assert "'trust_host_ca' is set, and the CAs of " in result.err and "bundle.pem" in result.err
        site.write("config/machine/config.toml", settings.replace("trust_host_ca = true\n", ""))
        result = box.up(status=6)
        assert f"write trust_host_ca = true into '{site.config}/machine/config.toml', then: machine up box" in result.err
    finally:
        site.write("config/machine/provision.toml", base)
        site.write("config/machine/config.toml", settings)
    box.up()
