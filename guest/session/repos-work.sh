# Finds what is in ~/code and exists nowhere else. Prints records "KEY VALUE…", each ended by a NUL:
#
#   repo NAME             what follows is about ~/code/NAME
#   files N               it is not a git repository, and has N files (counted up to 1000)
#   changed N             files that differ from the last commit
#   untracked N           files (or whole folders) that git doesn't know and doesn't ignore
#   stash N
#   branch COUNT TIP NAME commits on no remote-tracking branch; NAME is "HEAD" when they are on no branch
#   commit ID             one of the commits of the branch before (the newest 100)
#   submodule COUNT NAME  the same in a submodule
#   worktree PATH         changed, untracked and branch after it are about this additional work tree of the repo
#   unreadable TEXT       git failed
#   end                   always the last: without it the report is incomplete
set -u
code=$HOME/code
export LC_ALL=C GIT_OPTIONAL_LOCKS=0

command -v git >/dev/null || {
        echo "git is not installed" >&2
        exit 1
}

say() {
        printf '%s\0' "$*"
}

# Runs no program that a repo's configuration names, and looks at another user's repo too.
ask() {
        asked=$1
        shift
        git -C "$asked" -c core.fsmonitor=false -c core.hooksPath=/dev/null -c safe.directory='*' "$@"
}

unreadable() {
        say unreadable "$(head -c 300 "$tmp/err" | tr '\n' ' ')"
}

# FOLDER: what isn't committed there.
tree() {
        [ "$(ask "$1" rev-parse --is-inside-work-tree 2>/dev/null)" != false ] || return 0
        if ! ask "$1" status --porcelain=v1 -z --no-renames --untracked-files=normal --ignore-submodules=none \
                >"$tmp/out" 2>"$tmp/err"; then
                unreadable
                return
        fi
        counts=$(tr '\0\n' '\n ' <"$tmp/out" | awk '/^\?\? / { u++; next } { c++ } END { print c + 0, u + 0 }')
        [ "${counts% *}" = 0 ] || say changed "${counts% *}"
        [ "${counts#* }" = 0 ] || say untracked "${counts#* }"
}

# FOLDER NAME TIP NOT…: commits of TIP that no NOT reaches.
branch() {
        folder=$1 name=$2 tip=$3
        shift 3
        if ! count=$(ask "$folder" rev-list --count "$tip" --not "$@" -- 2>"$tmp/err"); then
                unreadable
        elif [ "$count" != 0 ]; then
                say branch "$count" "$tip" "$name"
                ask "$folder" rev-list --max-count=100 "$tip" --not "$@" -- | tr '\n' '\0' | sed -z 's/^/commit /'
        fi
}

# FOLDER: the commits of a detached HEAD that no branch has.
detached() {
        if tip=$(ask "$1" rev-parse -q --verify HEAD) && ! ask "$1" symbolic-ref -q HEAD >/dev/null; then
                branch "$1" HEAD "$tip" --branches --remotes
        fi
}

# FOLDER: all branches. A repo without work costs only one walk over all of them.
branches() {
        if ! count=$(ask "$1" rev-list --count --branches --not --remotes -- 2>"$tmp/err"); then
                unreadable
                return
        fi
        [ "$count" != 0 ] || return 0
        ask "$1" for-each-ref --format='%(objectname) %(refname:lstrip=2)' refs/heads >"$tmp/branches" 2>"$tmp/err" || unreadable
        while read -r tip name; do
                branch "$1" "$name" "$tip" --remotes
        done <"$tmp/branches"
}

# FOLDER: additional work trees, wherever they are.
worktrees() {
        own=$(ask "$1" rev-parse --show-toplevel 2>/dev/null)
        ask "$1" worktree list --porcelain -z >"$tmp/out" 2>"$tmp/err" || unreadable
        tr '\0\n' '\n?' <"$tmp/out" | sed -n 's/^worktree //p' >"$tmp/worktrees"
        while IFS= read -r path; do
                if [ "$path" = "$own" ] || [ ! -e "$path/.git" ]; then continue; fi
                say worktree "$path"
                tree "$path"
                detached "$path"
        done <"$tmp/worktrees"
}

# FOLDER: submodules, which have branches of their own.
submodules() {
        [ -f "$1/.gitmodules" ] || return 0
        # shellcheck disable=SC2016
        ask "$1" submodule --quiet foreach --recursive 'count=$(git rev-list --count --branches HEAD --not --remotes --) &&
                { [ "$count" = 0 ] || printf "submodule %s %s\0" "$count" "$displaypath"; }' 2>"$tmp/err" || unreadable
}

# FOLDER: is it an additional work tree of a repo that is looked at anyway?
seen() {
        [ -f "$1/.git" ] || return 1
        common=$(ask "$1" rev-parse --path-format=absolute --git-common-dir 2>/dev/null) || return 1
        main=${common%/.git}
        [ "$main" != "$common" ] && [ "$main" != "$1" ] && [ "${main%/*}" = "$code" ]
}

repo() {
        say repo "${1##*/}"
        tree "$1"
        if ask "$1" rev-parse -q --verify refs/stash >/dev/null 2>&1; then
                if count=$(ask "$1" rev-list -g --count refs/stash -- 2>"$tmp/err"); then say stash "$count"; else unreadable; fi
        fi
        branches "$1"
        detached "$1"
        submodules "$1"
        worktrees "$1"
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
for entry in "$code"/* "$code"/.[!.]*; do
        name=${entry##*/}
        if [ -e "$entry/.git" ] || { [ -f "$entry/HEAD" ] && [ -d "$entry/objects" ]; }; then
                case $name in .partial.*) continue ;; esac
                seen "$entry" || repo "$entry"
        elif [ -e "$entry" ] && [ "${name#.}" = "$name" ]; then
                count=$(find "$entry" ! -type d 2>/dev/null | head -n 1000 | wc -l)
                [ "$count" = 0 ] || { say repo "$name" && say files "$count"; }
        fi
done
say end
