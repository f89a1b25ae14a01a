# Copies between this guest and the host, as records on stdout or stdin (src/guest/copy-stream.h describes them). Arguments:
#
#   out PATH         the file or folder to stdout
#   in PATH NAME     from stdin to PATH, or, if that is a folder, into it as NAME
#
# What comes in is all or nothing: when it is cut off, or the host doesn't answer that it still wants it, what was made is removed
# again. A file is written beside its place and then renamed, so the one that was there stays until the new one is whole. Two of the
# same name to the same PATH wait for each other: the second may be the same command, after the first was killed.
#
# PATH is relative to the user's home. In a folder, a link to a file is sent as that file. Other links are left out, and so is
# everything that is neither a file nor a folder.
set -u
command -v perl >/dev/null || {
        echo "perl is not installed in this VM, and copies need it" >&2
        exit 127
}
exec perl -e "$(
        cat <<'PERL'
use strict;
use warnings;
use Fcntl qw(:DEFAULT :mode SEEK_SET);

# These are Linux's numbers: on an emulated processor, loading Errno takes longer than a small copy.
use constant { DATA => 3, HOLE => 4, ENXIO => 6, LOCK_EX => 2, PIECE => 1 << 20 };

my ($way, $path, $name) = @ARGV;
my $half; # the file that is being written, until it is renamed
my @made; # files and folders that were not there before
binmode STDIN;
binmode STDOUT;
chdir;
$SIG{PIPE} = 'IGNORE';

my $lock; # its path

sub undo {
        unlink $half if defined $half;
        -d $_ ? rmdir $_ : unlink $_ for reverse @made;
        unlink $lock if defined $lock;
        undef $half;
        undef $lock;
        @made = ();
}

sub put {
        my $record = pack 'a1N/a*', @_;
        for (my $done = 0; $done < length $record;) {
                my $written = syswrite STDOUT, $record, length($record) - $done, $done;
                if (!defined $written) {
                        undo();
                        exit 1;
                }
                $done += $written;
        }
}

sub fail {
        undo();
        put('X', "@_");
        exit 1;
}

# --- out

sub bytes {
        my ($file, $at, $end, $where) = @_;
        sysseek $file, $at, SEEK_SET;
        while ($at < $end) {
                my $got = sysread $file, my $piece, $end - $at < PIECE ? $end - $at : PIECE;
                defined $got or fail("cannot read '$where': $!");
                $got or last;
                put('B', pack 'Q>a*', $at, $piece);
                $at += $got;
        }
}

sub file {
        my ($where, $as) = @_;
        sysopen my $file, $where, O_RDONLY | O_NONBLOCK or fail("cannot open '$where': $!");
        my ($mode, $size) = (stat $file)[2, 7];
        S_ISREG($mode) or fail("'$where' is no longer a file");
        put('F', pack 'NQ>a*', $mode & 0777, $size, $as);
        for (my $at = 0; $at < $size;) {
                my $data = sysseek $file, $at, DATA;
                last if !defined $data && $! == ENXIO;
                my $hole = defined $data ? sysseek $file, $data, HOLE : undef;
                my $end = defined $hole && $hole < $size ? $hole + 0 : $size;
                bytes($file, defined $data ? $data + 0 : $at, $end, $where);
                $at = $end;
        }
}

sub folder {
        my ($where, $as, $mode) = @_;
        put('D', pack 'Na*', $mode & 0777, $as);
        opendir my $folder, $where or fail("cannot open '$where': $!");
        for my $inner (sort grep { !/^\.\.?$/ } readdir $folder) {
                my $status = (lstat "$where/$inner")[2];
                if (defined $status && S_ISDIR($status)) {
                        folder("$where/$inner", $inner, $status);
                } elsif (-f "$where/$inner") {
                        file("$where/$inner", $inner);
                } else {
                        put('L', $inner);
                }
        }
        put('U', '');
}

