# What `machine race` does in a fork's first repo (src/guest/branch.c). Arguments: VERB FOLDER, the folder below ~/code, and
#
#   tree                  prints the tree of what the work tree has, committed or not
#   diff TREE             prints FILES ADDED REMOVED: how what the work tree has now differs from that tree
#   save BRANCH MESSAGE   commits what is not committed; prints the last commit, or nothing when there is none
#   pack COMMIT           writes a pack with the commit and all before it, without what the commits on stdin reach
#   refs                  prints what each ref leads to
set -u
verb=$1
cd -- "$HOME/code/$2" || exit
shift 2

# All that git does not ignore, committed or not.
tree() {
        index=$(git rev-parse --absolute-git-dir)/machine-index.$$ || exit
        trap 'rm -f -- "$index" "$index.lock"' EXIT
        cp -- "$(git rev-parse --git-path index)" "$index" 2>/dev/null
        GIT_INDEX_FILE=$index git add --all >/dev/null || exit
        GIT_INDEX_FILE=$index git write-tree
}

diff() {
        now=$(tree) || exit
        git diff-tree -r --no-renames --numstat "$1" "$now" |
                awk '{ if ($1 != "-") { added += $1; removed += $2 } } END { printf "%d %d %d\n", NR, added, removed }'
}

refuse_unfinished() {
        for name in MERGE_HEAD CHERRY_PICK_HEAD REVERT_HEAD rebase-merge rebase-apply; do
                [ ! -e "$(git rev-parse --git-path "$name")" ] || {
                        echo "git is in the middle of something ($name)" >&2
                        exit 1
                }
        done
}

save() {
        if [ -n "$(git status --porcelain)" ]; then
                refuse_unfinished
                git add --all >/dev/null && git commit --quiet --no-verify --message "$2" >/dev/null || exit
        fi
        tip=$(git rev-parse --quiet --verify 'HEAD^{commit}') || exit 0
        base=$(git rev-parse --quiet --verify "refs/heads/$1^{commit}") || base=$tip
        # Whoever worked here may have gone on with a branch of their own.
        git merge-base --is-ancestor "$base" "$tip" || tip=$base
        echo "$tip"
}

pack() {
        {
                git cat-file --batch-check='%(objecttype) %(objectname)' | sed -n 's/^commit /^/p'
                echo "$1"
        } | git pack-objects --revs --delta-base-offset --quiet --stdout
}

refs() {
        git for-each-ref --format='%(objectname)'
}

"$verb" "$@"
