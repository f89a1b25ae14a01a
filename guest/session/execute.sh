# Runs one command for a program on the host (src/guest/execute.c). Arguments:
#
#         MARK FOLDER program PROGRAM ARGUMENT…
#         MARK FOLDER script SCRIPT NAME ARGUMENT…    for bash
#
# stdin is a lifeline: it stays open as long as somebody waits for the command. When it ends, all of the command's process group
# ends, also what ignores the hang-up. On both outputs a line with the MARK says where the login's output ends and the command's
# begins.
mark=$1
folder=$2
kind=$3
shift 3
if ! cd -- "$folder" 2>/dev/null; then
        printf '%sfolder\n' "$mark" >&2
        exit 1
fi
exec 8<&0 </dev/null
# It is nobody's child, and has none of the command's outputs, which would keep sshd waiting.
lifeline=$({ trap '' HUP; read -r _ || { kill -s HUP 0; sleep 1; kill -s KILL 0; }; } <&8 >/dev/null 2>&1 & echo $!)
printf '%sbegun\n' "$mark" >&2
printf '%sbegun\n' "$mark"
[ "$kind" != script ] || set -- bash -c "$@"
"$@" 8<&-
status=$?
# A command may have failed because nobody listens any more. Then what it has left behind is the lifeline's, whose end comes at the
# same moment. The wait is bash's, since sh has none.
[ "$status" = 0 ] || bash -c 'read -r -t 0.1 _ <&8' || [ $? != 1 ] || exit "$status"
kill -s KILL "$lifeline" 2>/dev/null
exit "$status"
