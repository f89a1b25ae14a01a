# Brings back what work.sh has saved. Argument: the archive's checksum. The archive comes on stdin, in the records of
# copy-stream.h: B with the next bytes, and Z. Answers with them, too: L with the name of a file that could not go to its place, Z when all is
# done, or X.
#
# The archive is first unpacked where only root can read it. Only when it is there as a whole, anything else is changed. Folders that
# were saved as a whole replace what has their names; of a clone, what git ignores is kept. All other files go to their places one by
# one. /var/lib/machine/unpacking has the checksum as long as this goes on.
set -u
for needed in git perl tar zstd; do
        command -v $needed >/dev/null || {
                echo "$needed is not installed" >&2
                exit 1
        }
done
program=$(
        cat <<'PERL'
use strict;
use warnings;

my ($id) = @ARGV;
my $home = $ENV{HOME};
my ($uid, $gid) = (stat $home)[4, 5];
my $state = -d '/var/lib/machine' ? '/var/lib/machine' : '/tmp/machine-state';
my ($stage, $mark) = ("$state/unpacked", "$state/unpacking");
my $replaced = 0;
binmode STDIN;
binmode STDOUT;
$SIG{PIPE} = 'IGNORE';

sub put {
        my $record = pack 'a1N/a*', @_;
        for (my $done = 0; $done < length $record;) {
                $done += syswrite(STDOUT, $record, length($record) - $done, $done) // return;
        }
        return;
}

sub get {
        my ($length) = @_;
        my $data = '';
        while (length $data < $length) {
                sysread STDIN, $data, $length - length $data, length $data or die "it was cut off\n";
        }
        return $data;
}

sub above {
        my ($path) = @_;
        return $path =~ s{/[^/]*$}{}r;
}

sub remove {
        system('rm', '-rf', '--', @_) == 0 or die "cannot remove '$_[0]'\n";
        return;
}

# Across file systems, too
sub move {
        my ($from, $to) = @_;
        rename $from, $to or system('mv', '-T', '--', $from, $to) == 0 or die "cannot move '$to' to its place\n";
        return;
}

sub unpack_all {
        remove($stage);
        mkdir $state;
        mkdir $stage, 0700 or die "cannot make '$stage': $!\n";
        my $unpack = 'zstd -d -q -c | tar -x -p -f - -C "$1"';
        open my $tar, '|-', 'sh', '-c', $unpack, 'sh', $stage or die "cannot run tar: $!\n";
        binmode $tar;
        while (1) {
                my ($letter, $length) = unpack 'a1N', get(5);
                my $content = get($length);
                last if $letter eq 'Z';
                print {$tar} substr $content, 8 or die "tar takes no more\n";
        }
        close $tar or die "tar could not unpack it\n";
        -s "$stage/machine-work" or die "it is not an archive of 'machine destroy --save'\n";
        return;
}

sub contents {
        open my $file, '<', "$stage/machine-work" or die "cannot read 'machine-work': $!\n";
        local $/ = "\0";
        chomp(my @lines = <$file>);
        unlink "$stage/machine-work";
        my ($old) = map { /^home (\/.+)$/s ? $1 : () } @lines;
        my @folders = map { /^folder (\/.+)$/s ? $1 : () } @lines;
        if (defined $old && $old ne $home && -d "$stage$old") {
                make_above($home);
                -d "$stage$home" ? merge("$stage$old", "$stage$home") : move("$stage$old", "$stage$home");
                s{^\Q$old\E/}{$home/} for @folders;
        }
        return @folders;
}

# Makes the missing folders above a path in the stage.
sub make_above {
        my ($path) = @_;
        my $up = above($path);
        return if $up eq '' || -d "$stage$up";
        make_above($up);
        mkdir "$stage$up", 0755;
        return;
}

# Makes the missing folders above a path as they are in the stage.
sub make_place {
        my ($path) = @_;
        my $up = above($path);
        return if $up eq '' || -d $up;
        make_place($up);
        mkdir $up or die "cannot make '$up': $!\n";
        my ($mode, $owner, $group) = (stat "$stage$up")[2, 4, 5];
        chown $owner, $group, $up;
        chmod $mode & 07777, $up;
        return;
}

# The services whose data it is stop meanwhile.
sub services {
        my ($path) = @_;
        my ($name) = $path =~ m{^/var/lib/([\w.-]+)} or return ();
        my %more = (mysql => 'mariadb*', docker => 'containerd*');
        my $units = `systemctl list-units --plain --no-legend --state=active '$name*' '${\($more{$name} // $name)}' 2>/dev/null`;
        return $units =~ /^(\S+\.(?:service|socket))\s/mg;
}

# Moves what the other folder lacks.
sub keep {
        my ($from, $to) = @_;
        if (!-e $to && !-l $to) {
                move($from, $to);
        } elsif (-d $from && !-l $from && -d $to && !-l $to && !-e "$to/.git") {
                opendir my $folder, $from or return;
                keep("$from/$_", "$to/$_") for grep { !/^\.\.?$/ } readdir $folder;
        }
        return;
}

# What a clone has that git ignores, such as node_modules, goes into the folder that replaces it.
sub keep_ignored {
        my ($from, $to) = @_;
        -e "$from/.git" && -e "$to/.git" or return;
        open my $git, '-|', 'git', '-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', '-C', $from, 'ls-files', '-z', '--others',
                '--ignored', '--exclude-standard', '--directory' or return;
        local $/ = "\0";
        while (my $name = <$git>) {
                chomp $name;
                $name =~ s{/$}{};
                keep("$from/$name", "$to/$name") if -d above("$to/$name");
        }
        close $git;
        return;
}

sub replace {
        my ($path) = @_;
        my $from = "$stage$path";
        -e $from || -l $from or return;
        my @services = services($path);
        system 'systemctl', 'stop', @services if @services;
        if (-e $path || -l $path) {
                keep_ignored($path, $from);
                my $old = "$stage/.replaced." . $replaced++;
                move($path, $old);
        }
        make_place($path);
        move($from, $path);
        system 'systemctl', 'start', @services if @services;
        return;
}

# A file and a folder of the same name: the saved one goes to ~/set-aside.
sub set_aside {
        my ($from, $path) = @_;
        my $to = "$home/set-aside$path";
        system('mkdir', '-p', '--', above($to)) == 0 or die "cannot make '" . above($to) . "'\n";
        move($from, $to);
        system 'chown', '-R', '--', "$uid:$gid", "$home/set-aside";
        put('L', $path);
        return;
}

sub merge {
        my ($from, $to) = @_;
        if (-d $from && !-l $from) {
                if (!-e $to && !-l $to) {
                        move($from, $to);
                } elsif (-d $to) {
                        opendir my $folder, $from or die "cannot open '$from': $!\n";
                        merge("$from/$_", "$to/$_") for grep { !/^\.\.?$/ } readdir $folder;
                } else {
                        set_aside($from, $to);
                }
        } elsif (-d $to && !-l $to) {
                set_aside($from, $to);
        } else {
                move($from, $to);
        }
        return;
}

sub main {
        unpack_all();
        open my $file, '>', $mark or die "cannot write '$mark': $!\n";
        print $file "$id\n";
        close $file;
        my @folders = contents();
        replace($_) for @folders;
        opendir my $top, $stage or die "cannot open '$stage': $!\n";
        merge("$stage/$_", "/$_") for grep { !/^\.\.?$/ && !/^\.replaced\./ } readdir $top;
        remove($stage);
        unlink $mark;
        return;
}

if (eval { main(); 1 }) {
        put('Z', '');
} else {
        my $reason = $@ =~ s/\n$//r;
        put('X', $reason);
        exit 1;
}
PERL
)
set -- env LC_ALL=C HOME="$HOME" perl -e "$program" "$@"
[ "$(id -u)" = 0 ] || set -- sudo -n "$@"
exec "$@"
