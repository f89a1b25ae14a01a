# Opens an agent in a tmux session, or comes back to it. Arguments: the session's name, the folder below ~/code to start in ("" =
# the home), the agent's program, and its arguments.
#
# tmux runs on a socket of our own, so that no other tmux server is touched. What it starts sees SSH_AUTH_SOCK as a link to the
# agent of the newest session from the host. The link leads nowhere once that session has ended.
#
# Exit status: the agent's, when it has ended; 0 when the user left the session and it goes on; 127 when there is no such program; 126
# when there is no tmux.
set -u
session=$1 folder=$2 agent=$3
shift 2

run=${XDG_RUNTIME_DIR:-/tmp}/machine-agent
shell=${SHELL:-/bin/sh}
status=$run/$session.status
(umask 077 && mkdir -p "$run") || exit 1
cd || exit 1
if [ -n "$folder" ] && [ -d "code/$folder" ]; then
        cd "code/$folder" || exit 1
fi

tmux() {
        command tmux -u -L machine "$@"
}

there() {
        tmux has-session -t "=$session" 2>/dev/null
}

command -v tmux >/dev/null || {
        echo "tmux is not installed in this VM" >&2
        exit 126
}
# The program is looked for the way it will be started: by a login shell, which expands what is in quotes.
# shellcheck disable=SC2016
if ! there && ! "$shell" -lic 'command -v -- "$1" >/dev/null' sh "$agent" 2>/dev/null; then
        echo "'$agent' is not installed in this VM" >&2
        exit 127
fi
# The guest may not know this type of terminal.
tput -T "${TERM:-dumb}" longname >/dev/null 2>&1 || TERM=xterm-256color
export TERM LANG="${LANG:-C.UTF-8}"
if [ -n "${SSH_AUTH_SOCK:-}" ]; then
        ln -sfn "$SSH_AUTH_SOCK" "$run/auth.$$" && mv -fT "$run/auth.$$" "$run/auth"
fi
export SSH_AUTH_SOCK="$run/auth"

there || rm -f "$status"
# shellcheck disable=SC2016
tmux new-session -A -s "$session" -e "SSH_AUTH_SOCK=$SSH_AUTH_SOCK" \
        "$shell" -lic 'file=$1; shift; "$@"; echo $? >"$file"' sh "$status" "$@" || exit
if there; then
        exit 0
fi
[ -s "$status" ] || exit 1
exit "$(cat "$status")"
