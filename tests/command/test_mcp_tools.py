"""The tools of `machine mcp` in guests that aren't there (tests/support/fake_guest.py). In real ones: tests/vm/test_y_mcp.py."""

import base64
import os
import signal
import time

import pytest
from fake_guest import FakeGuests
from mcp_client import Client, failure, found, meta
from program import Program, wait_until

PROJECT = 'engine = "lima"\ncpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n'


@pytest.fixture(scope="module")
def guests():
    """A program with a VM `blog`, in whose project's folder is a git repo, and a project `shop` without a VM."""
    program = Program().without_recipe()
    try:
        fake = FakeGuests(program)
        program.projects(f"[blog]\n{PROJECT}[shop]\n{PROJECT}[other]\n{PROJECT}")
        program.run("up", "blog")
        home = fake.home("blog")
        git = {"GIT_CONFIG_GLOBAL": f"{program.home}/.gitconfig"}
        program.git("init", "--quiet", cwd=home, env=git)
        program.write("guests/blog/notes.md", "one\n")
        program.git("add", "notes.md", cwd=home)
        program.git("commit", "--quiet", "--message", "first", cwd=home, env=git)
        yield fake
    finally:
        program.run("destroy", "blog", "--yes", "--discard-work", status=None)
        program.clean_up()


@pytest.fixture
def blog(guests):
    with Client(guests.program, "--allow", "blog") as client:
        yield client


