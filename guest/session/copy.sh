# Copies between this guest and the host, as records on stdout or stdin (src/guest/copy-stream.h describes them). Arguments:
#
#   out PATH         the file or folder to stdout
#   in PATH NAME     from stdin to PATH, or, if that is a folder, into it as NAME
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
use constant { DATA => 3, HOLE => 4, ENXIO => 6, PIECE => 1 << 20 };

my ($way, $path, $name) = @ARGV;
my $half; # the file that is being written
binmode STDIN;
binmode STDOUT;
chdir;
$SIG{PIPE} = 'IGNORE';

sub put {
        my $record = pack 'a1N/a*', @_;
        for (my $done = 0; $done < length $record;) {
                $done += syswrite(STDOUT, $record, length($record) - $done, $done) // exit 1;
        }
}

sub fail {
        unlink $half if defined $half;
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
                        unlink $half if defined $half;
                        exit 1;
                }
        }
        return $data;
}

my ($file, $size);

sub finish {
        return if !$file;
        truncate $file, $size and close $file or fail("cannot write '$half': $!");
        undef $file;
        undef $half;
}

sub receive {
        my @folders;
        while (1) {
                my ($letter, $length) = unpack 'a1N', get(5);
                my $content = get($length);
                if ($letter eq 'B') {
                        my ($at, $piece) = unpack 'Q>a*', $content;
                        sysseek $file, $at, SEEK_SET;
                        for (my $done = 0; $done < length $piece;) {
                                $done += syswrite($file, $piece, length($piece) - $done, $done) // fail("cannot write '$half': $!");
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
                        -d $where or mkdir $where, $mode | 0700 or fail("cannot make '$where': $!");
                        push @folders, $where;
                        next;
                }
                sysopen $file, $where, O_WRONLY | O_CREAT | O_TRUNC, $mode or fail("cannot write '$where': $!");
                ($half, $size) = ($where, $bytes);
        }
        put('Z', '');
}

$way eq 'in' ? receive() : give();
PERL
)" "$@"
