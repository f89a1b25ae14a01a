"""`machine cp`, both ways, and a guest that would like to have more written here, or read, than was asked for."""

import os

import pytest
from program import wait_until

# In place of the guest's sftp-server: whatever folder it is asked for has these names.
HOSTILE = r"""#!/usr/bin/perl
use strict; use warnings;
binmode STDIN; binmode STDOUT; $| = 1;
my @names = ("../outside", "/tmp/machine-cp-outside", "..", "x/../../outside", "harmless");
my ($read, $listed) = (0, 0);
sub text { pack("N/a*", $_[0]) }
sub reply { my $packet = join "", @_; syswrite STDOUT, pack("N/a*", $packet) }
sub status { reply(pack("CNN", 101, $_[0], $_[1]), text(""), text("")) }
sub take { my ($n) = @_; my $d = ""; while (length $d < $n) { sysread(STDIN, $d, $n - length $d, length $d) or exit } return $d }
while (1) {
        my $packet = take(unpack("N", take(4)));
        my ($type, $id) = unpack("CN", $packet);
        if ($type == 1) { reply(pack("CN", 2, 3)) }
        elsif ($type == 16) { reply(pack("CNN", 104, $id, 1), text("/evil"), text("/evil"), pack("N", 0)) }
        elsif ($type == 17 || $type == 7 || $type == 8) {
                my $file = $packet =~ /harmless|outside/;
                reply(pack("CNNN", 105, $id, 4, $file ? 0100644 : 040755));
        }
        elsif ($type == 11) { $listed = 0; reply(pack("CN", 102, $id), text("folder")) }
        elsif ($type == 12 && !$listed++) {
                reply(pack("CNN", 104, $id, scalar @names), map { (text($_), text($_), pack("NN", 4, 0100644)) } @names);
        }
        elsif ($type == 3) { $read = 0; reply(pack("CN", 102, $id), text("file")) }
        elsif ($type == 5 && !$read++) { reply(pack("CN", 103, $id), text("evil\n")) }
        elsif ($type == 12 || $type == 5) { status($id, 1) }
        elsif ($type == 4) { status($id, 0) }
        else { status($id, 8) }
}
"""


@pytest.fixture
def here(program):
    """An empty folder of this computer that the copies are made from."""
    folder = program.folder("home", "here")
    yield folder
    program.run("/bin/rm", "-r", folder)


ODD = "odd [x]* ?'\" \\name"


def test_a_file_goes_in_and_comes_back(program, box, here):
    program.write(f"home/here/{ODD}", "text\n")
    program.run("cp", ODD, "box:", cwd=here)
    assert box.sh("cat ./odd*") == "text\n"
    program.run("cp", f"box:{ODD}", "back", cwd=here)
    assert program.read("home/here/back") == "text\n"
    program.run("cp", "back", "box:~/other", cwd=here)
    program.run("cp", "box:~/other", "box:/etc/hostname", ".", cwd=here)
    assert program.read("home/here/other") == "text\n"
    assert program.read("home/here/hostname") == "box\n"
    assert sorted(os.listdir(here)) == sorted([ODD, "back", "other", "hostname"])
    os.mkdir(f"{here}/co:lon")
    program.run("cp", "box:/etc/hostname", "./co:lon/name", cwd=here)
    program.run("cp", "./co:lon/name", "box:colon", cwd=here)
    assert program.read("home/here/co:lon/name") == "box\n" and box.sh("cat colon") == "box\n"


def test_a_pattern_is_a_name(program, box, here):
    box.sh("touch a1 a2")
    assert "cannot copy 'a*'" in program.run("cp", "box:a*", ".", cwd=here, status=1).err
    assert os.listdir(here) == []


