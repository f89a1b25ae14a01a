"""What is checked: the stages. Each is a list of jobs that can run beside the jobs of other stages."""

import collections
import json
import os
import re
import threading
import time

import tidied
from cases import Case, forget, read_junit
from process import ROOT, call

PYTHON = "/usr/bin/python3"
FILES_AT_ONCE = 50  # for a program that takes many
TIDY_AT_ONCE = 24   # half a minute's work, so that a VM lane can take one while it waits

RECORDING = threading.Lock()  # several lanes look at files at once

# run() returns the cases. Jobs with a higher weight begin first; a weight is roughly the seconds on a quiet machine.
Job = collections.namedtuple("Job", "stage name weight run")

# Files of stages with VMs that have no VM themselves, so that they need not wait for a lane of these.
WITHOUT_VM = {"engine-lima", "engine-shim", "attack-confinement_keys", "attack-flood_keys", "attack-memory_keys", "attack-questions_keys"}


class Settings:
    """`long`: run everything; `match`: only tests with this text in their names; `fuzz_seconds`: how long to look for new inputs."""

    def __init__(self, build, long=False, match="", fuzz_seconds=0):
        self.build = os.path.abspath(build)
        self.dev = os.path.join(self.build, "dev")
        self.sanitize = os.path.join(self.build, "sanitize")
        self.results = os.path.join(self.build, "results")
        self.long, self.match, self.fuzz_seconds = long, match, fuzz_seconds

    def wants(self, name):
        return self.match in name


# --- pytest

def run_pytest(settings, stage, job, build, paths, **more):
    report = os.path.join(settings.results, f"{job}.xml")
    counts = os.path.join(settings.results, f"{job}.counts")
    forget(report)
    forget(counts)
    more.update(MACHINE=os.path.join(build, "root/usr/local/bin/machine"), MACHINE_TEST_BUILD=settings.build,
                MACHINE_TEST_COUNTS=counts, MACHINE_TEST_MATCH=settings.match, MACHINE_TEST_LONG="1" if settings.long else "",
                PYTHONPATH=os.path.join(ROOT, "tests/support"))
    status, output = call([PYTHON, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "choice", "-p", "counts", "--color=no",
                           "--strict-markers", f"--junit-xml={report}"] + paths, **more)
    with open(os.path.join(settings.results, f"{job}.log"), "w", encoding="utf-8") as log:
        log.write(output)
    if status == 5:  # pytest's status for "there is nothing to run"
        status = 0
    return read_junit(report, status, output, stage, none=bool(settings.match) or not settings.long)


def pytest_files(settings, stage, build, weights=None, together=None, **more):
    """A job for each file of tests/STAGE, and one for each list of files in `together`, by the list's name."""
    folder = os.path.join(ROOT, "tests", stage)
    names = [name[5:-3] for name in sorted(os.listdir(folder)) if re.fullmatch(r"test_\w+\.py", name)]
    lists = dict(together or {})
    lists.update({name: [name] for name in names if not any(name in those for those in lists.values())})
    jobs = []
    for name, those in lists.items():
        paths = [f"tests/{stage}/test_{one}.py" for one in those]
        weight = sum((weights or {}).get(one, os.path.getsize(os.path.join(ROOT, path)) / 200) for one, path in zip(those, paths))
        job = f"{stage}-{name}"
        jobs.append(Job(stage, job, weight, lambda job=job, paths=paths: run_pytest(settings, stage, job, build, paths, **more)))
    return jobs


def pytest_folder(settings, stage, build, weight, **more):
    """One job for all of tests/STAGE."""
    return [Job(stage, stage, weight, lambda: run_pytest(settings, stage, stage, build, [f"tests/{stage}"], **more))]


# --- programs over files

def sources(*suffixes):
    found = []
    for top in ("src", "tests"):
        for folder, folders, names in os.walk(os.path.join(ROOT, top)):
            folders.sort()
            found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(suffixes)]
    return found


def over_files(settings, stage, paths, argv):
    """One case for each file. The program gets many files at once, and each alone if it complains."""
    cases = []
    paths = [path for path in paths if settings.wants(os.path.relpath(path, ROOT))]
    for start in range(0, len(paths), FILES_AT_ONCE):
        group = paths[start:start + FILES_AT_ONCE]
        began = time.monotonic()
        status, _ = call(argv + group)
        for path in group:
            alone, output = (0, "") if status == 0 else call(argv + [path])
            cases.append(Case(stage, os.path.relpath(path, ROOT), "failed" if alone else "passed", output,
                              (time.monotonic() - began) / len(group)))
    return cases


