# Prints what a repo's working tree has changed, for `machine mcp`. Arguments: status|diff AGAINST. Runs in the repo.
set -u
part=$1
against=$2

ask() {
        git --no-pager -c core.quotePath=false "$@"
}

ask rev-parse --is-inside-work-tree >/dev/null || exit
if [ "$part" = status ]; then
        ask status --short --branch
        exit
fi
commit=$(ask rev-parse --verify --quiet --end-of-options "$against^{commit}")
# Before the first commit everything is new.
[ -n "$commit" ] || [ "$against" != HEAD ] || commit=$(ask hash-object -t tree /dev/null)
if [ -z "$commit" ]; then
        echo "there is no commit, branch or tag '$against'" >&2
        exit 1
fi
ask diff --no-color --no-ext-diff --no-textconv "$commit" --
