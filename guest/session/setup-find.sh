# Put in front of other scripts. find_setup prints what the lock files of the repo in the working directory ask for: a line for
# each, "TOOL COMMAND…". The command needs the tool.

find_javascript() {
        if [ -e package-lock.json ] || [ -e npm-shrinkwrap.json ]; then
                echo 'npm npm ci'
        elif [ -e pnpm-lock.yaml ]; then
                echo 'pnpm pnpm install --frozen-lockfile'
        elif [ -e yarn.lock ] && head -n 5 yarn.lock | grep -q 'yarn lockfile v1'; then
                # Yarn 2 and later would write it anew.
                echo 'npx npx --yes yarn@1.22.22 install --frozen-lockfile'
        elif [ -e yarn.lock ]; then
                echo 'yarn yarn install --immutable'
        elif [ -e bun.lock ] || [ -e bun.lockb ]; then
                echo 'bun bun install --frozen-lockfile'
        fi
}

find_python() {
        if [ -e uv.lock ]; then
                echo 'uv uv sync --locked'
        elif [ -e requirements.txt ]; then
                echo 'uv [ -d .venv ] || uv venv; uv pip install -r requirements.txt'
        fi
}

find_setup() {
        find_javascript
        find_python
}
