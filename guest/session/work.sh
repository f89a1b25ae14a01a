# Finds what exists only in this guest: what neither its layers nor the project's recipe, the clones and their set-up have brought.
# Argument: "look", which prints what it found as records "KEY VALUE…", each ended by a NUL; or "save", which sends it as an archive, in
# the records of copy-stream.h: B with the next bytes of a tar archive in Zstandard's format, and Z.
#
#   item KIND BYTES TIME PATH   what follows is about it; KIND: "repo", "files" (some changed files), or "data" (a folder of data)
#   files N                     changed files
#   changed N                   files that differ from the last commit
#   hidden N                    the same for files whose changes git was told to overlook
#   untracked N                 files (or whole folders) that git doesn't know and doesn't ignore
#   ignored NAME                a file or folder that git ignores and that isn't known to be made by a build
#   stash N
#   ref COUNT TIP NAME          commits that no remote outside this guest is known to have; NAME is "HEAD" when they are on no branch
#   commit ID                   one of the commits of the ref before (the newest 100)
#   object ID NAME              a ref to a tag, a tree or a file that no remote is known to have
#   doing TEXT                  what git is in the middle of
#   unreadable TEXT             git failed
#   safe BYTES PATH             can be made again
#   unread TEXT                 could not be looked at
#   unpacking ID                the archive with this checksum was being brought back, and that did not end
#   end                         always the last: without it the report is incomplete
#
# A file counts by the time of its last change, which no program can set: it is explained when that is before this machine got its
# identity, or while `up` was setting it up (/var/lib/machine/explained), or, outside of homes, while dpkg was running. What git
# tracks or could track in ~/code counts by its content.
set -u
for needed in git perl; do
        command -v $needed >/dev/null || {
                echo "$needed is not installed" >&2
                exit 1
        }
done
program=$(
        cat <<'PERL'
use strict;
use warnings;

my ($mode) = @ARGV;
my $home = $ENV{HOME};
my $stamp = '/var/lib/machine/host-key'; # written when this machine got its identity, and never again
my $guest = -e $stamp;
my $born = $guest ? (stat _)[9] : 0;
my ($safe_least, $refs_most, $commits_most) = (1 << 20, 200, 100);
my $work = -w '/var/lib/machine' ? "/var/lib/machine/work.$$" : "/tmp/machine-work.$$";
my $me = $$;
mkdir $work, 0700 or die "cannot make '$work': $!\n";
END { system 'rm', '-rf', '--', $work if $$ == $me }
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP PIPE);

# --- what needs no saving

# In each home: caches, what can be fetched again, and what programs note about how they were used
my @home_safe = qw(.cache .npm .cargo/registry .cargo/git .rustup .nvm .pyenv .rbenv .bun .deno .gradle/caches .m2/repository .gem
        .ccache .node-gyp .yarn .pnpm-store .nuget/packages .dotnet .vscode-server .cursor-server .zed_server go/pkg .local/share/pnpm
        .local/share/uv .local/share/mise .local/share/virtualenv .local/share/zed .local/share/Trash .local/state .local/lib
        .local/pipx);
my $home_quiet = qr{^(?:\.(?:bash|zsh|python|node_repl|psql|mysql|sqlite|irb)_history|\.lesshst|\.viminfo|\.wget-hsts
        |\.zcompdump.*|\.sudo_as_admin_successful|\.Xauthority|\.ssh/known_hosts(?:\.old)?|\.ssh/agent/.*|\.gnupg/random_seed
        |\.config/machine/.*|\.config/go/telemetry/.*|\.config/direnv/lib/machine\.sh)$}x;
my @safe = qw(/tmp /var/tmp /var/cache /var/log /var/lib/docker /var/lib/containerd);
# The system's own: what packages bring, and what changes by itself
my @quiet = (qw(/proc /sys /dev /run /boot /bin /sbin /lib /lib32 /lib64 /libx32 /lost+found /usr /var/backups /var/lock /var/run),
        map { "/var/lib/$_" } qw(machine apt dpkg systemd cloud dbus logrotate man-db pam polkit-1 sudo ucf update-notifier plocate
        chrony NetworkManager initramfs-tools));
# What is looked at in spite of these
my @kept = qw(/usr/local /usr/src /var/lib/docker/volumes);
my $etc_quiet = qr{^/etc/(?:hostname|hosts|machine-id|resolv\.conf|mtab|adjtime|ld\.so\.cache|\.pwd\.lock|\.updated
        |(?:passwd|shadow|group|gshadow|subuid|subgid)(?:-|\.new|\.lock)?|ssh/ssh_host_.*|ssh/authorized_keys/.*)$}x;