def one_by_one(stage, paths, argv):
    """One case and one call for each file."""
    cases = []
    for path in paths:
        began = time.monotonic()
        status, output = call(argv + [path])
        cases.append(Case(stage, os.path.relpath(path, ROOT), "failed" if status else "passed", output, time.monotonic() - began))
    return cases


def jobs_format(settings):
    argv = ["clang-format", "--dry-run", "-Werror"]
    return [Job("format", "format", 10, lambda: over_files(settings, "format", sources(".c", ".h", ".cc"), argv))]


def scripts():
    """Every POSIX shell script."""
    found = []
    for top in ("tools", "guest", ".ci", "bench", "tests", "examples", "completions", "share"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    if name.endswith(".sh") or folder.endswith("/recipe/kinds") or re.match(rb"#!\s*/bin/sh\b", file.readline()):
                        found.append(path)
    return found


def jobs_scripts(settings):
    return [Job("scripts", "scripts", 5, lambda: over_files(settings, "scripts", scripts(), ["shellcheck", "--shell=sh", "--external-sources"]))]


def compiled(settings):
    with open(os.path.join(settings.sanitize, "compile_commands.json"), encoding="utf-8") as file:
        known = {os.path.abspath(os.path.join(entry["directory"], entry["file"])) for entry in json.load(file)}
    return [path for path in sources(".c", ".cc") if path in known]


def tidy(settings, paths):
    cases = one_by_one("tidy", paths, ["clang-tidy", "--quiet", "-p", settings.sanitize])
    if settings.long:
        with RECORDING:
            tidied.write([os.path.join(ROOT, case.name) for case in cases if case.outcome == "passed"])
    return cases


def jobs_tidy(settings):
    """In the long check all files, otherwise those that are not as clang-tidy last found them good. The long check records them."""
    if not os.path.exists(os.path.join(settings.sanitize, "compile_commands.json")):
        return [Job("tidy", "tidy", 1, lambda: [Case("tidy", "tidy", "failed", "there is no build with sanitizers", 0)])]
    files = compiled(settings)
    if not settings.long and not settings.match:
        files = tidied.changed(files)
    files = [path for path in files if settings.wants(os.path.relpath(path, ROOT))]
    groups = [files[start:start + TIDY_AT_ONCE] for start in range(0, len(files), TIDY_AT_ONCE)]
    return [Job("tidy", f"tidy-{number}", 2 * len(group), lambda group=group: tidy(settings, group))
            for number, group in enumerate(groups, 1)]


# --- programs that Meson runs

def names_of(text):
    """The tests that `meson test --list` lists: "net/http", or "machine:unit / net/http" with other versions of Meson."""
    return re.findall(r"(?m)^(?:\S+ / )?([a-z_-]+/[a-z0-9_-]+)$", text)


def unit_tests(settings, build):
    """The tests with the wanted text in their name, or in the name of a function in their source."""
    status, text = call(["meson", "test", "-C", build, "--list"])
    if status != 0:
        return None, text
    found = names_of(text)
    if settings.match:
        inside = set()
        for path in sources(".c"):
            with open(path, encoding="utf-8") as file:
                if "/tests/unit/" in path and re.search(rf"\w*{re.escape(settings.match)}\w*\(void \*\*", file.read()):
                    room, name = path.split("/")[-2:]
                    inside.add(f"{room}/" + name[5:-2].replace("_", "-"))
        found = [name for name in found if settings.match in name or name in inside]
    return found, text


def run_meson(settings, stage, build):
    names, text = unit_tests(settings, build)
    if names is None:
        return [Case(stage, stage, "failed", text, 0)]
    if not names:
        return [] if settings.match else [Case(stage, stage, "failed", "there are no such tests in this build", 0)]
    report = os.path.join(build, "meson-logs/testlog.junit.xml")
    forget(report)
    # A test must not fail because the machine is slow. Meson's limit is 30 s; the tests take a tenth of a second.
    status, output = call(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "--num-processes", "1",
                           "--timeout-multiplier", "10"] + (names if settings.match else []))
    return read_junit(report, status, output, stage)


def jobs_unit(settings):
    return [Job("unit", "unit", 30, lambda: run_meson(settings, "unit", settings.sanitize))]


def jobs_plain(settings):
    return [Job("plain", "plain", 30, lambda: run_meson(settings, "plain", settings.dev))]


def fuzz_targets(settings):
    """Yields (room, name, stored inputs) of each fuzzer."""
    for room in sorted(os.listdir(os.path.join(ROOT, "tests/fuzz"))):
        corpora = os.path.join(ROOT, "tests/fuzz", room, "corpus")
        for name in sorted(os.listdir(corpora)) if os.path.isdir(corpora) else []:
            if settings.wants(f"{room}/{name}"):
                yield room, name, os.path.join(corpora, name)


