"""What the benchmarks share: the installed optimised build, and the description of what they ran on."""

import json
import os
import platform
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def installed(build):
    """Installs BUILD/release into a folder below it. Returns the class Program of the tests, and the program's path."""
    root = os.path.join(build, "release/root")
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["meson", "install", "-C", os.path.join(build, "release"), "--no-rebuild", "--quiet", "--destdir", root], check=True,
                   stdout=subprocess.DEVNULL)
    os.environ["MACHINE_TEST_BUILD"] = build
    os.environ["MACHINE"] = next(os.path.join(folder, "machine") for folder, _, names in os.walk(root)
                                 if folder.endswith("/bin") and "machine" in names)
    sys.path.insert(0, os.path.join(ROOT, "tests/support"))
    from program import MACHINE, Program
    return Program, MACHINE


def first_line(argv):
    """The first line of the program's output; "none" if there is no such program."""
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=20).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "none"


def describe(machine, checks):
    """Describes program, system, processors and engine, from what `machine doctor` found."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    engine = next((check["detail"].split(":")[0] for check in checks if check["name"] == "qemu"), "none")
    release = ".".join(platform.release().split(".")[:2])
    return (f"{first_line([machine, '--version'])}; {platform.system()} {release}, {platform.machine()}; {os.cpu_count()} processors "
            f"({model}), {memory:.0f} GiB; {engine}")


def steps_of(program, *args):
    """Runs `machine ARGS… --json`. Returns ({step: seconds}, the error or None). The seconds of a step that ran twice are added up."""
    began, took, failure = {}, {}, None
    child = program.start(*args, "--json", stderr=None)
    for line in child.stdout:
        event = json.loads(line)
        if event["event"] == "begin":
            began[event["id"]] = time.perf_counter()
        elif event["event"] == "end":
            took[event["id"]] = took.get(event["id"], 0) + time.perf_counter() - began[event["id"]]
        elif event["event"] == "error":
            failure = event["message"]
    return took, failure if child.wait() != 0 else None


def make_checkout(program, name, settings, commits=1, files=1):
    """Makes a trusted git repository with a .machine.toml. Returns its folder."""
    folder = program.folder("home", name)
    program.git("init", "--quiet", cwd=folder)
    program.write(f"home/{name}/.machine.toml", settings)
    for commit in range(commits):
        for number in range(commit, files, commits):
            program.write(f"home/{name}/part-{number % 16}/file-{number}", "".join(f"line {line} of {number}\n" for line in range(100)))
        program.git("add", "--all", cwd=folder)
        program.git("commit", "--quiet", f"--message={commit}", cwd=folder)
    program.run("trust", "--yes", cwd=folder)
    return folder
