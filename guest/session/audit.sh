# Finds out what root in this guest sees and reaches. Arguments: ADDRESS PORT pairs to connect to; the address "gateway" stands
# for every gateway of this guest. Prints records, fields separated by tabs:
#
#   mount TYPE SOURCE POINT      everything that is mounted
#   gateway ADDRESS
#   neighbour ADDRESS            an address that has answered on the network, other than the gateways
#   connect ADDRESS PORT RESULT  connected, refused, unreachable, or silent (no answer for some seconds)
#   agent PATH COUNT             an ssh agent that answers, and how many keys it shows
#   end                          always the last: without it the report is incomplete
#
# Nothing is changed, and no name is looked up.
set -u
root=
[ "$(id -u)" = 0 ] || root='sudo -n'
exec $root perl - "$@" <<'PERL'
use strict;
use warnings;
use Errno qw(ECONNREFUSED EINPROGRESS);
use Fcntl;
use Socket qw(:DEFAULT inet_pton AF_INET6 pack_sockaddr_in6 SOL_SOCKET SO_ERROR);

use constant { SILENT_SECONDS => 5, AGENT_SECONDS => 3 };

binmode STDOUT;

sub record { print join("\t", map { s/[\t\n]/?/gr } @_), "\n" }

sub lines_of {
        my ($path) = @_;
        open my $file, '<', $path or return;
        return <$file>;
}

for (lines_of('/proc/self/mountinfo')) {
        my ($front, $behind) = split / - /, $_, 2;
        my $point = (split / /, $front)[4];
        my ($type, $source) = split / /, $behind;
        record('mount', $type, $source, $point);
}

my @gateways;
for (lines_of('/proc/net/route')) {
        my (undef, $to, $gateway) = split /\t/;
        next if $to ne '00000000' or $gateway eq '00000000';
        push @gateways, inet_ntoa(pack('V', hex $gateway));
}
record('gateway', $_) for @gateways;

for (lines_of('/proc/net/arp')) {
        my ($address, undef, $flags) = split / +/;
        next if $flags !~ /^0x/ or !(hex($flags) & 2);
        record('neighbour', $address) if !grep { $_ eq $address } @gateways;
}

# Begins a connection. Returns the result if it is known at once, else the socket to wait for.
sub begin {
        my ($address, $port) = @_;
        my $six = $address =~ /:/;
        my $packed = inet_pton($six ? AF_INET6 : AF_INET, $address) or return ('unreachable', undef);
        socket my $socket, $six ? AF_INET6 : AF_INET, SOCK_STREAM, 0 or return ('unreachable', undef);
        fcntl $socket, F_SETFL, O_NONBLOCK;
        return ('connected', undef) if connect $socket, $six ? pack_sockaddr_in6($port, $packed) : pack_sockaddr_in($port, $packed);
        return (undef, $socket) if $! == EINPROGRESS;
        return ($! == ECONNREFUSED ? 'refused' : 'unreachable', undef);
}

my @tried;
while (@ARGV >= 2) {
        my ($address, $port) = splice @ARGV, 0, 2;
        for my $target ($address eq 'gateway' ? @gateways : $address) {
                my ($result, $socket) = begin($target, $port);
                push @tried, { address => $target, port => $port, result => $result, socket => $socket };
        }
}
my $end = time + SILENT_SECONDS;
while (my @open = grep { $_->{socket} } @tried) {
        my $wanted = '';
        vec($wanted, fileno $_->{socket}, 1) = 1 for @open;
        my $left = $end - time;
        last if $left <= 0 or select(undef, my $ready = $wanted, undef, $left) <= 0;
        for my $try (grep { vec($ready, fileno $_->{socket}, 1) } @open) {
                $! = unpack 'i', getsockopt($try->{socket}, SOL_SOCKET, SO_ERROR);
                $try->{result} = $! == 0 ? 'connected' : $! == ECONNREFUSED ? 'refused' : 'unreachable';
                delete $try->{socket};
        }
}
record('connect', $_->{address}, $_->{port}, $_->{result} // 'silent') for @tried;

# Every place where any process of any user was told that an agent is, and the places where sshd puts agents.
my %agents = map { $_ => 1 } glob '/tmp/ssh-*/agent.*';
for my $environment (glob '/proc/[0-9]*/environ') {
        my ($content) = lines_of($environment) or next;
        $agents{$1} = 1 while $content =~ /(?:^|\0)SSH_AUTH_SOCK=([^\0]+)/g;
}
for my $path (sort keys %agents) {
        my $keys = eval {
                local $SIG{ALRM} = sub { die };
                alarm AGENT_SECONDS;
                socket my $socket, AF_UNIX, SOCK_STREAM, 0 or die;
                connect $socket, pack_sockaddr_un($path) or die;
                # SSH_AGENTC_REQUEST_IDENTITIES; the answer begins with its length, its type (12) and how many there are.
                syswrite $socket, pack('NC', 1, 11) or die;
                my $answer = '';
                while (length $answer < 9) { sysread $socket, $answer, 9 - length $answer, length $answer or die }
                alarm 0;
                my (undef, $type, $count) = unpack 'NCN', $answer;
                $type == 12 ? $count : 0;
        };
        alarm 0;
        record('agent', $path, $keys) if defined $keys;
}
record('end');
PERL
