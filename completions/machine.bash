# Completions for machine(1), made by `make completions`: not for editing.
_machine_agents() {
        echo "claude codex aider"
}
_machine_commands() {
        echo "agent aider audit bake board claude code codex cp cursor destroy doctor down du egress forget fork help init keys layers list lock logs mcp open park paste plan profile prune race rebuild rename restart restore run secrets snapshot snapshots ssh status trust undo up validate version wake zed"
}
_machine_engines() {
        echo "auto qemu lima"
}
_machine_names() {
        command machine list --json 2>/dev/null </dev/null | tr '{' '\n' | sed -n 's/.*"name": *"\([a-z0-9_.-]*\)".*/\1/p'
}
_machine_profiles() {
        command machine profile list --json 2>/dev/null </dev/null | tr '{' '\n' | sed -n 's/.*"name": *"\([a-z0-9_.-]*\)".*/\1/p'
}
_machine_steps() {
        command machine plan --json 2>/dev/null </dev/null | tr '{' '\n' | sed -n 's/.*"id": *"\([a-z0-9_.-]*\)".*/\1/p'
}

# The options of a command, and those of them that have a value.
_machine_table() {
        case $1 in
        init) options="--force -f --projects -p --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        up) options="--dry-run -n --cold --strict --engine --from --json --plain --verbose -v --quiet -q --help -h" valued="--engine --from" ;;
        start) options="--dry-run -n --cold --strict --engine --from --json --plain --verbose -v --quiet -q --help -h" valued="--engine --from" ;;
        plan) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        ssh) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        shell) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        run) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        exec) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        claude) options="--session -s --list -l --json --plain --verbose -v --quiet -q --help -h" valued="--session -s" ;;
        codex) options="--session -s --list -l --json --plain --verbose -v --quiet -q --help -h" valued="--session -s" ;;
        aider) options="--session -s --list -l --json --plain --verbose -v --quiet -q --help -h" valued="--session -s" ;;
        agent) options="--session -s --list -l --json --plain --verbose -v --quiet -q --help -h" valued="--session -s" ;;
        mcp) options="--allow -a --json --plain --verbose -v --quiet -q --help -h" valued="--allow -a" ;;
        code) options="--repo -r --json --plain --verbose -v --quiet -q --help -h" valued="--repo -r" ;;
        vscode) options="--repo -r --json --plain --verbose -v --quiet -q --help -h" valued="--repo -r" ;;
        cursor) options="--repo -r --json --plain --verbose -v --quiet -q --help -h" valued="--repo -r" ;;
        zed) options="--repo -r --json --plain --verbose -v --quiet -q --help -h" valued="--repo -r" ;;
        list) options="--watch -w --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        ls) options="--watch -w --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        ps) options="--watch -w --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        board) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        status) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        logs) options="--follow -f --lines -n --log -l --previous -p --list --json --plain --verbose -v --quiet -q --help -h" valued="--lines -n --log -l" ;;
        cp) options="--recursive -r --max-size --repos --json --plain --verbose -v --quiet -q --help -h" valued="--max-size" ;;
        paste) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        open) options="--local -l --print --json --plain --verbose -v --quiet -q --help -h" valued="--local -l" ;;
        secrets) options="--clear --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        keys) options="--follow -f --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        egress) options="--follow -f --learn -l --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        park) options="--if-idle --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        suspend) options="--if-idle --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        pause) options="--if-idle --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        wake) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        resume) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        snapshot) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        snapshots) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        restore) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        undo) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        forget) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        fork) options="--branch -b --json --plain --verbose -v --quiet -q --help -h" valued="--branch -b" ;;
        race) options="--count -n --at-once --branch -b --test --keep -k --drop --yes -y --json --plain --verbose -v --quiet -q --help -h" valued="--count -n --at-once --branch -b --test --keep -k" ;;
        restart) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        down) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        stop) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        rename) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        rebuild) options="--yes -y --discard-work --save --json --plain --verbose -v --quiet -q --help -h" valued="--save" ;;
        destroy) options="--yes -y --discard-work --save --json --plain --verbose -v --quiet -q --help -h" valued="--save" ;;
        bake) options="--force --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        layers) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        du) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        prune) options="--all -a --dry-run -n --yes -y --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        profile) options="--repo --force -f --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        lock) options="--update -u --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        trust) options="--yes -y --revoke --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        validate) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        doctor) options="--layers --repair --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        audit) options="--list --json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        version) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        help) options="--json --plain --verbose -v --quiet -q --help -h" valued="" ;;
        *) return 1 ;;
        esac
}

# What an option's value is.
_machine_value() {
        case $1:$2 in
        up:--engine) echo engines ;;
        up:--from) echo files ;;
        start:--engine) echo engines ;;
        start:--from) echo files ;;
        mcp:--allow) echo names ;;
        mcp:-a) echo names ;;
        fork:--branch) echo names ;;
        fork:-b) echo names ;;
        race:--branch) echo names ;;
        race:-b) echo names ;;
        race:--test) echo commands ;;
        rebuild:--save) echo files ;;
        destroy:--save) echo files ;;
        esac
}