# What builds make, wherever it is
my @made = qw(node_modules bower_components __pycache__ .venv .tox .mypy_cache .pytest_cache .ruff_cache);
# What builds make, where git ignores it
my %built = map { $_ => 1 } @made, qw(target build dist out _build .build .next .nuxt .output .svelte-kit .angular .turbo .parcel-cache
        .vite .gradle .terraform venv env .nox .eggs .ipynb_checkpoints htmlcov coverage .coverage .nyc_output .cache .sass-cache
        .zig-cache zig-cache zig-out CMakeFiles .dart_tool .stack-work dist-newstyle elm-stuff deps obj Pods DerivedData .direnv
        .eslintcache .DS_Store Thumbs.db);
my $built_file = qr{\.(?:py[co]|o|obj|a|so|class|log|tmp|swp|tsbuildinfo|egg-info|gc[dn][ao])$};

my @homes = $guest ? ('/root', glob '/home/*') : ();
push @homes, $home if !grep { $_ eq $home } @homes;
my @safe_folders = ($guest ? @safe : (), map { my $one = $_; map { "$one/$_" } @home_safe } @homes);
# The clones that a killed `up` left
my @left = glob "\Q$home\E/code/.partial.*";
my %skip = map { $_ => 1 } @quiet, @safe_folders, @left;

sub home_of {
        my ($path) = @_;
        for my $one (@homes) {
                return $one if index($path, "$one/") == 0;
        }
        return;
}

sub shown {
        my ($path) = @_;
        return $path eq $home ? '~' : index($path, "$home/") == 0 ? '~' . substr $path, length $home : $path;
}

# The folder that a path is in. '' is the root folder.
sub above {
        my ($path) = @_;
        return $path =~ s{/[^/]*$}{}r;
}

# --- what explains a change

sub slurp {
        my ($path) = @_;
        open my $file, '<', $path or return '';
        local $/;
        return <$file> // '';
}

my @set_up = grep { @$_ == 2 && $_->[1] >= $born } map { [ grep { /^\d+(?:\.\d+)?$/ } split ] }
        split /\n/, slurp('/var/lib/machine/explained');

