#!/bin/sh
# The toolchain is for all users, and only root changes it. What `cargo install` brings goes to the home of the user who runs it; a
# CARGO_HOME for all users would prevent that.
set -eu
export RUSTUP_HOME=/usr/local/lib/rust/rustup CARGO_HOME=/usr/local/lib/rust/cargo
/usr/local/lib/rust/rustup-init -y --no-modify-path --profile minimal --default-toolchain stable --component clippy --component rustfmt
ln -sf "$RUSTUP_HOME"/toolchains/*/bin/* /usr/local/bin/
cat >/usr/local/bin/rustup <<END
#!/bin/sh
export RUSTUP_HOME=$RUSTUP_HOME CARGO_HOME=$CARGO_HOME
exec $CARGO_HOME/bin/rustup "\$@"
END
chmod 755 /usr/local/bin/rustup
