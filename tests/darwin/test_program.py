"""`machine` for macOS: it compiles with warnings as errors and, in the long check, links, and the result is right."""

import glob
import os
import subprocess

import macho
import pytest
from choice import LONG

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = sorted(os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "src/*/*-darwin.c")))
SYSTEM = "/usr/lib/libSystem.B.dylib"
CURSES = "/usr/lib/libncurses.5.4.dylib"


def system_symbols(cross, architecture):
    path = os.path.join(os.path.dirname(cross.zig()), "lib/libc/darwin/libSystem.tbd")
    with open(path, encoding="utf-8") as file:
        return macho.exported(file.read(), architecture)


def curses_symbols(architecture):
    """Those in our own list, which names what the program uses. The linker has held it to that."""
    with open(os.path.join(ROOT, "tools/darwin/libraries/curses/libncurses.tbd"), encoding="utf-8") as file:
        return macho.exported(file.read(), architecture)


def test_the_program_is_compiled(cross, architecture):
    """Only the long check links it, because zig first builds its C++ library for that."""
    assert architecture in cross.built, cross.said
    top = os.path.dirname(os.path.dirname(os.path.dirname(cross.built[architecture]))) if LONG else cross.built[architecture]
    objects = {os.path.basename(path) for path in glob.glob(os.path.join(top, "src/**/*.o"), recursive=True)}
    assert {os.path.basename(path) + ".o" for path in OURS} <= objects


@pytest.mark.long
def test_the_program_is_linked(cross, architecture):
    assert os.path.getsize(cross.built[architecture]) > 100_000


@pytest.mark.long
def test_it_is_an_executable_of_its_processor(program, architecture):
    assert program.processor == macho.PROCESSORS[architecture]
    assert program.kind == macho.EXECUTE
    assert program.flags & macho.POSITION_INDEPENDENT


@pytest.mark.long
def test_it_runs_on_the_systems_it_is_for(program):
    assert program.platform == macho.PLATFORM_MACOS
    assert program.least_system == (13, 0)


@pytest.mark.long
def test_it_is_signed_where_nothing_unsigned_runs(program, architecture):
    assert program.signed or architecture != "aarch64"


@pytest.mark.long
def test_it_loads_nothing_that_macos_does_not_have(program):
    assert sorted(program.libraries) == sorted([SYSTEM, CURSES])


@pytest.mark.long
def test_macos_has_every_symbol_it_asks_for(program, cross, architecture):
    assert program.flags & macho.NO_UNDEFINED
    assert {"_kqueue", "_posix_spawn", "_posix_spawn_file_actions_addinherit_np"} <= set(program.undefined)
    curses = curses_symbols(architecture)
    there = system_symbols(cross, architecture) | curses
    assert [name for name in program.undefined if name not in there] == []
    assert curses <= set(program.undefined), "the list has a name that is not used any more"


def test_a_symbol_that_macos_lacks_is_seen(cross, architecture, tmp_path):
    """Proves that the two checks above work: the linker refuses such a symbol, and the list doesn't have it."""
    source = "int pidfd_open(int pid, unsigned flags);\nint main(void) { return pidfd_open(1, 0); }\n"
    linked = cross.compile(architecture, source, "-o", str(tmp_path / "program"))
    assert linked.returncode != 0
    assert "undefined symbol: _pidfd_open" in linked.stderr
    there = system_symbols(cross, architecture)
    assert len(there) > 5000
    assert "_kqueue" in there and "_pidfd_open" not in there


def test_what_came_with_a_later_macos_is_seen(cross, architecture, tmp_path):
    source = "#include <unistd.h>\nint main(void) { int ends[2]; return pipe2(ends, 0); }\n"
    compiled = cross.compile(architecture, source, "-Werror", "-c", "-o", str(tmp_path / "object"))
    assert compiled.returncode != 0
    assert "'pipe2' is only available on macOS" in compiled.stderr


def test_there_are_files_for_macos_alone():
    assert "src/lib/os-darwin.c" in OURS


@pytest.mark.parametrize("path", OURS)
def test_what_is_for_macos_alone_is_tidy(cross, path):
    """Runs clang-tidy, which otherwise sees only what Linux compiles."""
    library = os.path.join(os.path.dirname(cross.zig()), "lib")
    # The headers ask for a newer clang than most systems have, but only for one kind of target, which this is not.
    done = subprocess.run(
        ["clang-tidy", "--quiet", path, "--", "--target=arm64-apple-macos13.0", "-std=gnu17", "-Wall", "-Wextra",
         "-Wno-unused-parameter", "-Wno-builtin-macro-redefined", "-D__is_target_environment(name)=0", "-Isrc", "-nostdinc",
         "-isystem", os.path.join(library, "include"), "-isystem", os.path.join(library, "libc/include/any-darwin-any")],
        cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