# The times in which dpkg was running, from the lines of its log.
sub package_runs {
        my $log = '/var/log/dpkg.log';
        my @runs;
        $guest && ((stat $log)[9] // 0) >= $born or return;
        require POSIX;
        for (split /\n/, slurp($log)) {
                my ($year, $month, @rest) = /^(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+) / or next;
                my $time = POSIX::mktime(reverse(@rest), $month - 1, $year - 1900, 0, 0, -1) // next;
                push @runs, [ $time - 1, 0 ] if / startup / || !@runs;
                $runs[-1][1] = $time + 2;
        }
        return grep { $_->[1] >= $born } @runs;
}

my @packages = package_runs();

sub explained {
        my ($time, $path) = @_;
        for my $run (@set_up, home_of($path) ? () : @packages) {
                return 1 if $run->[0] <= $time && $time <= $run->[1];
        }
        return 0;
}

# --- one pass over everything

my %has_skipped; # folders with something in them that is left out
for (keys %skip) {
        for (my $up = above($_); $up ne ''; $up = above($up)) {
                $has_skipped{$up} = 1;
        }
}
my @unread;

# What find walks: the folder, or, where something in it is left out, the rest of it.
sub places {
        my ($path) = @_;
        return grep { index($_, "$path/") == 0 && -d } @kept if $skip{$path};
        return $path if $path ne '' && (!$has_skipped{$path} || -l $path || !-d _);
        opendir my $folder, $path eq '' ? '/' : $path or (push @unread, "$path: $!"), return;
        return map { places("$path/$_") } sort grep { !/^\.\.?$/ } readdir $folder;
}

sub all_places {
        $guest or return places($home);
        my @all = places('');
        my %there = map { $_ => 1 } @all;
        for (split /\n/, slurp('/proc/mounts')) {
                my ($device, $path, $type) = split / /;
                $path =~ s/\\([0-7]{3})/chr oct $1/ge;
                next if $device !~ m{^/dev/} || $path eq '/' || $type =~ /^(?:squashfs|iso9660|vfat)$/ || $there{$path};
                next if grep { $path eq $_ || index($path, "$_/") == 0 } keys %skip;
                push @all, places($path);
        }
        return @all;
}

my (@changed, @git_names, @heads, @made_there, %tagged);

sub walk {
        my @any = map { ('-o', '-name', $_) } @made;
        my @not_in = map { ('!', '-path', "*/$_/*") } '.git', @made;
        my @newer = $guest ? ('-newercm', $stamp) : ();
        my @argv = ('-xdev', '(', '-name', '.git', '-printf', 'G %p\0', ')', '-o',
                '(', '-type', 'd', '(', @any[1 .. $#any], ')', @not_in[3 .. $#not_in], '-printf', 'D %p\0', ')', '-o',
                '(', '-name', 'HEAD', '!', '-type', 'd', '-printf', 'H %C@ %s %p\0', ')', '-o',
                '(', '-name', 'CACHEDIR.TAG', '-printf', 'T %h\0', ')', '-o',
                '(', '(', '-type', 'f', '-o', '-type', 'l', ')', @newer, @not_in, '-printf', 'C %C@ %s %p\0', ')');
        open my $keep, '>&', \*STDERR or die "cannot keep stderr: $!\n";
        open STDERR, '>', "$work/find" or die "cannot write '$work/find': $!\n";
        open my $find, '-|', 'find', all_places(), @argv or die "cannot run find: $!\n";
        open STDERR, '>&', $keep;
        local $/ = "\0";
        while (<$find>) {
                chomp;
                my ($letter, $rest) = /^(.) (.*)$/s or next;
                if ($letter eq 'C' || $letter eq 'H') {
                        my ($time, $size, $path) = split / /, $rest, 3;
                        push @{ $letter eq 'C' ? \@changed : \@heads }, [ $path, $time, $size ];
                } elsif ($letter eq 'T') {
                        $tagged{$rest} = 1;
                } else {
                        push @{ $letter eq 'G' ? \@git_names : \@made_there }, $rest;
                }
        }
        close $find;
        push @unread, grep { !/No such file/ } split /\n/, slurp("$work/find");
        return;
}

# --- repos: a git directory, and the work trees that belong to it

my (%repo, %tree, @broken);

# "A/../B" without the detour
sub resolved {
        my ($base, $path) = @_;
        my @parts;
        for (split m{/}, $path =~ m{^/} ? $path : "$base/$path") {
                next if $_ eq '' || $_ eq '.';
                if ($_ eq '..') { pop @parts } else { push @parts, $_ }
        }
        return join '', map { "/$_" } @parts;
}

sub first_line {
        my ($path) = @_;
        return (split /\n/, slurp($path), 2)[0] // '';
}

sub is_git_folder {
        my ($path) = @_;
        return (-e "$path/HEAD" || -l "$path/HEAD") && -d "$path/objects" && -d "$path/refs";
}

sub add_tree {
        my ($folder, $git) = @_;
        my $common = -e "$git/commondir" ? resolved($git, first_line("$git/commondir")) : $git;
        is_git_folder($common) or return 0;
        $repo{$common} //= { git => $common, trees => [] };
        return 1 if $tree{$folder};
        # In a home or among the system's folders, only what git tracks is git's.
        my $wide = $folder eq '' || $has_skipped{$folder} || $folder =~ m{^/(?:etc|opt|srv|home|var|var/lib|usr/local)$}
                || grep { $_ eq $folder } @homes;
        $tree{$folder} = { folder => $folder, git => $git, wide => $wide, entries => {}, files => [] };
        my $trees = $repo{$common}{trees};
        if ($git eq $common) { unshift @$trees, $tree{$folder} } else { push @$trees, $tree{$folder} }
        return 1;
}

sub find_repos {
        for my $path (@git_names) {
                my $folder = above($path);
                if (-d $path) {
                        add_tree($folder, $path) or push @broken, $folder;
                } elsif (first_line($path) =~ /^gitdir: (.*)$/) {
                        add_tree($folder, resolved($folder, $1));
                }
        }
        for my $head (@heads) {
                my $git = above($head->[0]);
                if (is_git_folder($git)) {
                        $repo{$git} //= { git => $git, trees => [] };
                } elsif ($head->[1] > $born && $git !~ m{/\.git(?:/|$)}) {
                        push @changed, $head;
                }
        }
        for my $git (keys %repo) {
                for my $link (glob "\Q$git\E/worktrees/*/gitdir") {
                        my $folder = above(first_line($link));
                        add_tree($folder, above($link)) if $folder ne '' && -e "$folder/.git";
                }
        }
        return;
}

# Runs git, as the owner of `git`, and as root where the owner may not look. Returns what it prints; undef when it fails, and then
# $why has the reason.
my $why;

sub run {
        my ($owner, $environment, @argv) = @_;
        open my $said, '+>', "$work/said" or die "cannot write '$work/said': $!\n";
        my $pid = open my $out, '-|';
        defined $pid or die "cannot fork: $!\n";
        if (!$pid) {
                open STDERR, '>&', $said;
                @ENV{ keys %$environment } = values %$environment;
                ($(, $)) = ($owner->[1], "$owner->[1] $owner->[1]"), ($<, $>) = ($owner->[0], $owner->[0]) if $owner->[0] && !$>;
                exec { $argv[0] } @argv or exit 127;
        }
        local $/;
        my $text = <$out> // '';
        close $out;
        my $status = $?;
        seek $said, 0, 0;
        $why = <$said> // '';
        return $status == 0 ? $text : undef;
}

sub git_as {
        my ($owner, @args) = @_;
        return run($owner, {}, 'git', '--no-replace-objects', '-c', 'core.fsmonitor=false', '-c', 'core.untrackedCache=false', '-c',
                'core.hooksPath=/dev/null', '-c', 'safe.directory=*', @args);
}

sub git {
        my ($git, @args) = @_;
        my $owner = [ (stat $git)[4, 5] ];
        my $text = git_as($owner, @args);
        return $text if $> || !$owner->[0] || (defined $text && $why !~ /Permission denied/);
        return git_as([ 0, 0 ], @args);
}

# The same, for an item that tells of the failure.
sub ask {
        my ($item, $git, @args) = @_;
        my $text = git($git, @args);
        detail($item, 'unreadable ' . substr($why =~ s/\s+/ /gr, 0, 300)) if !defined $text;
        return $text;
}

# --- items: what was found

my @items;

sub item {
        my ($kind, $path) = @_;
        my $item = { kind => $kind, path => $path, size => 0, time => 0, details => [], files => [] };
        push @items, $item;
        return $item;
}

sub detail {
        my ($item, @details) = @_;
        push @{ $item->{details} }, @details;
        return;
}

sub weigh {
        my ($item, $time, $size) = @_;
        $item->{time} = $time if $item->{time} < $time;
        $item->{size} += $size;
        return;
}

# --- what a repo has that no remote has

# The remotes outside this guest, as far as one can tell by their addresses, and those inside
sub remotes {
        my ($item, $git) = @_;
        my (%out, %in);
        my $own = first_line('/proc/sys/kernel/hostname');
        for (split /\n/, ask($item, $git, "--git-dir=$git", 'remote', '-v') // '') {
                my ($name, $url) = /^([^\t]+)\t(.*) \((?:fetch|push)\)/ or next;
                my ($scheme, $host) = $url =~ m{^([a-z0-9+.-]+)://(?:[^/@]*@)?(\[[^\]]*\]|[^/:]*)}i;
                ($scheme, $host) = ('ssh', $1) if !defined $host && $url =~ m{^(?:[^/:@]*@)?(\[[^\]]*\]|[^/:]+):(?!:)};
                my $inside = !defined $host || $host eq '' || lc $scheme eq 'file' || lc $host eq lc $own
                        || $host =~ /^(?:localhost|.*\.localhost|127\..*|0\.0\.0\.0|\[::1?\])$/i;
                ($inside ? $in{$name} : $out{$name}) = 1;
        }
        delete @out{ keys %in };
        return (\%out, \%in);
}

sub count {
        my ($item, $git, @what) = @_;
        return (ask($item, $git, "--git-dir=$git", 'rev-list', '--count', @what, '--') // 0) + 0;
}

# Tells of the commits of TIP that no NOT reaches.
sub ref_of {
        my ($item, $git, $tip, $name, @not) = @_;
        my $count = count($item, $git, $tip, '--not', @not) or return;
        detail($item, "ref $count $tip $name");
        my $newest = git($git, "--git-dir=$git", 'rev-list', "--max-count=$commits_most", $tip, '--not', @not, '--') // '';
        detail($item, map { "commit $_" } split /\n/, $newest);
        return;
}

# Takes out what the remotes say that they have. That is asked only about tags that were made after this machine, and about trees and
# files: for commits the remotes' branches tell.
sub not_on_remotes {
        my ($git, $candidates, @remotes) = @_;
        my %left = map { $_->[1] => $_ } @$candidates;
        my $owner = [ (stat $git)[4, 5] ];
        my $ssh = { GIT_SSH_COMMAND => 'ssh -o BatchMode=yes -o ConnectTimeout=5' };
        for my $remote (%left ? @remotes : ()) {
                my $there = run($owner, $ssh, 'timeout', '10', 'git', '-c', 'safe.directory=*', '-c', 'credential.helper=', '-c',
                        'core.askPass=', '-c', 'protocol.ext.allow=never', "--git-dir=$git", 'ls-remote', '-q', '--upload-pack=git-upload-pack',
                        '--', $remote) // '';
                for (split /\n/, $there) {
                        my ($id, $name) = split /\t/;
                        delete $left{$name} if $left{$name} && $left{$name}[0] eq $id;
                }
        }
        return map { $left{$_} } sort keys %left;
}

sub refs {
        my ($item, $git) = @_;
        my ($outside, $inside) = remotes($item, $git);
        my $format = '%(objectname) %(objecttype)%(if)%(*objecttype)%(then)/%(*objecttype)%(end) %(creatordate:unix) %(refname)';
        my @refs = split /\n/, ask($item, $git, "--git-dir=$git", 'for-each-ref', "--format=$format") // '';
        # A checkout of the host was pushed in with these, and no remote has their name (src/guest/push.h).
        my $pushed = !$outside->{host} && !$inside->{host} && grep { m{ refs/remotes/host/} } @refs;
        my @remotes = (sort(keys %$outside), $pushed ? 'host' : ());
        my @known = map { "--remotes=$_" } @remotes;
        my (%by_kind, @objects, $stash);
        for (@refs) {
                my ($id, $type, $date, $name) = split / /, $_, 4;
                $stash = 1, next if $name eq 'refs/stash';
                my ($known) = grep { index($name, "refs/remotes/$_/") == 0 } @remotes;
                next if $known;
                my ($kind) = $name =~ m{^refs/(heads|tags)/};
                push @{ $by_kind{ $kind // 'more' } }, [ $id, $name ] if $type eq 'commit' || $type eq 'tag/commit';
                push @objects, [ $id, $name ] if $type ne 'commit' && ($type !~ /^tag/ || ($date || 0) >= $born || !@remotes);
        }
        my @not = @known;
        for my $kind (qw(heads tags more)) {
                my @of = @{ $by_kind{$kind} // [] };
                my @all = $kind eq 'heads' ? '--branches' : $kind eq 'tags' ? '--tags' : map { $_->[0] } @of;
                splice @all, 1000;
                if (@of && count($item, $git, @all, '--not', @not)) {
                        detail($item, 'unreadable it has ' . @of . " refs in refs/$kind; the first $refs_most were looked at") if @of > $refs_most;
                        ref_of($item, $git, @$_, @not) for splice @of, 0, $refs_most;
                }
                push @not, $kind eq 'heads' ? '--branches' : '--tags';
        }
        detail($item, 'stash ' . count($item, $git, '-g', 'refs/stash')) if $stash;
        detail($item, map { "object $_->[0] $_->[1]" } not_on_remotes($git, \@objects, sort keys %$outside));
        return @not;
}

# What a work tree's git is in the middle of, and the commits of a detached HEAD
sub doing {
        my ($item, $tree, @not) = @_;
        my $git = $tree->{git};
        my %doing = ('rebase-merge' => 'rebase', 'rebase-apply' => 'rebase', MERGE_HEAD => 'merge', CHERRY_PICK_HEAD => 'cherry-pick',
                REVERT_HEAD => 'revert');
        detail($item, map { "doing a $doing{$_} is under way" } grep { -e "$git/$_" } sort keys %doing);
        detail($item, 'doing changes are set aside by --autostash')
                if grep { -s "$git/$_" } 'rebase-merge/autostash', 'rebase-apply/autostash', 'MERGE_AUTOSTASH';
        my $head = first_line("$git/HEAD");
        ref_of($item, $git, $head, 'HEAD', @not) if $head =~ /^[0-9a-f]{40,64}$/;
        return;
}

# Changes in files that git was told to overlook: a copy of the index forgets that.
sub hidden {
        my ($item, $tree) = @_;
        my ($git, $folder) = @$tree{qw(git folder)};
        my $flags = ask($item, $git, '-C', $folder, 'ls-files', '-v', '-z') // return;
        my @overlooked = grep { -e "$folder/$_" || -l _ } map { /^[a-zS] (.*)$/s ? $1 : () } split /\0/, $flags;
        @overlooked or return;
        my $index = "$work/index";
        my $names = "$work/names";
        open my $file, '>', $names or die "cannot write '$names': $!\n";
        print $file map { "$_\0" } @overlooked;
        close $file;
        system 'cp', '--', "$git/index", $index;
        my @git = ('git', '-c', 'core.fsmonitor=false', '-c', 'safe.directory=*', '-C', $folder);
        my $shell = 'index=$1 names=$2; shift 2; export GIT_INDEX_FILE="$index"
                "$@" update-index -z --no-assume-unchanged --stdin <"$names" && "$@" update-index -z --no-skip-worktree --stdin <"$names" &&
                { "$@" update-index -q --refresh >/dev/null || :; } && "$@" diff-files --name-only -z';
        my $differ = run([ 0, 0 ], {}, 'sh', '-c', $shell, 'sh', $index, $names, @git);
        defined $differ or detail($item, 'unreadable ' . substr($why =~ s/\s+/ /gr, 0, 300)), return;
        my %overlooked = map { $_ => 1 } @overlooked;
        my @differ = grep { $overlooked{$_} } split /\0/, $differ;
        $tree->{entries}{"$folder/$_"} = 'hidden' for @differ;
        detail($item, 'hidden ' . @differ) if @differ;
        return;
}

my %rebuilt; # files and folders that git ignores and that a build makes again

sub status {
        my ($item, $tree) = @_;
        my ($git, $folder) = @$tree{qw(git folder)};
        my @more = $tree->{wide} ? '--untracked-files=no' : ('--untracked-files=normal', '--ignored=traditional');
        my $text = ask($item, $git, '-C', $folder, 'status', '--porcelain=v1', '-z', '--no-renames', '--ignore-submodules=dirty', @more);
        my %count;
        for (split /\0/, $text // '') {
                my ($how, $name) = /^(..) (.*)$/s or next;
                my $path = "$folder/" . $name =~ s{/$}{}r;
                next if $how =~ /^[?!]/ && ($tree{$path} || $repo{$path});
                my ($base) = $path =~ m{([^/]*)$};
                if ($how eq '!!' && ($built{$base} || $tagged{$path} || $base =~ $built_file)) {
                        $rebuilt{$path} = 1;
                        next;
                }
                my $kind = $how eq '!!' ? 'ignored' : $how eq '??' ? 'untracked' : 'changed';
                $tree->{entries}{$path} = $kind;
                $count{$kind}++;
        }
        detail($item, map { "$_ $count{$_}" } grep { $count{$_} } qw(changed untracked));
        return;
}

# Weighs the changed files of a work tree. Those that git ignores count when nothing explains them.
sub weigh_files {
        my ($item, $tree) = @_;
        my $entries = $tree->{entries};
        my %ignored;
        for my $file (@{ $tree->{files} }) {
                my ($path, $time, $size) = @$file;
                my $up = $path;
                $up = above($up) while !$entries->{$up} && length $up > length $tree->{folder};
                my $kind = $entries->{$up} or next;
                next if $kind eq 'ignored' && explained($time, $path);
                $ignored{$up} = 1 if $kind eq 'ignored';
                weigh($item, $time, $size);
        }
        detail($item, map { 'ignored ' . substr $_, 1 + length $tree->{folder} } sort keys %ignored);
        return;
}

sub look_at_tree {
        my ($item, $tree, @not) = @_;
        doing($item, $tree, @not);
        -e "$tree->{git}/HEAD" && -d $tree->{folder} or return;
        status($item, $tree);
        hidden($item, $tree);
        weigh_files($item, $tree) if !$tree->{wide};
        return;
}

# Whether anything in a folder was changed by something that is not known
sub is_touched {
        my ($path) = @_;
        open my $find, '-|', 'find', $path, '-newercm', $stamp, '-printf', '%C@\n' or return 1;
        while (<$find>) {
                return 1 if !explained($_ + 0, $path);
        }
        return 0;
}

sub needs_look {
        my ($repo) = @_;
        return 1 if !$guest || grep { index("$_/", "$home/code/") == 0 } $repo->{git}, map { $_->{folder} } @{ $repo->{trees} };
        for my $tree (@{ $repo->{trees} }) {
                return 1 if grep { !explained($_->[1], $_->[0]) } @{ $tree->{files} };
        }
        return is_touched($repo->{git});
}

sub look_at_repos {
        for my $git (sort keys %repo) {
                my $repo = $repo{$git};
                needs_look($repo) or next;
                my @trees = @{ $repo->{trees} };
                my $item = item('repo', @trees ? $trees[0]{folder} : $git);
                $item->{git} = $git;
                my @not = refs($item, $git);
                for my $tree (@trees) {
                        my $own = $tree == $trees[0] ? $item : item('repo', $tree->{folder});
                        $own->{git} = $git;
                        look_at_tree($own, $tree, @not);
                }
                $item->{time} ||= (stat "$git/logs/HEAD")[9] // (stat "$git/HEAD")[9] // 0;
        }
        detail(item('repo', $_), 'unreadable its .git is not a repository') for @broken;
        return;
}

# --- everything else

# The path that a changed file is shown by, and what kind of item that is
sub group {
        my ($path) = @_;
        return ('data', $1) if $path =~ m{^(/var/lib/docker/volumes/[^/]+|/var/lib/[^/]+)/};
        my $base = home_of($path) // '';
        my $rest = substr $path, length $base;
        my $depth = $base eq '' ? ($rest =~ m{^/(?:usr|var)/} ? 3 : 2) : $rest =~ m{^/(?:\.config|code)/} ? 2 : $rest =~ m{^/\.local/} ? 3 : 1;
        my ($top) = $rest =~ m{^((?:/[^/]+){1,$depth})};
        return ('files', "$base$top");
}

sub is_quiet {
        my ($path) = @_;
        my $one = home_of($path);
        return defined $one ? substr($path, 1 + length $one) =~ $home_quiet : $path =~ $etc_quiet;
}

my %owner; # of the files in a folder: a work tree, 'git' in a git directory, 'tag' in a cache, or ''

sub owner {
        my ($folder) = @_;
        return $owner{$folder} if exists $owner{$folder};
        my $owner = $folder eq '' ? '' : $tree{$folder} && !$tree{$folder}{wide} ? $tree{$folder} : $repo{$folder} ? 'git' : undef;
        $owner //= owner(above($folder));
        $owner = 'tag' if $tagged{$folder} && $owner eq '';
        return $owner{$folder} = $owner;
}

sub share_out {
        my %group;
        for my $file (@changed) {
                my ($path, $time, $size) = @$file;
                my $owner = owner(above($path));
                push @{ $owner->{files} }, $file if ref $owner;
                next if $owner ne '' || is_quiet($path) || explained($time, $path);
                my ($kind, $top) = group($path);
                my $item = $group{$top} //= item($kind, $top);
                push @{ $item->{files} }, $path;
                weigh($item, $time, $size);
        }
        for my $item (values %group) {
                my $count = @{ $item->{files} };
                detail($item, "files $count");
                $item->{path} = $item->{files}[0] if $count == 1 && $item->{kind} eq 'files';
        }
        return;
}

# --- the report

sub say_safe {
        my @made = grep { owner(above($_)) eq '' } @made_there;
        my @paths = grep { -e } @safe_folders, @made, keys %rebuilt, grep { owner($_) eq 'tag' } keys %tagged;
        my $names = "$work/safe";
        open my $file, '>', $names or return;
        print $file map { "$_\0" } @paths;
        close $file;
        my $sizes = run([ 0, 0 ], {}, 'sh', '-c', 'timeout 30 du -0skx --files0-from="$1" || :', 'sh', $names) // '';
        for (split /\0/, $sizes) {
                my ($kilobytes, $path) = split /\t/, $_, 2;
                printf "safe %d %s\0", $kilobytes * 1024, shown($path) if $kilobytes * 1024 >= $safe_least;
        }
        return;
}

sub report {
        my $unpacking = first_line('/var/lib/machine/unpacking');
        for my $item (@items) {
                printf "item %s %d %d %s\0", @$item{qw(kind size time)}, shown($item->{path});
                print map { "$_\0" } @{ $item->{details} };
        }
        say_safe() if @items;
        print map { 'unread ' . substr($_, 0, 300) . "\0" } @unread[0 .. ($#unread < 19 ? $#unread : 19)];
        print "unpacking $unpacking\0" if $unpacking =~ /^[0-9a-f]{64}$/;
        print "end\0";
        return;
}

# --- the archive

sub put {
        my $record = pack 'a1N/a*', @_;
        for (my $done = 0; $done < length $record;) {
                $done += syswrite(STDOUT, $record, length($record) - $done, $done) // exit 1;
        }
        return;
}

# The outermost work tree or git directory that a path is in, or the path itself
sub outermost {
        my ($path) = @_;
        my $top = $path;
        for (my $up = $path; $up ne ''; $up = above($up)) {
                $top = $up if ($tree{$up} && !$tree{$up}{wide}) || $repo{$up};
        }
        return $top;
}

# Folders that are saved, and brought back, as a whole
sub whole_folders {
        my %tops;
        for my $item (grep { $_->{kind} ne 'files' } @items) {
                if ($item->{kind} eq 'data') {
                        $tops{ $item->{path} } = 1;
                } elsif (!$item->{git}) {
                        $tops{ outermost($item->{path}) } = 1; # a broken one
                } else {
                        my @trees = grep { !$_->{wide} } @{ $repo{ $item->{git} }{trees} };
                        $tops{ outermost($_) } = 1 for $item->{git}, map { $_->{folder} } @trees;
                }
        }
        return grep {
                my $up = above($_);
                $up = above($up) while $up ne '' && !$tops{$up};
                $up eq '';
        } sort keys %tops;
}

sub write_list {
        my ($to, @folders) = @_;
        my %keep = map { $_->{path} => 1 } grep { $_->{kind} eq 'repo' } @items;
        my %kept;
        my $wanted = sub {
                my ($path) = @_;
                my $up = $path;
                $up = above($up) while $up ne '' && !$keep{$up} && !$rebuilt{$up};
                return $up eq '' || $keep{$up};
        };
        open my $list, '>', $to or die "cannot write '$to': $!\n";
        if (@folders) {
                open my $find, '-|', 'find', @folders, '-xdev', '-print0' or die "cannot run find: $!\n";
                local $/ = "\0";
                while (my $path = <$find>) {
                        chomp $path;
                        my $up = above($path);
                        next if $rebuilt{$path} || !($kept{$up} //= $wanted->($up) ? 1 : -1) || $kept{$up} < 0;
                        print $list substr($path, 1), "\0";
                }
                close $find or die "some of it could not be read\n";
        }
        my %made;
        my @files = map { @{ $_->{files} } } grep { $_->{kind} eq 'files' } @items;
        my %is_file = map { $_ => 1 } @files;
        # The folders that they are in, so that these get their owners and modes.
        for my $path (@files, @folders, keys %keep) {
                my @above;
                for (my $up = above($path); $up ne '' && !$made{$up}++; $up = above($up)) {
                        unshift @above, $up;
                }
                print $list map { substr($_, 1) . "\0" } @above, $is_file{$path} ? $path : ();
        }
        close $list or die "cannot write '$to': $!\n";
        return;
}

# The services whose data it is: they stop while it is read, so that it fits together.
sub services {
        my ($path) = @_;
        my ($name) = $path =~ m{^/var/lib/([\w.-]+)} or return ();
        my %more = (mysql => 'mariadb*', docker => 'containerd*');
        my $units = `systemctl list-units --plain --no-legend --state=active '$name*' '${\($more{$name} // $name)}' 2>/dev/null`;
        return $units =~ /^(\S+\.(?:service|socket))\s/mg;
}

sub save {
        my @folders = whole_folders();
        my @services = map { services($_->{path}) } grep { $_->{kind} eq 'data' } @items;
        system 'systemctl', 'stop', @services if @services;
        write_list("$work/list", @folders);
        open my $about, '>', "$work/machine-work" or die "cannot write in '$work': $!\n";
        print $about "home $home\0", map { "folder $_\0" } @folders;
        close $about;
        my $pack = 'cd "$1" && { tar -c --sparse --no-recursion --null -C "$1" machine-work -C / -T list 2>err; echo $? >status; } | zstd -q -T0';
        open my $archive, '-|', 'sh', '-c', $pack, 'sh', $work or die "cannot run sh: $!\n";
        binmode $archive;
        while (read $archive, my $piece, 1 << 20) {
                put('B', pack 'Q>a*', 0, $piece);
        }
        my $packed = close $archive;
        system 'systemctl', 'start', @services if @services;
        $packed or die "cannot compress: is zstd installed?\n";
        # 1: a file changed while it was read.
        my $status = first_line("$work/status");
        $status =~ /^[01]$/ or die 'tar failed: ', join(' ', (split /\n/, slurp("$work/err"))[0 .. 1]), "\n";
        put('Z', '');
        return;
}

sub main {
        walk();
        find_repos();
        share_out();
        look_at_repos();
        @items = grep { @{ $_->{details} } } @items;
        if ($mode eq 'save') { save() } else { report() }
        return;
}

binmode STDOUT;
if (!eval { main(); 1 }) {
        my $reason = $@ =~ s/\n$//r;
        $mode eq 'save' ? put('X', $reason) : print STDERR "$reason\n";
        exit 1;
}
PERL
)
set -- env LC_ALL=C GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 HOME="$HOME" perl -e "$program" "$@"
# As root, so that no folder is closed to it.
[ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || set -- sudo -n "$@"
exec "$@"
