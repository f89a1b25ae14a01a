# Sets a repo up after its first clone; setup-find.sh is put in front of it. Arguments: the repo's folder below ~/code, then shell
# commands. Without commands, runs what the lock files ask for. Prints "command TEXT" before each command that it runs. The first
# that fails is the last.
cd "$HOME/code/$1" || exit
shift

run() {
        printf 'command %s\n' "$1"
        sh -lc "$1" </dev/null || exit
}

# TOOL COMMAND
with() {
        sh -lc "command -v $1" </dev/null >/dev/null || {
                printf 'command %s\n' "$2"
                echo "$1 is not installed in this VM: a recipe or a profile can bring it" >&2
                exit 127
        }
        run "$2"
}

# What changes while this runs is explained by the set-up (work.sh).
explain() {
        status=$?
        echo "$begun $(date +%s.%N)" | sudo -n tee -a /var/lib/machine/explained >/dev/null 2>&1
        exit $status
}

found=$(find_setup)
[ $# -gt 0 ] || [ -n "$found" ] || exit 0
begun=$(date +%s.%N)
trap explain EXIT
if [ $# -gt 0 ]; then
        for command in "$@"; do
                run "$command"
        done
else
        echo "$found" | while read -r tool command; do
                with "$tool" "$command"
        done
fi
