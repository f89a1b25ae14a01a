# What do the guest's own package clients use? Prints "@PRESET HOST" or "@PRESET HOST:PORT", one a line, for @apt, @npm, @pip, @cargo and
# @go, and nothing for a client that isn't installed. What an index says of where its files are is asked as well; that needs the
# network, so whoever closed it opens the way to what was printed, and asks again. No host name is written here: each is the client's.
set -u

# As the user's own shell would run it.
ask() {
        sh -lc "$1" </dev/null 2>/dev/null
}

# The client goes to a proxy that isn't there, and complains of the URL that it did not get.
ask_in_vain() {
        sh -lc "$1" </dev/null 2>&1
}

# PRESET; URLs on stdin. A port that the URL's kind has anyway is left out.
say() {
        sed -E 's,^(https://[^/]*):443(/|$),\1\2,; s,^(http://[^/]*):80(/|$),\1\2,' |
                sed -nE "s|^[a-z+]+://([^/@]*@)?([A-Za-z0-9._-]+(:[0-9]+)?)(/.*)?\$|@$1 \\2|p"
}

# FIELD URL [HEADER]: the values of that name in what is there, a URL each
files_of() {
        curl --silent --fail --location --max-time 20 --max-filesize 20000000 --header "${3:-Accept: */*}" "$2" |
                grep -oE "\"?$1\"?[:=] ?\"[a-z]+://[^\"]+" | sed -E 's|^[^/]*"([a-z]+://)|\1|' | sort -u | head -n 20
}

apt() {
        # shellcheck disable=SC2016 # it is apt that replaces it
        ask 'apt-get indextargets --format "\$(SITE)"' | sort -u | say apt
}

npm() {
        {
                ask 'npm config list --json' | sed -nE 's|^ *"([^"]*:)?registry": *"([^"]*)",?$|\2|p'
                ask 'pnpm config get registry'
                ask 'yarn config get registry'
                ask 'yarn config get npmRegistryServer'
        } | grep '://' | sort -u | while read -r registry; do
                echo "$registry" | say npm
                files_of tarball "${registry%/}/npm/latest" | say npm
        done
}

pip() {
        {
                ask 'pip config list' | sed -nE "s|^[^=]*index-url='([^']*)'\$|\\1|p"
                ask 'pip config list' | grep -qE '^[^=]*[.]index-url=' ||
                        ask 'python3 -c "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"'
                ask_in_vain 'echo pip | HTTPS_PROXY=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 UV_HTTP_RETRIES=0 uv --verbose pip compile --no-cache -' |
                        sed -nE 's|^.*No cache entry for: ([a-z]+://.*)/pip/$|\1|p'
        } | tr ' ' '\n' | grep '://' | sort -u | while read -r index; do
                echo "$index" | say pip
                files_of href "${index%/}/pip/" 'Accept: application/vnd.pypi.simple.v1+html, text/html' | say pip
        done
}

# In a home of its own, with the user's configuration: what it has fetched before it doesn't ask for.
cargo() {
        home=$(mktemp -d) || return
        cp "$HOME/.cargo/config.toml" "$HOME/.cargo/config" "$home" 2>/dev/null
        ask_in_vain "CARGO_HOME='$home' CARGO_NET_RETRY=0 CARGO_HTTP_PROXY=http://127.0.0.1:9 cargo search --limit 1 cargo" |
                sed -nE 's|^.*failed to download from [^a-z]([a-z]+://[A-Za-z0-9:/._-]+).*$|\1|p' | sort -u | while read -r index; do
                echo "$index" | say cargo
                files_of '(dl|api)' "$index" | say cargo
        done
        rm -rf "$home"
}

# The checksum database is a name, or a key that begins with one, and maybe its URL.
go() {
        ask 'go env GOPROXY' | tr ',|' '[\n*]' | say go
        ask 'go env GOSUMDB' | sed -nE 's,^([A-Za-z0-9.-]+)([+][^ ]*)?$,https://\1,p; s,^[^ ]+ ([a-z]+://.*)$,\1,p' | grep -v '^https://off$' | say go
}

for client in apt npm pip cargo go; do
        "$client" | sort -u
done