def test_a_folder_goes_in_and_comes_back(program, box, here):
    program.write("home/here/tree/inner/one", "1\n")
    program.folder("home/here/tree/empty")
    assert "machine cp -r" in program.run("cp", "tree", "box:", cwd=here, status=2).err
    program.run("cp", "-r", "tree", "box:copied", cwd=here)
    assert sorted(box.sh("cd copied && find .").split()) == [".", "./empty", "./inner", "./inner/one"]
    program.run("cp", "-r", "box:copied/", ".", cwd=here)
    assert program.read("home/here/copied/inner/one") == "1\n"
    assert os.listdir(f"{here}/copied/empty") == []
    assert "is there already" in program.run("cp", "-r", "box:copied", ".", cwd=here, status=1).err


def test_a_link_in_a_folder_takes_nothing_along(program, box, here):
    program.write("home/secret", "mine\n")
    program.write("home/here/tree/one", "1\n")
    os.symlink(f"{program.home}/secret", f"{here}/tree/link")
    result = program.run("cp", "-r", "tree", "box:links", cwd=here, status=1)
    assert "'tree/link' is a link" in result.err
    assert box.run("test", "-e", "links", status=None).status == 1
    # One that was named is meant.
    program.run("cp", "tree/link", "box:named", cwd=here)
    assert box.sh("cat named") == "mine\n"


def test_a_link_at_the_target_is_replaced(program, box, here):
    program.write("home/kept", "kept\n")
    os.symlink(f"{program.home}/kept", f"{here}/target")
    box.sh("echo new >new")
    program.run("cp", "box:new", "target", cwd=here)
    assert program.read("home/kept") == "kept\n"
    assert not os.path.islink(f"{here}/target") and program.read("home/here/target") == "new\n"


def test_links_in_the_guest_lead_nowhere_here(program, box, here):
    box.sh("mkdir -p l && ln -sfn /etc l/etc && ln -sfn ../../../../tmp l/up && echo x >l/file")
    program.run("cp", "-r", "box:l", ".", cwd=here, status=None)
    assert not any(os.path.islink(os.path.join(top, name)) for top, folders, files in os.walk(here) for name in folders + files)


def test_a_name_that_would_reach_the_terminal_is_refused(program, box, here):
    box.sh("mkdir -p c && touch \"c/a$(printf '\\033')[2Jb\"")
    result = program.run("cp", "-r", "box:c", ".", cwd=here, status=1)
    assert "\\x1b[2J" in result.err and "\033[2J" not in result.err
    assert os.listdir(here) == []


def test_a_guest_that_lies_about_its_names_writes_nowhere_else(program, box, here):
    before = set(os.listdir("/tmp")) | set(os.listdir(program.home))
    # The whole command line: how sshd starts sftp is the guest's own business.
    box.run("sudo", "sh", "-c", "cat >/usr/lib/openssh/sftp-server.evil && chmod 755 /usr/lib/openssh/sftp-server.evil", input=HOSTILE)
    box.sh("sudo sh -c 'sed -i \"/^Subsystem/d\" /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*; "
           "echo Subsystem sftp /usr/lib/openssh/sftp-server.evil >/etc/ssh/sshd_config.d/evil.conf'")
    # Some seconds after a restore systemd starts itself anew, and answers nobody meanwhile.
    wait_until(lambda: box.run("sudo", "systemctl", "restart", "ssh", status=None).status == 0, 60, "systemd")
    program.run("/usr/bin/ssh", "-F", f"{box.folder()}/ssh_config", "-O", "exit", "machine-box", status=None)
    target = program.folder("home/here/inner")
    result = program.run("cp", "-r", "box:folder", "inner", cwd=here, status=None)
    found = sorted(os.path.relpath(os.path.join(top, name), here) for top, folders, files in os.walk(here) for name in folders + files)
    assert set(found) <= {"inner", "inner/folder", "inner/folder/harmless"}, (found, result.err)
    new = (set(os.listdir("/tmp")) | set(os.listdir(program.home))) - before
    assert not any("outside" in name for name in new)
    assert not os.path.exists(f"{os.path.dirname(target)}/outside")
    # It was asked, or this would show nothing.
    assert "suspect path" in result.err, result.err
