"""What the C source must and must not have."""

import re

import pytest
import tree

# Which folders of src/ each may include from: the column "may use" of the table in docs/architecture.md.
ALLOWED = {
    name: set() if below == "-" else set(below.split(", "))
    for name, below in re.findall(r"(?m)^\| `src/([a-z]+)` \|.*\| ([a-z, ]+|-) \|$", tree.text("docs/architecture.md"))}
# Only the table of engines knows engines.
ENGINES = {"qemu", "lima"}
KNOWS_ENGINES = {"src/command/engines.c"}
LINES_MOST = 600
FUNCTION_LINES_MOST = 80

C_FILES = list(tree.files("src", suffixes=(".c", ".h", ".cc")))


def includes(path):
    for number, line in tree.lines(path):
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if match:
            yield number, match.group(1)


def test_there_is_source_to_look_at():
    assert len(C_FILES) > 50


def test_every_folder_has_its_place_in_the_table():
    assert {path.split("/")[1] for path in C_FILES} == set(ALLOWED)


def test_dependencies_between_folders_point_downwards():
    found = []
    for path in C_FILES:
        folder = path.split("/")[1]
        for number, name in includes(path):
            target = name.split("/")[0] if "/" in name else folder
            if target != folder and target not in ALLOWED[folder]:
                found.append(f"{path}:{number}: {folder}/ may not use '{name}'")
    tree.none(found)


def test_only_the_table_of_engines_names_one():
    found = []
    for path in C_FILES:
        if path.split("/")[1] in ENGINES or path in KNOWS_ENGINES:
            continue
        found += [f"{path}:{number}: knows the engine behind '{name}'" for number, name in includes(path)
                  if name.split("/")[0] in ENGINES]
    tree.none(found)


def test_only_the_table_of_engines_says_the_name_of_one():
    """This is about texts: hints and choices are made from the table. QEMU's programs ("qemu-img") are not the engine."""
    found = []
    for path in C_FILES:
        if path.split("/")[1] in ENGINES | {"shim", "net", "keys"}:
            continue
        for number, line in tree.lines(path):
            for text in re.findall(r'"(?:\\.|[^"\\])*"', line) if not line.lstrip().startswith(("#", "/*", "*")) else []:
                if re.search(r"\b(qemu|[Ll]ima)\b(?!-)", re.sub(r"/\*.*", "", text)):
                    found.append(f"{path}:{number}: says the name of an engine: {text}")
    tree.none(found)


def test_folders_depend_on_each_other_without_circles():
    seen = set()
    for folder, below in ALLOWED.items():
        assert below <= seen, f"{folder}/ stands above what it uses"
        seen.add(folder)


def test_there_is_one_cpp_file():
    assert [path for path in tree.files("src", suffixes=(".cc", ".cpp", ".cxx", ".hpp"))] == ["src/lib/toml.cc"]


def test_no_file_is_two_rooms():
    found = []
    for path in tree.files("src", "tests", suffixes=(".c", ".h", ".cc", ".py")):
        count = len(tree.text(path).splitlines())
        if count > LINES_MOST:
            found.append(f"{path}:{count}: over {LINES_MOST} lines")
    tree.none(found)


def functions(path):
    """(line, lines of its body) of each function."""
    begun = None
    for number, line in tree.lines(path):
        if line == "{":
            begun = number
        elif line == "}" and begun:
            yield begun, number - begun - 1
            begun = None


def test_no_function_is_long():
    found, seen = [], 0
    for path in tree.files("src", "tests", suffixes=(".c", ".cc")):
        for number, count in functions(path):
            seen += 1
            if count > FUNCTION_LINES_MOST:
                found.append(f"{path}:{number}: a function of {count} lines, over {FUNCTION_LINES_MOST}")
    assert seen > 2000
    tree.none(found)


def test_includes_say_their_folder():
    found = []
    for path in tree.files("src", suffixes=(".c", ".h", ".cc")):
        for number, line in tree.lines(path):
            if re.match(r'#include "[^/"]+"', line):
                found.append(f"{path}:{number}: write the folder, too: {line}")
    tree.none(found)


