# Makes a running guest that was forked another machine than the one it was: run as root by the guest agent, with a description
# (guest/README.md) on stdin. Nobody can log in to it before this has ended.
set -eu
# What is on stdin has a key that no other machine has. The kernel was told of the fork besides, where it can be (vmgenid).
description=$(cat)
printf '%s\n' "$description" >/dev/urandom
printf '%s\n' "$description" | /usr/lib/machine/identity
# The secrets are those of the machine it was. Programs have what they read.
! mountpoint -q /run/secrets || find /run/secrets -mindepth 1 -delete
# sshd reads its key once. Sessions of the machine it was have lost their connections.
main=$(systemctl show --property=MainPID --value ssh.service)
for name in sshd-session sshd; do
        for pid in $(pgrep -x "$name" || :); do
                [ "$pid" = "$main" ] || kill "$pid" || :
        done
done
[ "$main" = 0 ] || kill -HUP "$main"
# The journal has its folder by the machine's id.
systemctl --no-block restart systemd-journald.service
