# Clones repos, all at once. Arguments: RUN, then NAME URL for each. The arguments and $known_hosts, the host keys that
# ~/.ssh/known_hosts must have, are set in lines put in front of this script.
#
# Prints "NUMBER said LINE" for each line that git prints about a repo, counted from 0, and "NUMBER ended STATUS" at its end.
set -u
code=$HOME/code
partial=$code/.partial.$1
shift

umask 077
hosts=$HOME/.ssh/known_hosts
mkdir -p "$HOME/.ssh" && touch "$hosts" || exit 1
# A last line without a newline would swallow the first one of ours.
[ -z "$(tail -c 1 "$hosts")" ] || echo >>"$hosts"
missing=$(printf '%s' "${known_hosts:-}" | grep -vxFf "$hosts")
[ -z "$missing" ] || printf '%s\n' "$missing" >>"$hosts" || exit 1
umask 022
mkdir -p "$partial" || exit 1

export LC_ALL=C GIT_TERMINAL_PROMPT=0
# git gives this to a shell, which fills in $HOME; the inner quotes are for ssh.
# shellcheck disable=SC2016
export GIT_SSH_COMMAND='ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o UserKnownHostsFile="\"$HOME/.ssh/known_hosts\"" -o ConnectTimeout=30 -o ServerAliveInterval=15'

# git ends a progress line with a carriage return. Without stdbuf, tr would keep it until its buffer is full.
lines='stdbuf -oL tr'
command -v stdbuf >/dev/null || lines='tr'

fetch() {
        git -c http.lowSpeedLimit=1 -c http.lowSpeedTime=60 -c advice.detachedHead=false \
                clone --progress --recurse-submodules -- "$2" "$partial/$1" </dev/null &&
                mv -T -- "$partial/$1" "$code/$1"
}

# NUMBER NAME URL
clone() {
        status=$({
                {
                        fetch "$2" "$3" 2>&1 3>&- 4>&-
                        echo "$?" >&3
                } | $lines '\r' '\n' | while IFS= read -r line; do
                        printf '%s said %s\n' "$1" "$line" >&4
                done
        } 3>&1)
        printf '%s ended %s\n' "$1" "$status" >&4
}

exec 4>&1
number=0
while [ $# -ge 2 ]; do
        clone "$number" "$1" "$2" &
        number=$((number + 1))
        shift 2
done
wait
rm -rf "$code"/.partial.*
exit 0