# What the operand at the cursor is.
_machine_operand() {
        case $1:${tail:+-}$count in
        up:0) kind=names ;;
        start:0) kind=names ;;
        plan:0) kind=names ;;
        ssh:0) kind=names ;;
        ssh:-*) kind=files ;;
        shell:0) kind=names ;;
        shell:-*) kind=files ;;
        run:0) kind=names ;;
        run:*) kind=files ;;
        exec:0) kind=names ;;
        exec:*) kind=files ;;
        claude:0) kind=names ;;
        claude:-*) kind=files ;;
        codex:0) kind=names ;;
        codex:-*) kind=files ;;
        aider:0) kind=names ;;
        aider:-*) kind=files ;;
        agent:0) kind=names ;;
        agent:1) kind=agents ;;
        agent:-*) kind=files ;;
        code:0) kind=names ;;
        vscode:0) kind=names ;;
        cursor:0) kind=names ;;
        zed:0) kind=names ;;
        status:0) kind=names ;;
        logs:0) kind=names ;;
        cp:*) kind=paths ;;
        paste:0) kind=names ;;
        open:0) kind=names ;;
        secrets:0) kind=names ;;
        keys:0) kind=names ;;
        egress:0) kind=names ;;
        park:0) kind=names ;;
        suspend:0) kind=names ;;
        pause:0) kind=names ;;
        wake:0) kind=names ;;
        resume:0) kind=names ;;
        snapshot:0) kind=names ;;
        snapshots:0) kind=names ;;
        restore:0) kind=names ;;
        undo:0) kind=names ;;
        forget:0) kind=names ;;
        fork:0) kind=names ;;
        race:0) kind=names ;;
        race:-*) kind=files ;;
        restart:0) kind=names ;;
        down:0) kind=names ;;
        stop:0) kind=names ;;
        rename:0) kind=names ;;
        rebuild:0) kind=names ;;
        destroy:0) kind=names ;;
        bake:*) kind=profiles ;;
        du:*) kind=names ;;
        profile:0) choices="list show new" ;;
        profile:1) [ "$first" != show ] || kind=profiles ;;
        lock:0) kind=steps ;;
        trust:0) kind=folders ;;
        validate:0) kind=files ;;
        audit:0) kind=names ;;
        help:0) kind=commands ;;
        esac
}

# Words that are no options before the one at the cursor: how many, and the first. $1: the options whose next word is their value.
_machine_count() {
        local i word
        count=0 first='' tail=''
        for ((i = 2; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                if [ "$word" = -- ]; then
                        tail=yes
                elif [ -n "$tail" ] || [[ $word != -* ]]; then
                        [ "$count" -gt 0 ] || first=$word
                        ((count++))
                elif [[ " $1 " == *" $word "* ]]; then
                        [ "${COMP_WORDS[i + 1]}" != = ] || ((i++))
                        ((i++))
                fi
        done
}

# The value of an option ends with the cursor: "--engine q", "--engine=q". Sets `before` to the option.
_machine_option() {
        before=${COMP_WORDS[COMP_CWORD - 1]}
        if [ "$word" = = ]; then
                word=
        elif [ "$before" = = ]; then
                before=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        [[ " $1 " == *" $before "* ]]
}

# Files and "NAME:". Paths in a VM are left out, because looking there would start it.
_machine_paths() {
        local names
        if [[ ${COMP_WORDS[COMP_CWORD]} == : || ${COMP_WORDS[COMP_CWORD - 1]} == : ]]; then
                return
        fi
        mapfile -t names < <(compgen -W "$(_machine_names)" -S : -- "$word")
        if [ "${#names[@]}" = 0 ]; then
                compopt -o default
                return
        fi
        compopt -o nospace
        mapfile -t COMPREPLY < <(printf '%s\n' "${names[@]}"; compgen -f -- "$word" | while IFS= read -r file; do printf '%q\n' "$file"; done)
}

# Offers the words of a kind, or those of $2.
_machine_offer() {
        case $1 in
        files) compopt -o default ;;
        folders) compopt -o dirnames ;;
        paths) _machine_paths ;;
        "") mapfile -t COMPREPLY < <(compgen -W "$2" -- "$word") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$("_machine_$1")" -- "$word") ;;
        esac
}

_machine() {
        local word=${COMP_WORDS[COMP_CWORD]} before count first tail options='' valued='' kind='' choices=''
        COMPREPLY=()
        if [ "$COMP_CWORD" = 1 ]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_machine_commands) --help --version" -- "$word")
                return
        fi
        _machine_table "${COMP_WORDS[1]}" || return
        _machine_count "$valued"
        if [ -z "$tail" ] && _machine_option "$valued"; then
                _machine_offer "$(_machine_value "${COMP_WORDS[1]}" "$before")" ""
        elif [ -z "$tail" ] && [[ $word == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        else
                _machine_operand "${COMP_WORDS[1]}"
                _machine_offer "$kind" "$choices"
        fi
}

complete -F _machine machine
