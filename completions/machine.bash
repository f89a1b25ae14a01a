# Completions for machine(1), made by `make completions`: not for editing.

_machine_names() {
        command machine list --json 2>/dev/null | tr '{' '\n' | sed -n 's/.*"name": *"\([a-z0-9-]*\)".*/\1/p'
}

_machine() {
        local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} choices=
        COMPREPLY=()
        if [ "$COMP_CWORD" = 1 ]; then
                choices="agent aider audit bake claude codex cp destroy doctor down egress help init keys layers list lock logs open plan profile prune rebuild restart run secrets ssh status trust up validate version --help --version"
                mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
                return
        fi
        if [ "$before" = --engine ]; then
                mapfile -t COMPREPLY < <(compgen -W "auto qemu lima" -- "$word")
                return
        fi
        case $command:$word in
        init:-*) choices="--force -f --projects -p --json --plain --verbose -v --quiet -q --help -h" ;;
        up:-* | start:-*) choices="--dry-run -n --cold --strict --engine --from --json --plain --verbose -v --quiet -q --help -h" ;;
        plan:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        ssh:-* | shell:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        run:-* | exec:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        claude:-*) choices="--session -s --list -l --json --plain --verbose -v --quiet -q --help -h" ;;
        codex:-*) choices="--session -s --list -l --json --plain --verbose -v --quiet -q --help -h" ;;
        aider:-*) choices="--session -s --list -l --json --plain --verbose -v --quiet -q --help -h" ;;
        agent:-*) choices="--session -s --list -l --json --plain --verbose -v --quiet -q --help -h" ;;
        list:-* | ls:-* | ps:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        status:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        logs:-*) choices="--follow -f --lines -n --log -l --previous -p --list --json --plain --verbose -v --quiet -q --help -h" ;;
        cp:-*) choices="--recursive -r --max-size --repos --json --plain --verbose -v --quiet -q --help -h" ;;
        open:-*) choices="--local -l --print --json --plain --verbose -v --quiet -q --help -h" ;;
        secrets:-*) choices="--clear --json --plain --verbose -v --quiet -q --help -h" ;;
        keys:-*) choices="--follow -f --json --plain --verbose -v --quiet -q --help -h" ;;
        egress:-*) choices="--follow -f --learn -l --json --plain --verbose -v --quiet -q --help -h" ;;
        restart:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        down:-* | stop:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        rebuild:-*) choices="--yes -y --discard-work --save --json --plain --verbose -v --quiet -q --help -h" ;;
        destroy:-*) choices="--yes -y --discard-work --save --json --plain --verbose -v --quiet -q --help -h" ;;
        bake:-*) choices="--force --json --plain --verbose -v --quiet -q --help -h" ;;
        layers:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        prune:-*) choices="--all -a --dry-run -n --yes -y --json --plain --verbose -v --quiet -q --help -h" ;;
        profile:-*) choices="--repo --force -f --json --plain --verbose -v --quiet -q --help -h" ;;
        lock:-*) choices="--update -u --json --plain --verbose -v --quiet -q --help -h" ;;
        trust:-*) choices="--yes -y --revoke --json --plain --verbose -v --quiet -q --help -h" ;;
        validate:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        doctor:-*) choices="--layers --repair --json --plain --verbose -v --quiet -q --help -h" ;;
        audit:-*) choices="--list --json --plain --verbose -v --quiet -q --help -h" ;;
        version:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        help:-*) choices="--json --plain --verbose -v --quiet -q --help -h" ;;
        help:*) choices="agent aider audit bake claude codex cp destroy doctor down egress help init keys layers list lock logs open plan profile prune rebuild restart run secrets ssh status trust up validate version" ;;
        up:* | start:* | plan:* | ssh:* | shell:* | run:* | exec:* | claude:* | codex:* | aider:* | agent:* | status:* | logs:* | open:* | secrets:* | keys:* | egress:* | restart:* | down:* | stop:* | rebuild:* | destroy:* | audit:*) choices=$(_machine_names) ;;
        *)
                compopt -o default
                return
                ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}

complete -F _machine machine
