/* Two examples of each command, with which its help ends. tests/command/test_help.py has the program parse them all. */
#include "command/command.h"

static const struct {
        const char *command;
        const char *lines[COMMAND_EXAMPLES];
} examples[] = {
        { "init", { "machine init", "machine init --force" } },
        { "up", { "machine up", "machine up blog --dry-run" } },
        { "plan", { "machine plan", "machine plan blog --json" } },
        { "ssh", { "machine ssh blog", "machine ssh blog -- git log --oneline" } },
        { "run", { "machine run blog -- make test", "echo hello | machine run blog -- cat" } },
        { "claude", { "machine claude blog", "machine claude blog --session review -- --resume" } },
        { "codex", { "machine codex blog", "machine codex --list" } },
        { "aider", { "machine aider blog", "machine aider blog -- --message 'add tests'" } },
        { "agent", { "machine agent blog opencode", "machine agent blog opencode --list" } },
        { "mcp", { "machine mcp --allow=blog", "machine mcp --allow=blog --allow=shop" } },
        { "code", { "machine code blog", "machine code blog --repo theme" } },
        { "cursor", { "machine cursor blog", "machine cursor blog --repo theme" } },
        { "zed", { "machine zed blog", "machine zed blog --repo theme" } },
        { "list", { "machine list", "machine list --watch --json" } },
        { "board", { "machine board", "machine board --quiet" } },
        { "status", { "machine status", "machine status blog" } },
        { "logs", { "machine logs blog --follow", "machine logs blog --log net --lines 20" } },
        { "cp", { "machine cp notes.md blog:code/blog/", "machine cp -r blog:code/blog/dist ." } },
        { "paste", { "machine paste", "machine paste blog --json" } },
        { "open", { "machine open blog 3000", "machine open blog 3000 --local 8080 --print" } },
        { "secrets", { "machine secrets blog", "machine secrets blog --clear" } },
        { "keys", { "machine keys blog", "machine keys blog --follow" } },
        { "egress", { "machine egress blog", "machine egress blog --learn --follow" } },
        { "park", { "machine park blog", "machine park blog --json" } },
        { "wake", { "machine wake blog", "machine wake blog --quiet" } },
        { "snapshot", { "machine snapshot blog", "machine snapshot blog 'before the upgrade'" } },
        { "snapshots", { "machine snapshots blog", "machine snapshots blog --json" } },
        { "restore", { "machine restore blog 'before the upgrade'", "machine restore blog first --json" } },
        { "fork", { "machine fork blog blog-2", "machine fork blog blog-2 --branch try-it" } },
        { "race", { "machine race blog --test 'npm test' -- claude -p 'fix the bug'", "machine race blog --keep 2" } },
        { "undo", { "machine undo", "machine undo blog" } },
        { "forget", { "machine forget blog 'before the upgrade'", "machine forget blog first --json" } },
        { "restart", { "machine restart", "machine restart blog" } },
        { "down", { "machine down", "machine down blog" } },
        { "rename", { "machine rename blog weblog", "machine rename blog weblog --json" } },
        { "rebuild", { "machine rebuild blog", "machine rebuild blog --save blog.tar.zst" } },
        { "destroy", { "machine destroy blog", "machine destroy blog --save blog.tar.zst" } },
        { "bake", { "machine bake", "machine bake python rust" } },
        { "layers", { "machine layers", "machine layers --json" } },
        { "du", { "machine du", "machine du blog --json" } },
        { "prune", { "machine prune --dry-run", "machine prune --all --yes" } },
        { "profile", { "machine profile list", "machine profile new mine" } },
        { "lock", { "machine lock", "machine lock --update npm_global" } },
        { "trust", { "machine trust", "machine trust ~/code/blog --revoke" } },
        { "validate", { "machine validate", "machine validate .machine.toml" } },
        { "doctor", { "machine doctor", "machine doctor --repair" } },
        { "audit", { "machine audit blog", "machine audit --list" } },
        { "version", { "machine version", "machine --version --json" } },
        { "help", { "machine help", "machine help up" } },
        { "mcp-tool",
          { "echo '{\"vms\": [\"blog\"], \"arguments\": {}}' | machine mcp-tool list",
            "echo '{\"vms\": [\"blog\"], \"arguments\": {}}' | machine mcp-tool status" } },
        { "proxy", { "machine proxy blog", "ssh -o ProxyCommand='machine proxy blog' machine-blog" } },
};

const char *const *command_examples(const struct command *command)
{
        static const char *const none[COMMAND_EXAMPLES] = { NULL };

        for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
                if (streq(examples[i].command, command->name))
                        return examples[i].lines;
        return none;
}
