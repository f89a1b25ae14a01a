# Reads or writes one file below a folder, and none outside of it (src/guest/file.c). Arguments:
#
#         read FOLDER PATH OFFSET LIMIT    prints "machine-file: SIZE" and a line end, then at most LIMIT bytes of the file
#         write FOLDER PATH LENGTH         puts what comes on stdin in place of the file, if it has that LENGTH, and prints
#                                          "machine-file: created" or "machine-file: replaced"
#
# A refusal is a line on stderr that begins with "machine-file refused: ".
set -u
what=$1
folder=$2
path=$3

refuse() {
        printf 'machine-file refused: %s\n' "$1" >&2
        exit 1
}

root=$(cd -- "$folder" 2>/dev/null && pwd -P) || refuse "there is no folder '$folder'"
case $path in
/*) whole=$path ;;
*) whole=$root/$path ;;
esac
target=$(realpath -m -- "$whole" 2>/dev/null) || refuse "'$path' can't be a file"
case $target in
"$root"/*) ;;
*) refuse "'$path' is not in the folder '$folder'" ;;
esac

if [ "$what" = read ]; then
        [ -e "$target" ] || refuse "there is no file '$path'"
        [ ! -d "$target" ] || refuse "'$path' is a folder"
        [ -f "$target" ] || refuse "'$path' is not a regular file"
        [ -r "$target" ] || refuse "'$path' may not be read by this user"
        printf 'machine-file: %s\n' "$(stat -c %s -- "$target")"
        tail -c "+$(($4 + 1))" -- "$target" | head -c "$5"
        exit 0
fi

parent=${target%/*}
partial=
trap '[ -z "$partial" ] || rm -f -- "$partial"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p -- "$parent" 2>/dev/null || refuse "the folder of '$path' can't be made"
[ ! -e "$target" ] || [ -f "$target" ] || refuse "'$path' is not a regular file"
partial=$(mktemp -- "$parent/.machine-XXXXXX" 2>/dev/null) || refuse "no file can be made beside '$path'"
cat >"$partial" || refuse "'$path' can't be written"
[ "$(stat -c %s -- "$partial")" = "$4" ] || refuse "'$path' did not come as a whole, so it was left as it is"
if [ -e "$target" ]; then
        chmod --reference="$target" -- "$partial"
        how=replaced
else
        chmod "=rw" -- "$partial"
        how=created
fi
mv -f -- "$partial" "$target" || refuse "'$path' can't be replaced"
partial=
printf 'machine-file: %s\n' "$how"
