"""What only one system has is used only in files named for that system, and in the folders that are built only on Linux."""

import re

import pytest
import tree

# Folders that are built only on Linux.
LINUX_ROOMS = {"qemu", "log", "net", "shim"}

# What Linux (its kernel, or glibc) has and macOS doesn't have, or has with another meaning. macOS here is the least version that
# the cross build is for (tools/darwin). Words are whole words; a star stands for the rest of a word.
LINUX = {
    "header": """
        linux/* asm/* seccomp.h byteswap.h crypt.h endian.h error.h features.h malloc.h mntent.h mqueue.h obstack.h
        pty.h shadow.h stdio_ext.h sys/auxv.h sys/capability.h sys/epoll.h sys/eventfd.h sys/fanotify.h sys/fsuid.h
        sys/inotify.h sys/personality.h sys/pidfd.h sys/prctl.h sys/random.h sys/sendfile.h sys/signalfd.h sys/statfs.h sys/syscall.h
        sys/sysinfo.h sys/sysmacros.h sys/timerfd.h sys/vfs.h sys/xattr.h threads.h uchar.h
    """,
    "function": """
        accept4 canonicalize_file_name clearenv clock_nanosleep clone3 close_range closefrom copy_file_range dup3 eaccess
        epoll_* euidaccess eventfd execveat execvpe explicit_bzero fallocate fanotify_* fdatasync fexecve fopencookie
        get_current_dir_name getauxval getrandom getresgid getresuid gettid inotify_* memfd_create mempcpy memrchr
        mount mq_open mremap open_by_handle_at pidfd_* pipe2 pivot_root posix_fadvise posix_fallocate
        posix_spawn_file_actions_addclosefrom_np posix_spawn_file_actions_addtcsetpgrp_np ppoll prctl preadv2
        process_vm_readv process_vm_writev program_invocation_name program_invocation_short_name
        pthread_mutex_timedlock pthread_setaffinity_np pthread_setname_np pthread_spin_* pthread_barrier_* pthread_timedjoin_np
        pthread_tryjoin_np pwritev2 qsort_r rawmemchr renameat2 sched_getaffinity sched_setaffinity secure_getenv sem_init
        sem_timedwait sendfile sendmmsg recvmmsg setfsgid setfsuid setns setresgid setresuid sigabbrev_np sigdescr_np
        signalfd sigtimedwait sigwaitinfo splice statx strchrnul strdupa strerrordesc_np strerrorname_np strndupa strverscmp
        sync_file_range syncfs syscall sysinfo tee tgkill timer_create timerfd_* umount umount2 unshare vmsplice
    """,
    "name": """
        AT_EMPTY_PATH BTRFS_* CLOCK_BOOTTIME CLOCK_MONOTONIC_COARSE CLOCK_REALTIME_COARSE CLONE_FS CLONE_NEW* CLONE_VM EBADFD ELIBACC ENOMEDIUM ENOTUNIQ
        EPOLL* EREMOTEIO ERESTART FICLONE FICLONERANGE F_ADD_SEALS F_GETPIPE_SZ F_GET_SEALS F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW
        F_SETPIPE_SZ IN_CREATE IN_DELETE IN_MODIFY IN_MOVED_TO MAP_POPULATE MFD_* MSG_CMSG_CLOEXEC MSG_MORE
        MSG_NOSIGNAL O_DIRECT O_LARGEFILE O_NOATIME O_PATH O_TMPFILE PF_NETLINK AF_NETLINK AF_VSOCK POLLRDHUP PR_* RENAME_NOREPLACE
        RENAME_EXCHANGE RENAME_WHITEOUT SCM_CREDENTIALS SOCK_CLOEXEC SOCK_NONBLOCK SO_DOMAIN SO_PASSCRED SO_PEERCRED
        SYS_* TEMP_FAILURE_RETRY s6_addr32 st_atim st_ctim st_mtim ucred
    """,
    "file": "/proc /sys /dev/kvm /dev/vhost-* /dev/net /run",
}

