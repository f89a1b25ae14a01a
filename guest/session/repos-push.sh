# Takes in a checkout that the host pushes. Arguments: begin RUN NAME BRANCH FORMAT, or finish RUN NAME HEAD.
#
# begin makes an empty repo whose HEAD is BRANCH; the host pushes into it. finish checks out HEAD (a commit) where that
# isn't done yet, remembers as refs/remotes/host/… what came, so that work done here can be told from it, and gives the repo
# its name.
set -eu
code=$HOME/code
repo=$code/.partial.$2/$3
umask 022

case $1 in
begin)
        mkdir -p "$code/.partial.$2"
        git init -q -b "$4" --object-format="$5" -- "$repo"
        cd "$repo"
        git config receive.denyCurrentBranch updateInstead
        git config receive.shallowUpdate true
        ;;
finish)
        head=${4:-}
        cd "$repo"
        if [ -n "$head" ] && [ "$(git rev-parse -q --verify HEAD || :)" != "$head" ]; then
                git -c advice.detachedHead=false checkout -q --detach "$head"
        fi
        git for-each-ref --format='update refs/remotes/host/%(refname:lstrip=2) %(objectname)' refs/heads |
                git update-ref --stdin
        if git rev-parse -q --verify refs/machine/head >/dev/null; then
                git update-ref refs/remotes/host/detached refs/machine/head
                git update-ref -d refs/machine/head
        fi
        cd "$code"
        mv -T -- "$repo" "$code/$3"
        rmdir "$code/.partial.$2" 2>/dev/null || :
        ;;
esac
