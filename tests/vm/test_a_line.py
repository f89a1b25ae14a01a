"""The line around a VM: what it can't reach of the host, the network and another project's VM."""

import http.server
import json
import os
import re
import subprocess
import threading

import lab as lab_module
import pytest

WAIT = 30  # seconds that the guest's curl waits for an answer; a connection that is refused at once ends long before


@pytest.fixture(scope="module")
def host_server():
    """A web server on every address of the host."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"the host's web server")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def host_addresses():
    found = []
    for link in json.loads(subprocess.run(["/usr/sbin/ip", "-json", "address"], check=True, capture_output=True).stdout):
        found += [info["local"] for info in link["addr_info"] if info["family"] == "inet"]
    return found


def test_the_first_up_makes_it_and_its_repos(blog_made, lab):
    assert "is up" in blog_made.first_up.err
    assert blog_made.sh("ls ~/code").split() == ["blog", "theme"]
    assert blog_made.sh("cat ~/code/blog/README") == "blog\n"


def test_up_again_changes_nothing(blog):
    assert blog.program.how("blog") == "running"


def test_the_host_is_not_reached_by_the_gateway(blog, host_server):
    """10.0.2.2 is libslirp's own address; it would lead to the host's 127.0.0.1."""
    status, body, took = blog.fetch("10.0.2.2", host_server, seconds=WAIT)
    assert (status, body) == (7, "")
    assert took < WAIT / 2


def test_none_of_the_hosts_addresses_is_reached(blog, host_server):
    addresses = [address for address in host_addresses() if not address.startswith("127.")]
    assert addresses, "this host has no address but its loopback"
    for address in addresses:
        status, body, took = blog.fetch(address, host_server, seconds=WAIT)
        assert (address, status, body) == (address, 7, "")
        assert took < WAIT / 2


def test_not_even_with_lan(shop, host_server):
    for address in ["10.0.2.2"] + [address for address in host_addresses() if not address.startswith("127.")]:
        status, body, _ = shop.fetch(address, host_server)
        assert (address, status, body) == (address, 7, "")


def test_a_private_neighbour_is_refused_at_once(blog, lab):
    status, body, took = blog.fetch(lab_module.PRIVATE, 8000, seconds=WAIT)
    assert (status, body) == (7, "")
    assert took < WAIT / 2


def test_a_private_neighbour_is_reached_with_lan(shop, lab):
    assert shop.fetch(lab_module.PRIVATE, 8000)[:2] == (0, lab_module.SAYS)


def test_a_public_address_is_reached(blog, lab):
    assert blog.fetch(lab_module.PUBLIC, 8000)[:2] == (0, lab_module.SAYS)


@pytest.mark.parametrize("address", ["169.254.169.254", "169.254.1.1", "100.100.100.200", "224.0.0.1", "192.0.0.1", "0.0.0.0"])
def test_special_addresses_are_refused_at_once(blog, address):
    status, body, took = blog.fetch(address, 80, seconds=WAIT)
    # The guest's kernel takes 0.0.0.0 for the guest itself.
    assert status == 7 and body == ""
    assert took < WAIT / 2


@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200"])
def test_metadata_services_are_refused_with_lan_too(shop, address):
    status, _, took = shop.fetch(address, 80, seconds=WAIT)
    assert status == 7 and took < WAIT / 2


def test_an_up_whose_repo_is_in_a_private_range_names_the_setting(blog, lab):
    site = blog.program
    site.projects(site.configuration.replace("/theme.git'", f"/theme.git', 'git://{lab_module.PRIVATE}/shop.git'", 1))
    try:
        result = blog.up(status=None)
    finally:
        site.projects(site.configuration)
    assert result.status == 3
    assert "lan" in result.err and "true" in result.err
    assert "projects.toml:" in result.err
    assert "/shop.git'" in result.err and "project 'blog'" in result.err


def test_names_are_resolved(blog):
    """machine-net's DNS address leads to the host's resolvers. A name that doesn't exist is reported as such."""
    result = blog.run("getent", "ahosts", "no-such-name.invalid", status=None, timeout=60)
    assert result.status == 2 and result.out == ""


def test_debians_packages_are_reached(blog):
    """Nothing is simulated here: the guest's own apt contacts the servers that its image came from."""
    said = blog.run("sudo", "apt-get", "update", "--error-on=any", timeout=300).out
    assert "Reading package lists" in said


