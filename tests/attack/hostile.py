"""A checkout as an attacker would deliver it: an archive that somebody unpacks. Git's own files in it are made to run a program on this
computer, or to bring another project's code into the VM. Each trick is a function that changes an otherwise good checkout. A program
that it makes git run leaves a file in the folder of proofs."""

import os
import shutil

TOML = 'repos = ["."]\ncpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n'
MISSING = "a" * 40


class Place:
    """A checkout `notes` in a program's home, another project `secret` beside it, and the folder of proofs."""

    def __init__(self, program):
        self.program = program
        self.folder = os.path.join(program.home, "notes")
        self.secret = os.path.join(program.home, "secret")
        self.proofs = os.path.join(program.root, "proofs")

    def reset(self):
        for folder in (self.folder, self.secret, self.proofs):
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder, 0o700)
        for folder, text in ((self.folder, "one"), (self.secret, "secret")):
            self.git("init", "--quiet", cwd=folder)
            self.write("text", text + "\n", folder)
            if folder == self.folder:
                self.write(".machine.toml", TOML)
            self.git("add", "--all", cwd=folder)
            self.git("commit", "--quiet", f"--message={text}", cwd=folder)
        return self

    def git(self, *args, cwd=None):
        return self.program.git(*args, cwd=cwd or self.folder)

    def config(self, key, value):
        self.git("config", "--add", key, value)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def write(self, name, text, folder=None, mode=0o600):
        path = os.path.join(folder or self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def commit(self, message):
        """Commits with settings that the tricks so far don't affect."""
        quiet = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "filter.p.process=", "-c", "filter.p.required=false")
        self.git(*quiet, "add", "--all")
        self.git(*quiet, "commit", "--quiet", f"--message={message}")
        shutil.rmtree(self.proofs)
        os.mkdir(self.proofs, 0o700)

    def evil(self, name, then="exit 1"):
        """A program that leaves a proof."""
        return self.write(f"evil-{name}", f"#!/bin/sh\n: >'{self.proofs}/{name}'\n{then}\n", folder=self.program.root, mode=0o700)

    def proven(self):
        return sorted(os.listdir(self.proofs))


# --- what git would run

def nothing(place):
    """The good checkout itself. It shows that the other tests don't pass just because nothing works."""


def promisor(place):
    """A remote that git asks for missing objects, by a program that the configuration names."""
    for key, value in (("core.repositoryFormatVersion", "1"), ("extensions.partialClone", "far"), ("remote.far.url", place.folder),
                       ("remote.far.promisor", "true"), ("remote.far.uploadpack", place.evil("promisor"))):
        place.git("config", key, value)


def ext_url(place, key="insteadOf"):
    place.config("protocol.ext.allow", "always")
    place.config(f"url.ext::{place.evil('ext')} .{key}", "machine-notes:")


def ext_push_url(place):
    ext_url(place, "pushInsteadOf")


def ext_text(place):
    return f'[protocol "ext"]\n\tallow = always\n[url "ext::{place.evil("ext")} "]\n\tinsteadOf = "machine-notes:"\n'


def included(place):
    place.config("include.path", place.write(".more", ext_text(place)))
    place.commit("more")


def included_if(place):
    place.config(f"includeIf.gitdir:{place.folder}/.path", place.write(".more", ext_text(place)))
    place.commit("more")


def work_tree_config(place):
    place.git("config", "core.repositoryFormatVersion", "1")
    place.git("config", "extensions.worktreeConfig", "true")
    place.write(".git/config.worktree", ext_text(place))


def filtered(place, name, attributes):
    """A new file with these attributes and another time than the index has, so that git looks into it."""
    with open(place.path(".gitattributes"), "a") as file:
        file.write(attributes)
    place.write(name, "as it was\n")
    place.commit(name)
    os.utime(place.path(name), (1, 1))


def filter_clean(place):
    filtered(place, "clean", "clean filter=c\n")
    place.config("filter.c.clean", place.evil("filter-clean", then="cat"))


def filter_process(place):
    filtered(place, "process", "process filter=p\n")
    place.config("filter.p.process", place.evil("filter-process"))
    place.config("filter.p.required", "true")


def filter_by_macro(place):
    filtered(place, "macro", "[attr]binary filter=m\nmacro binary\n")
    place.config("filter.m.clean", place.evil("filter-macro", then="cat"))


def file_system_monitor(place):
    place.config("core.fsmonitor", place.evil("fsmonitor"))


HOOKS = ("pre-push", "reference-transaction", "post-index-change", "post-checkout", "post-rewrite", "pre-auto-gc", "push-to-checkout",
         "fsmonitor-watchman", "post-merge", "pre-receive", "update", "post-update", "proc-receive")


def hooks(place):
    os.makedirs(place.path(".git/hooks"), exist_ok=True)
    for hook in HOOKS:
        shutil.copy(place.evil(f"hook-{hook}"), place.path(f".git/hooks/{hook}"))


def hooks_path(place):
    for hook in HOOKS:
        shutil.copy(place.evil(f"hook-{hook}"), place.write(f"hooks/{hook}", "", mode=0o700))
    place.commit("hooks")
    place.config("core.hooksPath", "hooks")


def converters(place):
    """Programs for text conversion, diffs and merges."""
    filtered(place, "converted", "converted diff=x merge=x\n")
    for key in ("diff.x.textconv", "diff.x.command", "diff.external", "merge.x.driver"):
        place.config(key, place.evil(key))


