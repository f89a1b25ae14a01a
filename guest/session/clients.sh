# Finds the hosts that the guest's own package clients use. Prints "@PRESET HOST" or "@PRESET HOST:PORT", one a line, for @apt, @npm,
# @pip, @cargo and @go, and nothing for a client that isn't installed. Also asks each index where its files are. That needs the
# network, so whoever closed it opens the way to what was printed, and asks again. This script names no host: every name is a client's.
set -u

# Takes over what a login exports, so that the clients are asked as in the user's own shells. What a login prints is left out.
eval "$(sh -lc 'echo; echo --; export -p' </dev/null 2>/dev/null | sed '1,/^--$/d')"

# A client that isn't installed says nothing.
ask() {
        ! command -v "$1" >/dev/null || "$@" </dev/null 2>/dev/null
}

# PRESET; URLs on stdin. A port that is the default for the URL's scheme is left out.
say() {
        sed -E 's,^(https://[^/]*):443(/|$),\1\2,; s,^(http://[^/]*):80(/|$),\1\2,' |
                sed -nE "s|^[a-z+]+://([^/@]*@)?([A-Za-z0-9._-]+(:[0-9]+)?)(/.*)?\$|@$1 \\2|p"
}

# FIELD URL [HEADER]: the values of that field in what URL returns; each value is a URL
files_of() {
        curl --silent --fail --location --max-time 20 --max-filesize 20000000 --header "${3:-Accept: */*}" "$2" |
                grep -oE "\"?$1\"?[:=] ?\"[a-z]+://[^\"]+" | sed -E 's|^[^/]*"([a-z]+://)|\1|' | sort -u | head -n 20
}

apt_uses() {
        ask apt-get update --print-uris | sed -nE "s|^'([^']*)'.*|\1|p" | say apt
}

npm_uses() {
        {
                ask npm config list --json | sed -nE 's|^ *"([^"]*:)?registry": *"([^"]*)",?$|\2|p'
                ask pnpm config get registry
                ask yarn config get registry
                ask yarn config get npmRegistryServer
        } | grep '://' | sort -u | while read -r registry; do
                echo "$registry" | say npm
                files_of tarball "${registry%/}/npm/latest" | say npm
        done
}

# pip tells its configured index, or else its built-in one. uv is sent to a proxy that isn't there, and says what it wanted.
pip_uses() {
        {
                configured=$(ask pip config list)
                printf '%s\n' "$configured" | sed -nE "s|^[^=]*index-url='([^']*)'\$|\\1|p"
                case $configured in
                *.index-url=*) ;;
                *) ask python3 -c 'from pip._internal.models.index import PyPI; print(PyPI.simple_url)' ;;
                esac
                ! command -v uv >/dev/null ||
                        echo pip | HTTPS_PROXY=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 UV_HTTP_RETRIES=0 \
                                uv --verbose pip compile --no-cache - 2>&1 |
                        sed -nE 's|^.*No cache entry for: ([a-z]+://.*)/pip/$|\1|p'
        } | tr ' ' '\n' | grep '://' | sort -u | while read -r index; do
                echo "$index" | say pip
                files_of href "${index%/}/pip/" 'Accept: application/vnd.pypi.simple.v1+html, text/html' | say pip
        done
}

# The same with cargo, in a new home with the user's configuration: in the user's home it doesn't ask for what it has fetched before.
cargo_uses() {
        command -v cargo >/dev/null || return
        home=$(mktemp -d) || return
        trap 'rm -rf "$home"' EXIT
        trap 'exit 1' HUP INT TERM PIPE
        cp "$HOME/.cargo/config.toml" "$HOME/.cargo/config" "$home" 2>/dev/null
        CARGO_HOME=$home CARGO_NET_RETRY=0 CARGO_HTTP_PROXY=http://127.0.0.1:9 cargo search --limit 1 cargo </dev/null 2>&1 |
                sed -nE 's|^.*failed to download from [^a-z]([a-z]+://[A-Za-z0-9:/._-]+).*$|\1|p' | sort -u | while read -r index; do
                echo "$index" | say cargo
                files_of '(dl|api)' "$index" | say cargo
        done
}

# The checksum database is given as a name, or as a key that begins with a name, and maybe its URL.
go_uses() {
        ask go env GOPROXY | tr ',|' '[\n*]' | say go
        ask go env GOSUMDB | sed -nE 's,^([A-Za-z0-9.-]+)([+][^ ]*)?$,https://\1,p; s,^[^ ]+ ([a-z]+://.*)$,\1,p' | grep -v '^https://off$' | say go
}

for client in apt npm pip cargo go; do
        "${client}_uses" | sort -u
done