def test_no_tcp_port_listens_on_the_host(blog, shop):
    inodes = set()
    for pid in blog.program.processes():
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}")))
            except FileNotFoundError:
                pass
    assert inodes, "no sockets at all were found, so nothing was looked at"
    listening = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as file:
            rows = [line.split() for line in file.read().splitlines()[1:]]
        listening += [row[1] for row in rows if row[3] == "0A" and row[9] in inodes]
    assert listening == []


def test_nothing_of_the_host_is_mounted(blog):
    kinds = {line.split()[2] for line in blog.sh("cat /proc/mounts").splitlines()}
    assert not kinds & {"9p", "virtiofs", "nfs", "nfs4", "cifs", "fuse.sshfs", "vboxsf", "vmhgfs"}
    disks = [line for line in blog.sh("cat /proc/mounts").splitlines() if line.startswith("/dev/")]
    assert {line.split()[0] for line in disks} <= {"/dev/vda", "/dev/root"}
    command, = [open(f"/proc/{pid}/cmdline").read() for pid in blog.qemu()]
    assert not re.search(r"-(virtfs|fsdev)|vhost-user-fs|virtio-9p|-hd[a-d]|fat:", command)


def test_the_hosts_files_are_not_there(blog):
    assert blog.run("test", "-e", blog.program.root, status=1).out == ""


def test_its_network_device_takes_packets_as_long_as_machine_net_sends(blog):
    """tests/net asks machine-net for the same number."""
    assert blog.sh("cat /sys/class/net/eth0/mtu") == "9000\n"


def test_one_disk_and_nothing_else_is_attached(blog):
    assert blog.sh("ls /sys/block | grep -v -E '^(loop|ram|zram)'").split() == ["vda"]


def test_two_projects_share_nothing(blog, shop):
    script = "cat /etc/machine-id /etc/ssh/authorized_keys/*; sudo ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key; hostname"
    mine, theirs = (set(vm.sh(script).splitlines()) for vm in (blog, shop))
    assert len(mine) == 4
    assert mine & theirs == set()


def test_a_file_of_one_is_not_in_the_other(blog, shop):
    blog.sh("echo mine >~/marker; sudo sh -c 'echo mine >/marker'; sync")
    assert shop.run("sh", "-c", "test -e ~/marker || test -e /marker", status=1)
    blog.sh("rm ~/marker; sudo rm /marker")


def test_the_key_of_one_doesnt_open_the_other(blog, shop):
    """The other VM's own configuration, with this one's key."""
    config = os.path.join(shop.folder(), "ssh_config")
    with open(config) as file:
        text = file.read()
    swapped = text.replace(os.path.join(shop.folder(), "id_ed25519"), os.path.join(blog.folder(), "id_ed25519"))
    assert swapped != text
    path = blog.program.write("swapped_config", re.sub(r"(?im)^\s*Control(Master|Path|Persist).*$", "", swapped))
    result = blog.program.run("/usr/bin/ssh", "-F", path, "-o", "BatchMode=yes", "machine-shop", "true", status=255)
    assert "Permission denied" in result.err


def test_one_doesnt_reach_the_other(blog, shop):
    """Each VM has its own network, and both have the same address there, so only the VM itself answers at it."""
    address = shop.sh("hostname -I").split()[0]
    assert blog.sh("hostname -I").split()[0] == address
    for other in [address.rsplit(".", 1)[0] + f".{last}" for last in (1, 4, 16, 17)]:
        status, body, _ = blog.fetch(other, 22, seconds=5)
        assert status != 0 and body == ""


def test_the_guest_has_no_key_and_no_agent(blog):
    assert blog.sh("ls ~/.ssh/id_* 2>/dev/null; env | grep SSH_AUTH_SOCK; true") == ""


def test_files_of_a_vm_are_its_owners_alone(blog):
    found = []
    for top in (blog.folder(), os.path.join(blog.program.runtime, "machine")):
        for folder, folders, files in os.walk(top):
            found += [path for path in [folder] + [os.path.join(folder, name) for name in files] if os.lstat(path).st_mode & 0o077]
    shown = [path for path in found if not path.endswith((".pub", "known_hosts"))]
    # Nobody else can reach a file in a folder of mode 0700, whatever the file's own mode.
    assert [path for path in shown if os.path.isdir(path)] == []