def people(place):
    """Programs by which git asks people or shows them something."""
    for key in ("credential.helper", "core.pager", "pager.push", "pager.status", "core.editor", "sequence.editor", "core.askPass",
                "gpg.program", "gpg.ssh.program", "gpg.ssh.defaultKeyCommand"):
        place.config(key, place.evil(key))
    for key in ("push.gpgSign", "log.showSignature"):
        place.config(key, "true")


def transport(place):
    """Programs that reach another computer."""
    for key in ("core.sshCommand", "core.gitProxy", "core.alternateRefsCommand", "uploadpack.packObjectsHook"):
        place.config(key, place.evil(key))
    place.config("ssh.variant", "simple")


def submodule(place):
    """A submodule, whose repository has its own configuration."""
    place.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", place.secret, "lib")
    place.commit("lib")
    for key in ("core.fsmonitor", "filter.x.clean", "core.hooksPath"):
        place.git("config", key, place.evil("submodule"), cwd=place.path("lib"))
    place.write("lib/.gitattributes", "* filter=x\n")
    os.utime(place.path("lib/text"), (1, 1))
    for key, value in (("status.submoduleSummary", "true"), ("push.recurseSubmodules", "on-demand"), ("submodule.recurse", "true"),
                       ("diff.ignoreSubmodules", "none"), ("submodule.lib.ignore", "none"), ("submodule.lib.update", "!evil")):
        place.config(key, value)


def branch_names(place):
    """Branches and a tag whose names a shell would run, of which each could be a word of the script that takes them in."""
    evil = place.evil("name")
    for number, name in enumerate((f"$({evil})", f"`{evil}`", f"a;{evil};", f"b'{evil}'", f'c"{evil}"', f"d|{evil}", f"e&{evil}&", "-x", "--push")):
        place.git("-c", "core.hooksPath=/dev/null", "update-ref", f"refs/heads/{name}", "HEAD")
        place.git("-c", "core.hooksPath=/dev/null", "update-ref", f"refs/tags/{number}{name}", "HEAD")


def head_name(place):
    """The branch that is checked out has such a name."""
    branch_names(place)
    place.git("-c", "core.hooksPath=/dev/null", "symbolic-ref", "HEAD", f"refs/heads/$({place.evil('name')})")


RUNS_NOTHING = [nothing, promisor, ext_url, ext_push_url, included, included_if, work_tree_config, filter_clean, filter_process,
                filter_by_macro, file_system_monitor, hooks, hooks_path, converters, people, transport, submodule,
                branch_names, head_name]

# The tricks that can be in one checkout at the same time.
TOGETHER = [submodule, filter_clean, filter_process, filter_by_macro, converters, hooks, people, transport, file_system_monitor,
            promisor, ext_url, work_tree_config, branch_names]


# --- what is not a checkout, or leads to another project

def bare_repository(place):
    """The folder itself is a repository, of plain files that any archive can contain."""
    promisor(place)
    place.git("config", "core.bare", "true")
    for name in ("config", "objects", "refs"):
        shutil.move(place.path(f".git/{name}"), place.path(name))
    shutil.rmtree(place.path(".git"))
    place.write("HEAD", "ref: refs/heads/main\n")
    place.write("refs/heads/main", MISSING + "\n")


def unpacked_archive(place):
    """A .git without its last commit: git would ask the promisor remote for it."""
    promisor(place)
    place.write(".git/refs/heads/main", MISSING + "\n")


def unpacked_archive_without_files(place):
    """The commit is there, but one of its files is missing."""
    promisor(place)
    blob = place.git("rev-parse", "HEAD:text").out.strip()
    os.unlink(place.path(f".git/objects/{blob[:2]}/{blob[2:]}"))


def git_file(place):
    shutil.rmtree(place.path(".git"))
    place.write(".git", f"gitdir: {place.secret}/.git\n")


def common_folder(place):
    """A folder that passes for a linked work tree of the other project."""
    shutil.rmtree(place.path(".git"))
    place.write(".git", "gitdir: git\n")
    place.write("git/HEAD", "ref: refs/heads/main\n")
    place.write("git/commondir", f"{place.secret}/.git\n")
    place.write("git/gitdir", place.path(".git") + "\n")


def linked_folders(place):
    for name in ("objects", "refs"):
        shutil.rmtree(place.path(f".git/{name}"))
        os.symlink(f"{place.secret}/.git/{name}", place.path(f".git/{name}"))


def alternates(place):
    place.write(".git/objects/info/alternates", f"{place.secret}/.git/objects\n")
    os.unlink(place.path(".git/refs/heads/main"))
    os.symlink(f"{place.secret}/.git/refs/heads/main", place.path(".git/refs/heads/main"))


def folder_of_another(place):
    """A folder without a repository, unpacked inside another project's repository."""
    shutil.rmtree(place.path(".git"))
    os.rename(f"{place.secret}/.git", os.path.join(place.program.home, ".git"))


REFUSED = [
    (bare_repository, "is not a git repository"),
    (unpacked_archive, "cannot push"),
    (unpacked_archive_without_files, "cannot push"),
    (git_file, "doesn't name this folder"),
    (common_folder, "doesn't name this folder"),
    (linked_folders, "is not a folder"),
    (alternates, "has objects in another repository"),
    (folder_of_another, "is not in the last commit of"),
]