def run_fuzzer(settings, room, name, corpus):
    target = os.path.join(settings.sanitize, "tests/fuzz", room, f"fuzz-{room}-{name}")
    found = os.path.join(settings.results, "fuzz", room, name)
    os.makedirs(found, exist_ok=True)
    limit = ["-runs=0"] if not settings.fuzz_seconds else [f"-max_total_time={settings.fuzz_seconds}"]
    began = time.monotonic()
    if os.path.exists(target):
        status, output = call([target, "-timeout=60", f"-artifact_prefix={found}/"] + limit + [found, corpus])
    else:
        status, output = 1, f"there is no '{target}' in this build"
    outcome = "failed" if status else "skipped" if output.startswith("skipped: ") else "passed"
    return [Case("fuzz", f"{room}/{name}", outcome, output.removeprefix("skipped: "), time.monotonic() - began)]


def jobs_fuzz(settings):
    """Runs each fuzzer over its stored inputs. With --fuzz-seconds it looks for new ones for that long."""
    targets = list(fuzz_targets(settings))
    if settings.fuzz_seconds:
        return [Job("fuzz", f"fuzz-{room}-{name}", settings.fuzz_seconds, lambda target=(room, name, corpus): run_fuzzer(settings, *target))
                for room, name, corpus in targets]
    return [Job("fuzz", "fuzz", 5, lambda: [case for target in targets for case in run_fuzzer(settings, *target)])]


# --- the stages

def jobs_engine(settings):
    root = os.path.join(settings.dev, "root/usr/local")
    return pytest_files(settings, "engine", settings.dev, {"contract": 90},
                        MACHINE_DATA_DIR=os.path.join(root, "share/machine"), MACHINE_LIBEXEC_DIR=os.path.join(root, "libexec/machine"),
                        ENGINE_DRIVER=os.path.join(settings.dev, "tests/engine/engine-driver"))


# Files of tests/vm that use the VMs `blog` and `shop`, which are made once for each process of pytest.
VM_TOGETHER = {"blog": ["a_line", "b_run", "c_alias", "d_work", "h_base", "e_life"]}

# Roughly how many seconds the long files of tests/vm take. They begin first.
VM_SECONDS = {"u_shipped": 900, "m_recipe": 200, "k_template": 150, "i_user": 140, "e_life": 130, "k_restore": 120, "v_elsewhere": 110, "k_killed": 90}


# name, jobs; quick: part of `make quick`; long: only in `make check-long`; vm: its jobs keep a VM busy
Stage = collections.namedtuple("Stage", "name jobs quick long vm", defaults=[False, False, False])

STAGES = [
    # the base image and a template, built beside the stages that need neither
    Stage("image", lambda settings: pytest_folder(settings, "image", settings.dev, 1000), vm=True),
    # dependencies between folders, what must not be in the source
    Stage("structure", lambda settings: pytest_folder(settings, "structure", settings.sanitize, 5), quick=True),
    # shellcheck
    Stage("scripts", jobs_scripts, quick=True),
    # clang-format
    Stage("format", jobs_format, quick=True),
    # cmocka under ASan and UBSan
    Stage("unit", jobs_unit, quick=True),
    # the program under ASan and UBSan, without VMs
    Stage("command", lambda settings: pytest_folder(settings, "command", settings.sanitize, 40), quick=True),
    # stored inputs of the fuzzers
    Stage("fuzz", jobs_fuzz),
    # cmocka as it is compiled for users
    Stage("plain", jobs_plain, long=True),
    # releases and packages
    Stage("release", lambda settings: pytest_files(settings, "release", settings.dev)),
    # the documents as a site, seen by a browser
    Stage("site", lambda settings: pytest_folder(settings, "site", settings.dev, 180), long=True),
    # the program built for macOS
    Stage("darwin", lambda settings: pytest_folder(settings, "darwin", settings.dev, 120)),
    # clang-tidy
    Stage("tidy", jobs_tidy),
    # machine-net in network namespaces
    Stage("net", lambda settings: pytest_folder(settings, "net", settings.dev, 60)),
    # what every engine must do, on real VMs
    Stage("engine", jobs_engine, vm=True),
    # ways across the line that were once found
    Stage("attack", lambda settings: pytest_files(settings, "attack", settings.dev), vm=True),
    # what dies, fills up, freezes or is damaged
    Stage("fault", lambda settings: pytest_files(settings, "fault", settings.dev), vm=True),
    # the program on real VMs
    Stage("vm", lambda settings: pytest_files(settings, "vm", settings.dev, VM_SECONDS, VM_TOGETHER), vm=True),
]
