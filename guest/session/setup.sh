# Sets a repo up after its first clone. Arguments: its folder below ~/code, then shell commands; without any, what its lock files ask
# for. Says "command TEXT" before each one that it runs. The first that fails is the last.
cd "$HOME/code/$1" || exit
shift

run() {
        printf 'command %s\n' "$1"
        sh -lc "$1" </dev/null || exit
}

# TOOL COMMAND
with() {
        sh -lc "command -v $1" >/dev/null || {
                printf 'command %s\n' "$2"
                echo "$1 is not installed in this VM: a recipe or a profile can bring it" >&2
                exit 127
        }
        run "$2"
}

javascript() {
        if [ -e package-lock.json ] || [ -e npm-shrinkwrap.json ]; then
                with npm 'npm ci'
        elif [ -e pnpm-lock.yaml ]; then
                with pnpm 'pnpm install --frozen-lockfile'
        elif [ -e yarn.lock ] && head -n 5 yarn.lock | grep -q 'yarn lockfile v1'; then
                # Yarn 2 and later would write it anew.
                with npx 'npx --yes yarn@1.22.22 install --frozen-lockfile'
        elif [ -e yarn.lock ]; then
                with yarn 'yarn install --immutable'
        elif [ -e bun.lock ] || [ -e bun.lockb ]; then
                with bun 'bun install --frozen-lockfile'
        fi
}

python() {
        if [ -e uv.lock ]; then
                with uv 'uv sync --locked'
        elif [ -e requirements.txt ]; then
                with uv '[ -d .venv ] || uv venv; uv pip install -r requirements.txt'
        fi
}

if [ $# -gt 0 ]; then
        for command in "$@"; do
                run "$command"
        done
else
        javascript
        python
fi
