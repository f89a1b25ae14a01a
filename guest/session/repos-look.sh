# Finds which of the project's repos are there. Arguments: folder names below ~/code, and in front of them, maybe, --push RUN NAME
# BRANCH FORMAT HEAD SHALLOW REFS TEXT. Prints one line for each folder name: "have", "missing", or "taken" (something else has the
# name).
#
# With --push, setup-find.sh is put in front of this script. If NAME is missing, its line is "receiving", and a repo is made from
# what comes on stdin (src/guest/push.h): SHALLOW bytes of shallow commits, REFS bytes of refs (TEXT are the refs if there are few), and
# a pack if there are refs. HEAD, a commit, is checked out as BRANCH, or detached if BRANCH is empty. If HEAD is empty, nothing is checked out. FORMAT is that of the repo's
# objects. The line after "receiving" is "setup" if the repo's lock files ask for something, else "plain".
#
# The repo is made as ~/code/.partial.RUN and renamed when it is complete. What is left under that name was killed on the way, or is
# just being killed: its makers are ended first.
set -u
code=$HOME/code
push=

[ -d "$code" ] || mkdir -p "$code" || exit

# RUN: prints the processes that make repos under that name: it is among their arguments. The pattern doesn't match its own text.
makers() {
        grep -lzs -e "[.]partial[.]$1" -e "^[${1%"${1#?}"}]${1#?}\$" /proc/[0-9]*/cmdline | tr -dc '0-9\n'
}

# RUN: ends them. The script among them leads a process group. No other `up` of this VM is at work while this one is.
end_makers() {
        tries=100
        while [ $tries -gt 0 ]; do
                found=$(makers "$1")
                [ -n "$found" ] || return 0
                for pid in $found; do
                        kill -s KILL -- "-$pid" "$pid" 2>/dev/null
                done
                tries=$((tries - 1))
                sleep 0.1
        done
}

for left in "$code"/.partial.*; do
        [ -e "$left" ] || break
        made_by=${left##*/.partial.}
        case $made_by in
        *[!0-9a-f]*) ;;
        ????????????????) end_makers "$made_by" ;;
        esac
        rm -rf "$left"
done

# Uses few programs: each takes its time on an emulated processor. A later push may change what is checked out, if nothing is lost.
receive() {
        set -e
        umask 022
        partial=$code/.partial.$run
        GIT_DEFAULT_REF_FORMAT=files git init -q -b "${branch:-none}" --object-format="$format" -- "$partial"
        cd "$partial"
        printf '[receive]\n\tdenyCurrentBranch = updateInstead\n\tshallowUpdate = true\n' >>.git/config
        [ "$shallow" = 0 ] || head -c "$shallow" >.git/shallow
        [ "$refs" = 0 ] || head -c "$refs" >.git/packed-refs
        [ -z "$text" ] || printf '%s' "$text" >.git/packed-refs
        [ ! -e .git/packed-refs ] || git index-pack --stdin >/dev/null
        if [ -z "$branch" ]; then
                git checkout -q --detach "$head"
        elif [ -n "$head" ]; then
                git reset -q --hard
        fi
        cd "$code"
        mv -T -- "$partial" "$push"
        cd "$push"
        [ -n "$(find_setup)" ] && echo setup || echo plain
        set +e
}

if [ "${1:-}" = --push ]; then
        run=$2 push=$3 branch=$4 format=$5 head=$6 shallow=$7 refs=$8 text=$9
        shift 9
fi
for name in "$@"; do
        if [ -e "$code/$name/.git" ]; then
                echo have
        # An empty folder doesn't count as taken.
        elif { [ -e "$code/$name" ] || [ -L "$code/$name" ]; } && ! rmdir "$code/$name" 2>/dev/null; then
                echo taken
        elif [ "$name" = "$push" ]; then
                echo receiving
                receive
        else
                echo missing
        fi
done
