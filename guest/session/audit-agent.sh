# Finds out what this session's ssh agent shows and signs. Arguments: HIDDEN, a public key (base64) that it must not sign with, or
# "-"; STRANGER, "try" to ask for a log-in to a host that nothing has proven, or "-". Prints records, fields separated by tabs:
#
#   lent KEY           a key that is shown, in base64
#   hidden RESULT      a signature with HIDDEN was refused or signed
#   stranger RESULT    log-ins with the first key that is shown, to a host that this script invents, were refused or signed
#   end                always the last: without it the report is incomplete
#
# What is signed is of no use anywhere: a file's signature for "audit", and log-ins to sessions that don't exist.
set -u
exec perl - "$@" <<'PERL'
use strict;
use warnings;
use MIME::Base64;
use Socket;

my ($hidden, $stranger) = @ARGV;
my $socket;
$SIG{ALRM} = sub { die "the agent does not answer\n" };

sub ask {
        my ($message) = @_;
        alarm 20;
        if (!$socket) {
                socket $socket, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!\n";
                connect $socket, pack_sockaddr_un($ENV{SSH_AUTH_SOCK}) or die "connect: $!\n";
        }
        syswrite $socket, pack('N/a*', $message) or die "write: $!\n";
        my $answer = '';
        while (length $answer < 4 or length $answer < 4 + unpack 'N', $answer) {
                sysread $socket, $answer, 65536, length $answer or die "the agent has ended\n";
        }
        alarm 0;
        return substr $answer, 4;
}

# SSH_AGENTC_SIGN_REQUEST (13). The answer is SSH_AGENT_SIGN_RESPONSE (14) when the agent signed.
sub is_signed {
        my ($key, $data) = @_;
        return unpack('C', ask(pack('C N/a* N/a* N', 13, $key, $data, 0))) == 14;
}

if (($ENV{SSH_AUTH_SOCK} // '') ne '') {
        my ($type, $count, $rest) = unpack 'C N a*', ask(pack('C', 11));
        my @keys;
        if ($type == 12) {
                for (1 .. $count) {
                        (my $key, my $comment, $rest) = unpack 'N/a* N/a* a*', $rest;
                        push @keys, $key;
                        print "lent\t", encode_base64($key, ''), "\n";
                }
        }
        if ($hidden ne '-') {
                my $data = 'SSHSIG' . pack('N/a* N/a* N/a* N/a*', 'audit', '', 'sha512', 'x' x 64);
                print "hidden\t", is_signed(decode_base64($hidden), $data) ? 'signed' : 'refused', "\n";
        }
        if ($stranger eq 'try' and @keys) {
                my $host = pack('N/a* N/a*', 'ssh-ed25519', join '', map { chr int rand 256 } 1 .. 32);
                my $signature = pack('N/a* N/a*', 'ssh-ed25519', 'x' x 64);
                my ($algorithm) = unpack 'N/a*', $keys[0];
                my $signed = 0;
                for my $bound (0, 1) {
                        my $id = join '', map { chr int rand 256 } 1 .. 32;
                        ask(pack('C N/a* N/a* N/a* N/a* C', 27, 'session-bind@openssh.com', $host, $id, $signature, 0)) if $bound;
                        my $login = pack('N/a* C N/a* N/a* N/a* C N/a* N/a*', $id, 50, 'audit', 'ssh-connection',
                                $bound ? 'publickey-hostbound-v00@openssh.com' : 'publickey', 1, $algorithm, $keys[0]);
                        $login .= pack 'N/a*', $host if $bound;
                        $signed ||= is_signed($keys[0], $login);
                }
                print "stranger\t", $signed ? 'signed' : 'refused', "\n";
        }
}
print "end\n";
PERL
