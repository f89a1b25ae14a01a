# Completions for machine(1), made by `make completions`: not for editing.

function __machine_agents
        string split ' ' 'claude codex aider'
end

function __machine_commands
        string split ' ' 'agent aider audit bake claude code codex cp cursor destroy doctor down egress help init keys layers list lock logs open plan profile prune rebuild rename restart run secrets ssh status trust up validate version zed'
end

function __machine_engines
        string split ' ' 'auto qemu lima'
end

function __machine_names
        command machine list --json 2>/dev/null </dev/null | tr '{' '\n' | sed -n 's/.*"name": *"\([a-z0-9_.-]*\)".*/\1/p'
end

function __machine_profiles
        command machine profile list --json 2>/dev/null </dev/null | tr '{' '\n' | sed -n 's/.*"name": *"\([a-z0-9_.-]*\)".*/\1/p'
end

function __machine_steps
        command machine plan --json 2>/dev/null </dev/null | tr '{' '\n' | sed -n 's/.*"id": *"\([a-z0-9_.-]*\)".*/\1/p'
end

# The options of a command that have a value.
function __machine_valued
        switch $argv[1]
                case up
                        string split ' ' -- '--engine --from'
                case start
                        string split ' ' -- '--engine --from'
                case claude
                        string split ' ' -- '--session -s'
                case codex
                        string split ' ' -- '--session -s'
                case aider
                        string split ' ' -- '--session -s'
                case agent
                        string split ' ' -- '--session -s'
                case code
                        string split ' ' -- '--repo -r'
                case vscode
                        string split ' ' -- '--repo -r'
                case cursor
                        string split ' ' -- '--repo -r'
                case zed
                        string split ' ' -- '--repo -r'
                case logs
                        string split ' ' -- '--lines -n --log -l'
                case cp
                        string split ' ' -- '--max-size'
                case open
                        string split ' ' -- '--local -l'
                case rebuild
                        string split ' ' -- '--save'
                case destroy
                        string split ' ' -- '--save'
        end
end

# Succeeds where the next word is operand number $argv[2] (a "+" after it: or a later one) of command $argv[1]. If there is an $argv[3],
# the first operand must be that.
function __machine_at
        set -l words (commandline -opc)
        test "$words[2]" = "$argv[1]"; or return 1
        set -l valued (__machine_valued $argv[1])
        set -l operands
        set -e words[1..2]
        while set -q words[1]
                switch $words[1]
                        case --
                                return 1
                        case '-*'
                                contains -- $words[1] $valued; and set -e words[1]
                        case '*'
                                set -a operands $words[1]
                end
                set -e words[1]
        end
        test -z "$argv[3]" -o "$argv[3]" = "$operands[1]"; or return 1
        set -l next (math (count $operands) + 1)
        switch $argv[2]
                case '*+'
                        test $next -ge (string trim -c + -- $argv[2])
                case '*'
                        test $next -eq $argv[2]
        end
end

# Succeeds after the "--" of command $argv[1].
function __machine_after
        set -l words (commandline -opc)
        test "$words[2]" = "$argv[1]"; and contains -- -- $words[3..]
end

# Succeeds before the "--" of command $argv[1].
function __machine_in
        set -l words (commandline -opc)
        test "$words[2]" = "$argv[1]"; and not contains -- -- $words[3..]
end

# Succeeds unless the word is a path in a VM. Those are left out, because looking there would start it.
function __machine_here
        not string match -qr '^[a-z0-9-]+:' -- (commandline -ct)
end

function __machine_paths
        __machine_names | string replace -r '$' ':'
end

