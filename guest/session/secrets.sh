# Keeps a project's secrets in the guest's memory. Arguments: "mark" (prints the MARK of the last load), "clear", or "load MARK", which
# reads from stdin, for each secret, a line "secret NAME LENGTH" or "environment ID LENGTH" and LENGTH bytes: a value, or KEY=VALUE
# pairs ended by NULs. For the audit: "plant" puts what is on stdin beside the secrets, then has the guest's disk written; "unplant"
# removes it.
#
# One of these at a time: the others wait. A load that was cut off leaves the old secrets without their mark, and the next one removes
# what it left.
#
# /run/secrets/NAME has a value. For a shell to read, $XDG_RUNTIME_DIR/dev-secrets/machine.env has all values, and ID.env those of
# an environment. All of it is in a tmpfs of its own that is never swapped and that only the user can read.
set -eu
umask 077
where=/run/secrets
runtime=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}

mounted() {
        mountpoint -q $where
}

if [ "$1" = mark ]; then
        cat $where/.mark 2>/dev/null || :
        exit
fi
exec 9<"$HOME"
flock -w 50 9 || {
        echo "another process changes this VM's secrets and does not end" >&2
        exit 1
}
case $1 in
clear)
        ! mounted || find $where -mindepth 1 -delete
        exit
        ;;
unplant)
        rm -f $where/.planted
        exit
        ;;
esac

mounted || sudo -n sh -euc '
        options=mode=0700,uid=$2,gid=$3,size=32m,nosuid,nodev,noexec
        mkdir -p "$1"
        mount -t tmpfs -o "$options,noswap" secrets "$1" 2>/dev/null || {
                # A kernel before 6.4 has no noswap. Without swap that makes no difference.
                [ "$(wc -l </proc/swaps)" -le 1 ] || { echo "this kernel would swap secrets out" >&2; exit 1; }
                mount -t tmpfs -o "$options" secrets "$1"
        }' sh $where "$(id -u)" "$(id -g)"
if [ "$1" = plant ]; then
        cat >$where/.planted
        sync
        exit
fi
[ ! -d "$runtime" ] || ln -sfn $where/.env "$runtime/dev-secrets"

rm -rf $where/.new
mkdir $where/.new $where/.new/.env
perl -e '
        use strict; use warnings;
        my $new = shift;
        sub take {
                my ($length) = @_;
                my $data = "";
                while (length $data < $length) {
                        my $got = sysread STDIN, $data, $length - length $data, length $data;
                        die "cut off\n" if !$got;
                }
                return $data;
        }
        sub put {
                my ($name, $data) = @_;
                open my $file, ">", "$new/$name" or die "$name: $!\n";
                print $file $data or die "$name: $!\n";
                close $file or die "$name: $!\n";
        }
        sub export {
                my ($name, $value) = @_;
                $value =~ s/\x27/\x27\\\x27\x27/g;
                return "export $name=\x27$value\x27\n";
        }
        my $all = "";
        while (1) {
                my $line = "";
                while ($line !~ /\n/) {
                        my $got = sysread STDIN, $line, 1, length $line;
                        last if !$got;
                }
                last if $line eq "";
                $line =~ /\A(secret|environment) ([A-Za-z0-9_]+) ([0-9]+)\n\z/ or die "a line of an unknown form\n";
                my ($kind, $name, $data) = ($1, $2, take($3));
                if ($kind eq "secret") {
                        put($name, $data);
                        $all .= export($name, $data);
                } else {
                        my $text = "";
                        for my $pair (split /\0/, $data) {
                                $text .= export($1, $2) if $pair =~ /\A([A-Za-z_][A-Za-z0-9_]*)=(.*)\z/s;
                        }
                        put(".env/$name.env", $text);
                }
        }
        put(".env/machine.env", $all);
' $where/.new
# A secret that the project no longer has is removed. The others are there at any moment.
rm -f $where/.mark
find $where -mindepth 1 -maxdepth 1 ! -name .new ! -name .env | while IFS= read -r old; do
        [ -e "$where/.new/${old##*/}" ] || rm -rf "$old"
done
rm -rf $where/.env
mv $where/.new/.env $where/.env
find $where/.new -mindepth 1 -maxdepth 1 -exec mv -t $where {} +
rmdir $where/.new
printf '%s' "$2" >$where/.mark

# Functions for a repo's .envrc.
mkdir -p "$HOME/.config/direnv/lib"
cat >"$HOME/.config/direnv/lib/machine.sh.new" <<'END'
# Written by machine(1) with a project's secrets: `use machine_secrets`, and `use op_env ID` for a 1Password Environment.
use_machine_secrets() {
        _machine_env machine
}
use_op_env() {
        _machine_env "$1"
}
_machine_env() {
        local file="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/dev-secrets/$1.env"
        watch_file "$file"
        if [ ! -r "$file" ]; then
                log_error "the secrets of '$1' are not loaded; on your computer: machine secrets $(hostname)"
                return 1
        fi
        source "$file"
}
END
mv "$HOME/.config/direnv/lib/machine.sh.new" "$HOME/.config/direnv/lib/machine.sh"