sub give {
        my $mode = (stat $path)[2] // fail("cannot find '$path': $!");
        if (S_ISDIR($mode)) {
                folder($path, '', $mode);
        } elsif (S_ISREG($mode)) {
                file($path, '');
        } else {
                fail("'$path' is neither a file nor a folder");
        }
        put('Z', '');
}

# --- in

sub get {
        my ($length) = @_;
        my $data = '';
        while (length $data < $length) {
                if (!sysread STDIN, $data, $length - length $data, length $data) {
                        undo();
                        exit 1;
                }
        }
        return $data;
}

my ($file, $size, $place, $is_new);

# Opens a file that is ours alone while it is open. Its last owner may have renamed or removed it. Returns nothing if it can't be made.
sub open_alone {
        my ($name) = @_;
        while (1) {
                sysopen my $alone, $name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600 or return;
                flock $alone, LOCK_EX;
                my @ours = stat $alone;
                my @named = lstat $name;
                return $alone if @named && "@ours[0, 1]" eq "@named[0, 1]";
        }
}

# PATH: its folder and its last part.
sub split_path {
        my ($folder, $base) = $_[0] =~ m{^(.*/)?([^/]*)/*$}s;
        return ($folder // '', $base);
}

# What can't be replaced, such as a device or a file of somebody else's, is written itself.
sub begin_in_place {
        my ($mode) = @_;
        sysopen $file, $place, O_WRONLY | O_CREAT | O_TRUNC, $mode or fail("cannot write '$place': $!");
}

sub begin_beside {
        my ($mode) = @_;
        my ($folder, $base) = split_path($place);
        my $beside = "$folder.machine-cp." . substr $base, 0, 200;
        $file = open_alone($beside) or return 0;
        truncate $file, 0;
        chmod $mode, $file;
        $half = $beside;
        return 1;
}

sub begin {
        my $mode;
        ($place, $mode, $size) = @_;
        for (my $links = 0; $links < 40 && defined(my $to = readlink $place); $links++) {
                $place = $to =~ m{^/} ? $to : ($place =~ s{[^/]*$}{}r) . $to;
        }
        my @now = lstat $place;
        $is_new = !@now;
        my $replaced = @now && S_ISREG($now[2]) && $now[3] == 1 && $now[4] == $> && -w $place;
        return if ($is_new || $replaced) && begin_beside($replaced ? $now[2] & 07777 : $mode & ~umask);
        begin_in_place($mode);
}

sub finish {
        return if !$file;
        truncate $file, $size and (!defined $half or rename $half, $place) and close $file or fail("cannot write '$place': $!");
        push @made, $place if $is_new;
        undef $file;
        undef $half;
}

sub receive {
        my @folders;
        my ($folder, $base) = split_path($path);
        my $held = "$folder.machine-cp.lock." . substr("$base.$name", 0, 200);
        my $alone = open_alone($held);
        $lock = $held if $alone;
        while (1) {
                my ($letter, $length) = unpack 'a1N', get(5);
                my $content = get($length);
                if ($letter eq 'B') {
                        my ($at, $piece) = unpack 'Q>a*', $content;
                        sysseek $file, $at, SEEK_SET;
                        for (my $done = 0; $done < length $piece;) {
                                $done += syswrite($file, $piece, length($piece) - $done, $done) // fail("cannot write '$place': $!");
                        }
                        next;
                }
                finish();
                last if $letter eq 'Z';
                if ($letter eq 'U') {
                        pop @folders;
                        next;
                }
                my ($mode, $bytes, $as) = $letter eq 'F' ? unpack 'NQ>a*', $content : (unpack('N', $content), 0, substr $content, 4);
                my $where = @folders ? "$folders[-1]/$as" : -d $path ? "$path/$name" : $path;
                if ($letter eq 'D') {
                        if (!-d $where) {
                                mkdir $where, $mode | 0700 or fail("cannot make '$where': $!");
                                push @made, $where;
                        }
                        push @folders, $where;
                        next;
                }
                begin($where, $mode, $bytes);
        }
        put('Z', '');
        get(5);
        unlink $lock if defined $lock;
}

$way eq 'in' ? receive() : give();
PERL
)" "$@"