complete -c machine -f
complete -c machine -n __fish_use_subcommand -l help -s h -d 'print the commands'
complete -c machine -n __fish_use_subcommand -l version -d 'print the version'
complete -c machine -n __fish_use_subcommand -a init -d 'write a first .machine.toml, or a commented projects.toml'
complete -c machine -n __fish_use_subcommand -a up -d 'make, start and fill a project\'s VM'
complete -c machine -n __fish_use_subcommand -a plan -d 'show what \'up\' would do, and the recipe\'s steps'
complete -c machine -n __fish_use_subcommand -a ssh -d 'open a shell in the project\'s folder'
complete -c machine -n __fish_use_subcommand -a run -d 'run a command in the project\'s folder'
complete -c machine -n __fish_use_subcommand -a claude -d 'open Claude Code in the project\'s folder, or come back to it'
complete -c machine -n __fish_use_subcommand -a codex -d 'open Codex in the project\'s folder, or come back to it'
complete -c machine -n __fish_use_subcommand -a aider -d 'open Aider in the project\'s folder, or come back to it'
complete -c machine -n __fish_use_subcommand -a agent -d 'open any agent in the project\'s folder, or come back to it'
complete -c machine -n __fish_use_subcommand -a code -d 'open the project\'s folder in VS Code'
complete -c machine -n __fish_use_subcommand -a cursor -d 'open the project\'s folder in Cursor'
complete -c machine -n __fish_use_subcommand -a zed -d 'open the project\'s folder in Zed'
complete -c machine -n __fish_use_subcommand -a list -d 'show all projects and VMs'
complete -c machine -n __fish_use_subcommand -a status -d 'show how a VM differs from its configuration'
complete -c machine -n __fish_use_subcommand -a logs -d 'show what a VM\'s console said, and its other logs'
complete -c machine -n __fish_use_subcommand -a cp -d 'copy files into a VM, or out of it'
complete -c machine -n __fish_use_subcommand -a open -d 'forward a VM\'s port and open it in a browser'
complete -c machine -n __fish_use_subcommand -a secrets -d 'load a project\'s secrets into its VM\'s memory'
complete -c machine -n __fish_use_subcommand -a keys -d 'show what a VM has asked your ssh agent for'
complete -c machine -n __fish_use_subcommand -a egress -d 'show which hosts a VM has reached and which it was refused'
complete -c machine -n __fish_use_subcommand -a restart -d 'stop a VM and start it again'
complete -c machine -n __fish_use_subcommand -a down -d 'stop a VM'
complete -c machine -n __fish_use_subcommand -a rename -d 'give a stopped VM another name'
complete -c machine -n __fish_use_subcommand -a rebuild -d 'make a VM again from scratch'
complete -c machine -n __fish_use_subcommand -a destroy -d 'remove a VM and everything in it'
complete -c machine -n __fish_use_subcommand -a bake -d 'build images, recipes\' layers and warm templates ahead of time'
complete -c machine -n __fish_use_subcommand -a layers -d 'show the images, layers and warm templates that VMs are made from'
complete -c machine -n __fish_use_subcommand -a prune -d 'remove images, layers and warm templates that no VM needs'
complete -c machine -n __fish_use_subcommand -a profile -d 'list, show or create profiles'
complete -c machine -n __fish_use_subcommand -a lock -d 'show machine.lock, or forget entries so that they are resolved again'
complete -c machine -n __fish_use_subcommand -a trust -d 'trust a checkout\'s .machine.toml'
complete -c machine -n __fish_use_subcommand -a validate -d 'check the configuration, listing every mistake'
complete -c machine -n __fish_use_subcommand -a doctor -d 'check this computer, the configuration and every VM'
complete -c machine -n __fish_use_subcommand -a audit -d 'measure what does and doesn\'t cross the line around a running VM'
complete -c machine -n __fish_use_subcommand -a version -d 'print the version of this program'
complete -c machine -n __fish_use_subcommand -a help -d 'print the commands, or one command\'s options'
complete -c machine -n '__machine_in init' -l force -s f -d 'replace an existing file, and keep a copy of it'
complete -c machine -n '__machine_in init' -l projects -s p -d 'write projects.toml, also in a checkout'
complete -c machine -n '__machine_in init' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in init' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in init' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in init' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in init' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at up 1' -a '(__machine_names)'
complete -c machine -n '__machine_in up' -l dry-run -s n -d 'print the steps and change nothing'
complete -c machine -n '__machine_in up' -l cold -d 'boot a new VM instead of restoring it from a warm template'
complete -c machine -n '__machine_in up' -l strict -d 'end with exit status 6 when a repo could not be set up, or an optional step failed'
complete -c machine -n '__machine_in up' -l engine -x -a '(__machine_engines)' -d 'engine of a new VM, instead of the project\'s'
complete -c machine -n '__machine_in up' -l from -r -F -d 'then bring back what \'destroy --save FILE\' or \'rebuild --save FILE\' has saved'
complete -c machine -n '__machine_in up' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in up' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in up' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in up' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in up' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at start 1' -a '(__machine_names)'
complete -c machine -n '__machine_in start' -l dry-run -s n -d 'print the steps and change nothing'
complete -c machine -n '__machine_in start' -l cold -d 'boot a new VM instead of restoring it from a warm template'
complete -c machine -n '__machine_in start' -l strict -d 'end with exit status 6 when a repo could not be set up, or an optional step failed'
complete -c machine -n '__machine_in start' -l engine -x -a '(__machine_engines)' -d 'engine of a new VM, instead of the project\'s'
complete -c machine -n '__machine_in start' -l from -r -F -d 'then bring back what \'destroy --save FILE\' or \'rebuild --save FILE\' has saved'
complete -c machine -n '__machine_in start' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in start' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in start' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in start' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in start' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at plan 1' -a '(__machine_names)'
complete -c machine -n '__machine_in plan' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in plan' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in plan' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in plan' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in plan' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at ssh 1' -a '(__machine_names)'
complete -c machine -n '__machine_after ssh' -F
complete -c machine -n '__machine_in ssh' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in ssh' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in ssh' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in ssh' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in ssh' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at shell 1' -a '(__machine_names)'
complete -c machine -n '__machine_after shell' -F
complete -c machine -n '__machine_in shell' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in shell' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in shell' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in shell' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in shell' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at run 1' -a '(__machine_names)'
complete -c machine -n '__machine_after run' -F
complete -c machine -n '__machine_at run 2+' -F
complete -c machine -n '__machine_in run' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in run' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in run' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in run' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in run' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at exec 1' -a '(__machine_names)'
complete -c machine -n '__machine_after exec' -F
complete -c machine -n '__machine_at exec 2+' -F
complete -c machine -n '__machine_in exec' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in exec' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in exec' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in exec' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in exec' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at claude 1' -a '(__machine_names)'
complete -c machine -n '__machine_after claude' -F
complete -c machine -n '__machine_in claude' -l session -s s -x -d 'one of several sessions of this agent'
complete -c machine -n '__machine_in claude' -l list -s l -d 'print the agent\'s sessions instead of opening one'
complete -c machine -n '__machine_in claude' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in claude' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in claude' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in claude' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in claude' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at codex 1' -a '(__machine_names)'
complete -c machine -n '__machine_after codex' -F
complete -c machine -n '__machine_in codex' -l session -s s -x -d 'one of several sessions of this agent'
complete -c machine -n '__machine_in codex' -l list -s l -d 'print the agent\'s sessions instead of opening one'
complete -c machine -n '__machine_in codex' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in codex' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in codex' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in codex' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in codex' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at aider 1' -a '(__machine_names)'
complete -c machine -n '__machine_after aider' -F
complete -c machine -n '__machine_in aider' -l session -s s -x -d 'one of several sessions of this agent'
complete -c machine -n '__machine_in aider' -l list -s l -d 'print the agent\'s sessions instead of opening one'
complete -c machine -n '__machine_in aider' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in aider' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in aider' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in aider' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in aider' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at agent 1' -a '(__machine_names)'
complete -c machine -n '__machine_at agent 2' -a '(__machine_agents)'
complete -c machine -n '__machine_after agent' -F
complete -c machine -n '__machine_in agent' -l session -s s -x -d 'one of several sessions of this agent'
complete -c machine -n '__machine_in agent' -l list -s l -d 'print the agent\'s sessions instead of opening one'
complete -c machine -n '__machine_in agent' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in agent' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in agent' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in agent' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in agent' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at code 1' -a '(__machine_names)'
complete -c machine -n '__machine_in code' -l repo -s r -x -d 'the repo to open, if not the first'
complete -c machine -n '__machine_in code' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in code' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in code' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in code' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in code' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at vscode 1' -a '(__machine_names)'
complete -c machine -n '__machine_in vscode' -l repo -s r -x -d 'the repo to open, if not the first'
complete -c machine -n '__machine_in vscode' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in vscode' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in vscode' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in vscode' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in vscode' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at cursor 1' -a '(__machine_names)'
complete -c machine -n '__machine_in cursor' -l repo -s r -x -d 'the repo to open, if not the first'
complete -c machine -n '__machine_in cursor' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in cursor' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in cursor' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in cursor' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in cursor' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at zed 1' -a '(__machine_names)'
complete -c machine -n '__machine_in zed' -l repo -s r -x -d 'the repo to open, if not the first'
complete -c machine -n '__machine_in zed' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in zed' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in zed' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in zed' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in zed' -l help -s h -d 'print this help'
complete -c machine -n '__machine_in list' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in list' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in list' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in list' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in list' -l help -s h -d 'print this help'
complete -c machine -n '__machine_in ls' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in ls' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in ls' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in ls' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in ls' -l help -s h -d 'print this help'
complete -c machine -n '__machine_in ps' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in ps' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in ps' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in ps' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in ps' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at status 1' -a '(__machine_names)'
complete -c machine -n '__machine_in status' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in status' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in status' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in status' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in status' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at logs 1' -a '(__machine_names)'
complete -c machine -n '__machine_in logs' -l follow -s f -d 'go on with what comes, until Ctrl-C'
complete -c machine -n '__machine_in logs' -l lines -s n -x -d 'how many of the last lines, 100 without this option'
complete -c machine -n '__machine_in logs' -l log -s l -x -d 'another log than the console\'s, such as \'net\''
complete -c machine -n '__machine_in logs' -l previous -s p -d 'the log of the run before'
complete -c machine -n '__machine_in logs' -l list -d 'print which logs there are, and their files'
complete -c machine -n '__machine_in logs' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in logs' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in logs' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in logs' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in logs' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at cp 1+; and __machine_here' -F
complete -c machine -n '__machine_at cp 1+' -a '(__machine_paths)'
complete -c machine -n '__machine_in cp' -l recursive -s r -d 'copy folders with everything in them'
complete -c machine -n '__machine_in cp' -l max-size -x -d 'most that each source may bring out of a VM (default 10GiB)'
complete -c machine -n '__machine_in cp' -l repos -d 'also copy repositories out of a VM; their configuration can run programs here'
complete -c machine -n '__machine_in cp' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in cp' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in cp' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in cp' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in cp' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at open 1' -a '(__machine_names)'
complete -c machine -n '__machine_in open' -l local -s l -x -d 'port on this computer, if not the same'
complete -c machine -n '__machine_in open' -l print -d 'print the address and open no browser'
complete -c machine -n '__machine_in open' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in open' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in open' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in open' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in open' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at secrets 1' -a '(__machine_names)'
complete -c machine -n '__machine_in secrets' -l clear -d 'remove them from the VM\'s memory'
complete -c machine -n '__machine_in secrets' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in secrets' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in secrets' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in secrets' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in secrets' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at keys 1' -a '(__machine_names)'
complete -c machine -n '__machine_in keys' -l follow -s f -d 'keep printing what comes, until the VM stops'
complete -c machine -n '__machine_in keys' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in keys' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in keys' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in keys' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in keys' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at egress 1' -a '(__machine_names)'
complete -c machine -n '__machine_in egress' -l follow -s f -d 'keep printing what comes, until the VM stops'
complete -c machine -n '__machine_in egress' -l learn -s l -d 'print the rules that would allow this'
complete -c machine -n '__machine_in egress' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in egress' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in egress' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in egress' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in egress' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at restart 1' -a '(__machine_names)'
complete -c machine -n '__machine_in restart' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in restart' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in restart' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in restart' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in restart' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at down 1' -a '(__machine_names)'
complete -c machine -n '__machine_in down' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in down' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in down' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in down' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in down' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at stop 1' -a '(__machine_names)'
complete -c machine -n '__machine_in stop' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in stop' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in stop' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in stop' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in stop' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at rename 1' -a '(__machine_names)'
complete -c machine -n '__machine_in rename' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in rename' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in rename' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in rename' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in rename' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at rebuild 1' -a '(__machine_names)'
complete -c machine -n '__machine_in rebuild' -l yes -s y -d 'don\'t ask'
complete -c machine -n '__machine_in rebuild' -l discard-work -d 'discard what exists only in the VM'
complete -c machine -n '__machine_in rebuild' -l save -r -F -d 'first save what exists only in the VM, for \'machine up --from\''
complete -c machine -n '__machine_in rebuild' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in rebuild' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in rebuild' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in rebuild' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in rebuild' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at destroy 1' -a '(__machine_names)'
complete -c machine -n '__machine_in destroy' -l yes -s y -d 'don\'t ask'
complete -c machine -n '__machine_in destroy' -l discard-work -d 'discard what exists only in the VM'
complete -c machine -n '__machine_in destroy' -l save -r -F -d 'first save what exists only in the VM, for \'machine up --from\''
complete -c machine -n '__machine_in destroy' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in destroy' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in destroy' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in destroy' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in destroy' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at bake 1+' -a '(__machine_profiles)'
complete -c machine -n '__machine_in bake' -l force -d 'make warm templates again, even if they exist'
complete -c machine -n '__machine_in bake' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in bake' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in bake' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in bake' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in bake' -l help -s h -d 'print this help'
complete -c machine -n '__machine_in layers' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in layers' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in layers' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in layers' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in layers' -l help -s h -d 'print this help'
complete -c machine -n '__machine_in prune' -l all -s a -d 'also remove what the next new VM would be made from'
complete -c machine -n '__machine_in prune' -l dry-run -s n -d 'print what would be removed and change nothing'
complete -c machine -n '__machine_in prune' -l yes -s y -d 'don\'t ask'
complete -c machine -n '__machine_in prune' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in prune' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in prune' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in prune' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in prune' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at profile 1' -a 'list show new'
complete -c machine -n '__machine_at profile 2 show' -a '(__machine_profiles)'
complete -c machine -n '__machine_in profile' -l repo -d 'new: write into the current checkout'
complete -c machine -n '__machine_in profile' -l force -s f -d 'new: replace an existing profile\'s files'
complete -c machine -n '__machine_in profile' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in profile' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in profile' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in profile' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in profile' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at lock 1' -a '(__machine_steps)'
complete -c machine -n '__machine_in lock' -l update -s u -d 'forget entries, so that they are resolved again'
complete -c machine -n '__machine_in lock' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in lock' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in lock' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in lock' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in lock' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at trust 1' -a '(__fish_complete_directories)'
complete -c machine -n '__machine_in trust' -l yes -s y -d 'don\'t show the file and don\'t ask'
complete -c machine -n '__machine_in trust' -l revoke -d 'withdraw the trust'
complete -c machine -n '__machine_in trust' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in trust' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in trust' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in trust' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in trust' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at validate 1' -F
complete -c machine -n '__machine_in validate' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in validate' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in validate' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in validate' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in validate' -l help -s h -d 'print this help'
complete -c machine -n '__machine_in doctor' -l layers -d 'also read all layers, and compare them with their hashes'
complete -c machine -n '__machine_in doctor' -l repair -d 'first mend what can be mended without loss'
complete -c machine -n '__machine_in doctor' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in doctor' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in doctor' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in doctor' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in doctor' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at audit 1' -a '(__machine_names)'
complete -c machine -n '__machine_in audit' -l list -d 'print the lines and measure nothing'
complete -c machine -n '__machine_in audit' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in audit' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in audit' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in audit' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in audit' -l help -s h -d 'print this help'
complete -c machine -n '__machine_in version' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in version' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in version' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in version' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in version' -l help -s h -d 'print this help'
complete -c machine -n '__machine_at help 1' -a '(__machine_commands)'
complete -c machine -n '__machine_in help' -l json -d 'print results and events as JSON'
complete -c machine -n '__machine_in help' -l plain -d 'print progress as plain lines'
complete -c machine -n '__machine_in help' -l verbose -s v -d 'print progress as plain lines, and all that each step says'
complete -c machine -n '__machine_in help' -l quiet -s q -d 'print warnings and results only'
complete -c machine -n '__machine_in help' -l help -s h -d 'print this help'