# The same for macOS.
DARWIN = {
    "header": """
        Availability.h AvailabilityMacros.h CoreFoundation/* Security/* TargetConditionals.h bsm/* copyfile.h crt_externs.h
        dispatch/* launch.h libkern/* libproc.h mach-o/* mach/* membership.h os/* sandbox.h sys/clonefile.h sys/event.h
        sys/proc_info.h sys/sysctl.h sys/ucred.h util.h xpc/*
    """,
    "function": """
        _NSGetArgv _NSGetEnviron _NSGetExecutablePath arc4random arc4random_buf clonefile clonefileat copyfile fclonefileat
        fcopyfile fgetattrlist getattrlist getattrlistbulk getpeereid getprogname kevent kevent64 kqueue mach_*
        posix_spawn_file_actions_addinherit_np proc_listallpids proc_listpids proc_pidfdinfo proc_pidinfo proc_pidpath
        pthread_chdir_np renameatx_np renamex_np sandbox_init setattrlist setprogname strlcat strlcpy sysctl sysctlbyname task_for_pid task_info
    """,
    "name": """
        EVFILT_* EV_ADD EV_SET F_BARRIERFSYNC F_FULLFSYNC F_GETPATH F_NOCACHE F_SETNOSIGPIPE LOCAL_PEERCRED LOCAL_PEEREPID
        LOCAL_PEERPID LOCAL_PEERTOKEN NOTE_* O_EVTONLY O_EXLOCK O_NOFOLLOW_ANY O_SHLOCK O_SYMLINK
        POSIX_SPAWN_CLOEXEC_DEFAULT RENAME_EXCL RENAME_SWAP SOL_LOCAL SO_NOSIGPIPE st_atimespec st_birthtimespec
        st_ctimespec st_mtimespec xucred
    """,
    "file": "/private /Library /System /Applications /Volumes",
}

FORMS = {
    "header": r"^\s*#\s*include\s*<(?:{words})>",
    "function": r"(?<![\w.>])(?:{words})(?=\s*[(;,)])",
    "name": r"(?<!\w)(?:{words})(?!\w)",
    "file": r'"(?:{words})(?=[/"])',
}

def patterns(table):
    for kind, text in table.items():
        words = "|".join(re.escape(word).replace(r"\*", r"[\w./-]*") for word in text.split())
        yield kind, re.compile(FORMS[kind].replace("{words}", words))


def uses(path, table):
    """Line and word of each use in a C file. Comments don't count. Strings count only as names of files."""
    code = dict(tree.code_lines(path))
    for kind, pattern in patterns(table):
        for number, line in tree.lines(path):
            # Comments are blank in the code. A line that is blank there is skipped in the text too.
            text = line if kind in ("header", "file") and code[number].strip() else code[number]
            for match in pattern.finditer(text):
                yield number, match.group(0).strip('"')


def files_of_all_systems(suffix, rooms=()):
    """The files that are not for one system. Those are told by the end of their name: os-linux.c."""
    for path in tree.files("src", suffixes=(".c", ".h", ".cc")):
        if path.split("/")[1] not in rooms and not re.search(rf"-{suffix}\.[ch]$", path):
            yield path


def test_there_are_files_to_look_at():
    assert {"src/lib/os.h", "src/lib/os-darwin.c", "src/command/main.c"} <= set(files_of_all_systems("linux", LINUX_ROOMS))


def test_what_only_linux_has_is_used_in_files_for_linux_alone():
    tree.none([f"{path}:{number}: {word} is not in macOS" for path in files_of_all_systems("linux", LINUX_ROOMS)
               for number, word in uses(path, LINUX)])


def test_what_only_macos_has_is_used_in_files_for_macos_alone():
    tree.none([f"{path}:{number}: {word} is not in Linux" for path in files_of_all_systems("darwin")
               for number, word in uses(path, DARWIN)])


@pytest.mark.parametrize("table, text", [
    (LINUX, "#include <sys/inotify.h>"),
    (LINUX, "# include <linux/kvm.h>"),
    (LINUX, "int fd = accept4(listener, NULL, NULL, 0);"),
    (LINUX, "if (pidfd_open(pid, 0) < 0)"),
    (LINUX, "call = memrchr;"),
    (LINUX, "socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)"),
    (LINUX, "struct ucred peer;"),
    (LINUX, "status.st_mtim.tv_sec"),
    (LINUX, 'open("/proc/self/exe", O_RDONLY)'),
    (LINUX, 'open("/sys", O_RDONLY)'),
    (DARWIN, "#include <sys/event.h>"),
    (DARWIN, "int queue = kqueue();"),
    (DARWIN, "fcntl(fd, F_FULLFSYNC)"),
    (DARWIN, 'path_join("/Library/Preferences", name)'),
])
def test_a_use_is_found(table, text, tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "ROOT", str(tmp_path))
    (tmp_path / "planted.c").write_text(f"/* a file */\nint x;\n{text}\n")
    assert [number for number, _ in uses("planted.c", table)] == [3]


@pytest.mark.parametrize("text", [
    "/* pidfd_open(2) is what Linux has, SOCK_CLOEXEC too. */",
    "int os_pipe2(int ends[2]);",
    "entry.mount(1);",
    "watch->statx(1);",
    'error_set(err, "cannot call memrchr(");',
    'path_join(folder, "machine/proc/x");',
    "#include <sys/socket.h>",
])
def test_what_only_looks_like_a_use_is_none(text, tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "ROOT", str(tmp_path))
    (tmp_path / "planted.c").write_text(text + "\n")
    assert list(uses("planted.c", LINUX)) == []