@pytest.mark.parametrize("pattern, reason, allowed", [
    (r"(?<![\w.>])(_?exit|_Exit|quick_exit)\s*\(", "ends the program; only main() does",
     # abort() after a failed allocation is in util.c. A forked child must end without the parent's atexit handlers. The second Ctrl-C
     # is not to wait for anything.
     {"src/command/main.c", "src/net/main.c", "src/lib/interrupt.c", "src/lib/process-guard.c", "src/lib/process-spawn-linux.c", "src/lib/process-spawn-darwin.c"}),
    (r"(?<![\w.>])(system|popen)\s*\(", "starts a shell", set()),
    (r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|strtok|tmpnam|mktemp|tempnam)\s*\(", "has no limit", set()),
    (r"(?<![\w.>])(atoi|atol|atoll|atof)\s*\(", "hides what can't be read as a number", set()),
    (r"(?<![\w.>])(u?sleep|nanosleep|clock_nanosleep)\s*\(", "sleeps to wait", set()),
    (r"(?<![\w.>])(v?fork|daemon)\s*\(", "starts a process past lib/process.h",
     # workers and the waker are not other programs
     {"src/lib/process-guard.c", "src/lib/process-spawn.c", "src/lib/process-spawn-darwin.c", "src/net/supervisor.c", "src/net/waker.c"}),
    (r"\bPATH_MAX\b", "is a fixed buffer", set()),
])
def test_calls_that_are_not_made(pattern, reason, allowed):
    found = []
    for path in C_FILES:
        if path in allowed:
            continue
        for number, line in tree.code_lines(path):
            match = re.search(pattern, line)
            if match:
                found.append(f"{path}:{number}: {match.group(0).rstrip('( ')}() {reason}")
    tree.none(found)


def test_no_shell_on_the_host():
    """Looks for `sh -c` in an argv on the host. What runs in the guest goes through session_script() or session_argv()."""
    found = []
    for path in C_FILES:
        for number, line in tree.lines(path):
            if re.search(r'"(/bin/)?(ba|da)?sh",\s*"-c', line):
                found.append(f"{path}:{number}: runs a shell")
    tree.none(found)


def test_git_is_run_in_one_place():
    """host/git.c decides what a run of git may do. Elsewhere the word is only a name: of a package, a scheme, a field."""
    words = {
        "src/config/repo-url.c": "a scheme", "src/image/base-inputs.c": "a package", "src/vm/record.c": "a field",
        "src/plan/plan.c": "a difference", "src/plan/drift.c": "a difference",
        "src/operation/doctor-linux.c": "a program that is looked for", "src/operation/doctor-darwin.c": "a program that is looked for",
    }
    found = []
    for path in C_FILES:
        if path == "src/host/git.c" or path in words:
            continue
        text = re.sub(r"/\*.*?\*/", lambda comment: re.sub(r"[^\n]", " ", comment.group(0)), tree.text(path), flags=re.S)
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r'"([^" ]*/)?git(-[a-z-]+)?"', line):
                found.append(f"{path}:{number}: runs git past host/git.h")
    tree.none(found)


@pytest.mark.parametrize("call, flag", [
    (r"(?<![\w.>])open(at)?\s*\(", "O_CLOEXEC"),
    (r"(?<![\w.>])socket(pair)?\s*\(", "SOCK_CLOEXEC"),
    (r"(?<![\w.>])accept4\s*\(", "SOCK_CLOEXEC"),
    (r"(?<![\w.>])pipe2\s*\(", "O_CLOEXEC"),
])
def test_descriptors_are_closed_on_exec(call, flag):
    found = []
    for path in C_FILES:
        # macOS has no such flag for sockets and pipes. There os.h's functions, and no others, call fcntl(2) instead.
        if path.endswith("-darwin.c") and flag == "SOCK_CLOEXEC":
            continue
        code = "\n".join(line for _, line in tree.code_lines(path))
        for match in re.finditer(call, code):
            statement = code[match.start():code.find(";", match.start())]
            # flags in a variable come from the caller, which is checked as well
            if flag not in statement and not re.search(r"\bflags\b", statement):
                number = code.count("\n", 0, match.start()) + 1
                found.append(f"{path}:{number}: without {flag}")
    tree.none(found)


def test_every_header_is_guarded_and_says_what_it_is():
    found = []
    for path in C_FILES:
        if not path.endswith(".h"):
            continue
        text = tree.text(path)
        if "#pragma once" not in text:
            found.append(f"{path}:1: no #pragma once")
        if not text.lstrip().startswith("/*"):
            found.append(f"{path}:1: does not begin with what the module is")
    tree.none(found)


def test_every_c_file_is_built():
    found = []
    for path in tree.files("src", suffixes=(".c", ".cc")):
        folder, name = path.rsplit("/", 1)
        if f"'{name}'" not in tree.text(f"{folder}/meson.build"):
            found.append(f"{path}:1: is not in {folder}/meson.build")
    tree.none(found)