def sleepers(mark):
    """Processes that are `sleep MARK`, wherever they are: in a sandbox nothing else tells them."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found += [pid] if file.read() == f"sleep\0{mark}\0".encode() else []
        except OSError:
            pass
    return found


@pytest.fixture
def mark():
    """A time to sleep that no other run of these tests has."""
    return f"600.{os.getpid()}{time.monotonic_ns()}"


def test_run_gives_status_and_both_outputs(blog):
    result = blog.call("run", command="echo out; echo err >&2; exit 3")
    assert {key: found(result)[key] for key in ("exit_status", "stdout", "stderr", "timed_out", "stdout_left_out")} == {
        "exit_status": 3, "stdout": "out\n", "stderr": "err\n", "timed_out": False, "stdout_left_out": 0}
    assert result["content"][0]["text"] == "exit status 3\n--- stdout\nout\n--- stderr\nerr\n"


def test_argv_is_run_without_a_shell(blog):
    assert found(blog.call("run", argv=["printf", "%s|", "a b", "$HOME", "'", "*"]))["stdout"] == "a b|$HOME|'|*|"


def test_a_command_has_no_input_and_no_agent(blog):
    assert found(blog.call("run", command="cat; echo \"[$SSH_AUTH_SOCK]\""))["stdout"] == "[]\n"


def test_a_command_runs_where_it_is_told(blog):
    assert found(blog.call("run", command="pwd"))["stdout"] == "/home/dev\n"
    blog.call("run", command="mkdir -p deep/er")
    assert found(blog.call("run", command="pwd", folder="deep/er"))["stdout"] == "/home/dev/deep/er\n"
    assert found(blog.call("run", command="pwd", folder="/usr"))["stdout"] == "/usr\n"
    assert "no folder '/home/dev/nowhere'" in failure(blog.call("run", command="pwd", folder="nowhere"))


@pytest.mark.parametrize("status", [0, 1, 127, 254, 255])
def test_every_exit_status_comes_back(blog, status):
    assert found(blog.call("run", command=f"exit {status}"))["exit_status"] == status


def test_a_death_by_signal_comes_back_as_a_shell_has_it(blog):
    assert found(blog.call("run", command="kill -9 $$"))["exit_status"] == 137


def test_long_output_loses_its_middle_and_says_so(blog):
    result = found(blog.call("run", command="seq 100000; seq 100000 >&2; echo end", max_output_bytes=2000))
    numbers = "".join(f"{number}\n" for number in range(1, 100001))
    for stream, whole in (("stdout", f"{numbers}end\n"), ("stderr", numbers)):
        left_out = result[f"{stream}_left_out"]
        first, last = result[stream].split(f"\n[… {left_out} bytes are left out here …]\n")
        assert whole.startswith(first) and whole.endswith(last) and len(first) > 900 and len(last) == 1000
        assert len(first) + left_out + len(last) == len(whole)


def test_what_takes_too_long_is_killed_in_the_guest_too(blog, mark):
    result = blog.call("run", command=f"echo begun; sleep {mark} & yes", timeout_seconds=8, max_output_bytes=1024)
    assert found(result)["timed_out"] and found(result)["exit_status"] is None and found(result)["stdout"].startswith("begun\ny\n")
    assert "its time was up" in result["content"][0]["text"]
    wait_until(lambda: not sleepers(mark), 10, "it has ended")


def test_a_guests_output_is_text_and_drives_no_terminal(blog):
    result = found(blog.call("run", command=r"printf 'a\033[31mb\377c\tGr\303\274\303\237e\r\n\0\342\200\256'"))
    assert result["stdout"] == "a\\x1b[31mb\\xffc\tGrüße\n\\x00\\xe2\\x80\\xae"


def test_a_file_is_written_read_and_replaced(guests, blog):
    assert found(blog.call("write_file", path="a/b/c.txt", content="Grüße\n")) == {"path": "a/b/c.txt", "bytes": 8, "created": True}
    result = blog.call("read_file", path="a/b/c.txt")
    assert found(result) == {"path": "a/b/c.txt", "size": 8, "offset": 0, "encoding": "utf-8", "content": "Grüße\n", "next_offset": None}
    assert result["content"][0]["text"] == "Grüße\n"
    path = f"{guests.home('blog')}/a/b/c.txt"
    os.chmod(path, 0o750)
    assert not found(blog.call("write_file", path="/home/dev/a/b/c.txt", content=""))["created"]
    assert found(blog.call("read_file", path="./a/../a/b/c.txt"))["content"] == ""
    assert os.stat(path).st_mode & 0o777 == 0o750 and os.listdir(os.path.dirname(path)) == ["c.txt"]


@pytest.mark.parametrize("data", [bytes(range(256)), b"\xff", b"a\0b", b"\x1b[31m", "\u202e".encode()])
def test_what_is_no_plain_text_comes_in_base64(blog, data):
    blog.call("write_file", path="data", content_base64=base64.b64encode(data).decode())
    result = found(blog.call("read_file", path="data"))
    assert result["encoding"] == "base64" and base64.b64decode(result["content"]) == data


def test_crlf_is_text(blog):
    blog.call("write_file", path="dos.txt", content="a\r\nb\r\n")
    assert found(blog.call("read_file", path="dos.txt"))["content"] == "a\r\nb\r\n"


def test_a_file_is_read_in_parts_that_cut_no_character(blog):
    text = "€uro\n" * 1000
    blog.call("write_file", path="euro", content=text)
    whole, offset = "", 0
    while offset is not None:
        part = found(blog.call("read_file", path="euro", offset=offset, limit=1000))
        assert part["encoding"] == "utf-8" and part["size"] == len(text.encode())
        whole, offset = whole + part["content"], part["next_offset"]
    assert whole == text
    assert found(blog.call("read_file", path="euro", offset=1 << 40))["content"] == ""


@pytest.mark.parametrize("tool", ["read_file", "write_file"])
@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "away", "away/passwd", "", ".", "/home/dev", "/home/dev/../x", "/home/devil"])
def test_a_path_out_of_the_folder_is_refused(guests, blog, tool, path):
    link = f"{guests.home('blog')}/away"
    if not os.path.islink(link):
        os.symlink("/etc", link)
    text = failure(blog.call(tool, path=path, **({"content": "x"} if tool == "write_file" else {})))
    assert "is not in the folder" in text


@pytest.mark.parametrize("tool, path, words", [
    ("read_file", "none", "there is no file 'none'"), ("read_file", "folder", "'folder' is a folder"),
    ("read_file", "pipe", "not a regular file"), ("write_file", "pipe", "not a regular file"), ("write_file", "folder", "not a regular file"),
    ("write_file", "notes.md/x", "can't be made"),
])
def test_what_is_no_file_is_refused(guests, blog, tool, path, words):
    os.makedirs(f"{guests.home('blog')}/folder", exist_ok=True)
    if not os.path.exists(f"{guests.home('blog')}/pipe"):
        os.mkfifo(f"{guests.home('blog')}/pipe")
    assert words in failure(blog.call(tool, path=path, **({"content": "x"} if tool == "write_file" else {})))


def test_a_large_file_goes_in_whole(guests, blog):
    text = "0123456789abcde\n" * 60000
    assert found(blog.call("write_file", path="large", content=text))["bytes"] == len(text)
    assert guests.program.read("guests/blog/large") == text
    assert "at most 1048576" in failure(blog.call("write_file", path="large", content=text * 2))


def test_diff_shows_what_changed_since_a_commit(guests, blog):
    blog.call("write_file", path="notes.md", content="two\n")
    blog.call("write_file", path="new file", content="x\n")
    result = found(blog.call("diff"))
    assert "## main" in result["status"] and " M notes.md" in result["status"] and '?? "new file"' in result["status"]
    assert "-one\n+two\n" in result["diff"] and result["diff_left_out"] == 0
    assert "there is no commit, branch or tag 'nowhere'" in failure(blog.call("diff", against="nowhere"))
    assert "there is no commit" in failure(blog.call("diff", against="--output=/home/dev/x"))
    assert not os.path.exists(f"{guests.home('blog')}/x")
    blog.call("write_file", path="notes.md", content="one\n")
    assert "No tracked file has changed" in blog.call("diff")["content"][0]["text"]


def test_what_git_says_of_a_damaged_repo_is_told(guests, blog):
    index = f"{guests.home('blog')}/.git/index"
    os.rename(index, f"{index}.kept")
    guests.program.write("guests/blog/.git/index", "damaged")
    text = failure(blog.call("diff"))
    os.rename(f"{index}.kept", index)
    assert "git failed in '" in text and "index" in text
    assert found(blog.call("diff"))["diff_left_out"] == 0


def test_a_repo_that_the_project_has_not_is_refused(blog):
    assert "no repo 'theme'" in failure(blog.call("diff", repo="theme"))


def test_status_logs_and_egress_of_a_vm(blog):
    assert found(blog.call("status"))["state"] == "running"
    assert found(blog.call("logs"))["lines"] == ["booting"]
    assert "its logs are: console" in failure(blog.call("logs", log="nowhere"))
    assert "of a run before" in failure(blog.call("logs", previous=True))
    assert found(blog.call("egress"))["connections"] == []


def test_up_makes_a_vm_and_reports_its_steps(guests):
    program = guests.program
    with Client(program, "--allow", "shop") as client:
        number = client.request("tools/call", {"name": "up", **meta(progressToken="t")})
        result = found(client.response(number, 300)["result"])
        assert (result["name"], result["how"], result["repos_not_set_up"]) == ("shop", "created", 0)
        steps = [message["params"] for message in client.kept if message.get("method") == "notifications/progress"]
        assert [step["progress"] for step in steps] == list(range(1, len(steps) + 1)) and len(steps) > 2
        assert all(step["progressToken"] == "t" and step["message"] for step in steps)
        assert found(client.call("up"))["how"] == "running"
        assert found(client.call("run", argv=["hostname"]))["exit_status"] == 0
    program.run("destroy", "shop", "--yes", "--discard-work")


def test_a_stopped_vm_is_started_by_what_needs_it(guests, blog):
    guests.program.run("down", "blog")
    assert found(blog.call("status"))["state"] == "stopped"
    assert found(blog.call("run", command="echo there"))["stdout"] == "there\n"


def test_nobody_is_told_of_progress_who_has_not_asked(blog):
    number = blog.begin("run", command="seq 10")
    assert blog.message(300)["id"] == number


def test_calls_do_not_wait_for_each_other(blog):
    slow = blog.begin("run", command="sleep 600")
    assert found(blog.call("run", command="echo quick"))["stdout"] == "quick\n"
    blog.notify("notifications/cancelled", requestId=slow)


def test_a_cancelled_call_ends_on_both_sides_and_is_not_answered(guests, blog, mark):
    number = blog.begin("run", command=f"trap '' HUP; (trap '' HUP TERM; sleep {mark}; true) & sleep {mark}")
    wait_until(lambda: len(sleepers(mark)) == 2, 60, "the command runs")
    blog.notify("notifications/cancelled", requestId=number, reason="changed my mind")
    wait_until(lambda: not sleepers(mark) and not guests.program.processes("mcp-tool"), 10, "everything of it has ended")
    assert found(blog.call("run", command="true"))["exit_status"] == 0
    assert not [message for message in blog.kept if message.get("id") == number]


def test_what_a_command_leaves_in_the_background_lives_on(blog, mark):
    """The fake guest ends with its first process, so only the end of the call is seen here."""
    assert found(blog.call("run", command=f"nohup sleep {mark} >log 2>&1 </dev/null & echo begun"))["stdout"] == "begun\n"


@pytest.mark.parametrize("how", ["close", "kill"])
def test_the_end_of_the_server_is_the_end_of_its_calls(guests, how, mark):
    client = Client(guests.program, "--allow", "blog")
    client.begin("run", command=f"sleep {mark}")
    wait_until(lambda: sleepers(mark), 60, "the command runs")
    if how == "kill":
        client.child.kill()
    assert client.close() == (0 if how == "close" else -signal.SIGKILL)
    wait_until(lambda: not sleepers(mark) and not guests.program.processes("mcp-tool"), 10, "everything of it has ended")


def test_a_cancelled_up_stops_in_order_and_the_next_goes_on(guests):
    program = guests.program
    with Client(program, "--allow", "other", env={"FAKE_LIMA": "slow-guest"}) as client:
        number = client.request("tools/call", {"name": "up", **meta(progressToken=1)})
        client.await_that(lambda message: "starting VM" in message.get("params", {}).get("message", ""), 60)
        client.notify("notifications/cancelled", requestId=number)
        wait_until(lambda: not program.processes("mcp-tool"), 20, "the worker has ended")
        assert found(client.call("up"))["how"] in ("created", "started")
    program.run("destroy", "other", "--yes", "--discard-work")


def test_more_calls_than_can_wait_are_refused_at_once(guests, blog):
    numbers = [blog.begin("run", command="sleep 600") for _ in range(80)]
    refused = [blog.message(60) for _ in range(16)]
    assert all("too many calls" in failure(message["result"]) for message in refused)
    for number in numbers:
        blog.notify("notifications/cancelled", requestId=number)
    wait_until(lambda: not guests.program.processes("mcp-tool"), 60, "all have ended")
    assert found(blog.call("run", command="echo again"))["stdout"] == "again\n"


def test_an_id_that_is_in_use_is_refused(blog):
    number = blog.begin("run", command="sleep 600")
    blog.send({"jsonrpc": "2.0", "id": number, "method": "tools/list", "params": meta()})
    assert blog.message()["error"]["code"] == -32600
    blog.notify("notifications/cancelled", requestId=number)


def test_what_a_worker_says_in_its_trouble_goes_to_the_log(guests, blog):
    number = blog.begin("run", command="sleep 600")
    wait_until(lambda: guests.program.processes("mcp-tool"), 60, "it runs")
    for pid in guests.program.processes("mcp-tool"):
        os.kill(pid, signal.SIGKILL)
    assert "ended without a result (signal 9" in failure(blog.response(number)["result"])
