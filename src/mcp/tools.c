#include "mcp/tool.h"

#define FILE_MOST    (256 << 10) /* bytes that one call reads */
#define WRITE_MOST   (1 << 20)
#define OUTPUT_LEAST 1024
#define OUTPUT_MOST  (256 << 10)
#define PATH_BYTES   4096
#define REPO_BYTES   256

#define REPO                                                                                                                   \
        {                                                                                                                      \
                .name = "repo", .type = PARAMETER_TEXT, .high = REPO_BYTES,                                                    \
                .text = "The repo's folder name, when the project has several. Without it: the project's first repo."          \
        }
#define OUTPUT_BYTES                                                                                                           \
        {                                                                                                                      \
                .name = "max_output_bytes", .type = PARAMETER_INTEGER, .low = OUTPUT_LEAST, .high = OUTPUT_MOST,               \
                .standard = 32 << 10, .text = "Longer output loses its middle, and says so."                                   \
        }
#define NOTES "\"notes\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}}"

static const struct parameter run_parameters[] = {
        { .name = "command",
          .type = PARAMETER_TEXT,
          .high = 32 << 10,
          .text = "A command line for bash, such as 'make test 2>&1 | tail -n 50'. Give this or 'argv'." },
        { .name = "argv",
          .type = PARAMETER_TEXTS,
          .high = 32 << 10,
          .text = "The program and its arguments as they are, without a shell. Give this or 'command'." },
        { .name = "folder",
          .type = PARAMETER_TEXT,
          .high = PATH_BYTES,
          .text = "Where to run it: a path relative to the repo's folder, or an absolute one. Without it: the repo's folder." },
        REPO,
        { .name = "timeout_seconds",
          .type = PARAMETER_INTEGER,
          .low = 1,
          .high = 24 * 60 * 60,
          .standard = 600,
          .text = "The command is killed after this time; what it printed until then is returned." },
        OUTPUT_BYTES,
        { 0 },
};

static const struct parameter read_parameters[] = {
        { .name = "path",
          .type = PARAMETER_TEXT,
          .required = true,
          .high = PATH_BYTES,
          .text = "The file, relative to the repo's folder. Nothing outside of that folder is read." },
        { .name = "offset",
          .type = PARAMETER_INTEGER,
          .high = INT64_C(1) << 50,
          .text = "How many bytes of the file to skip." },
        { .name = "limit",
          .type = PARAMETER_INTEGER,
          .low = 1,
          .high = FILE_MOST,
          .standard = 64 << 10,
          .text = "How many bytes to read at most." },
        REPO,
        { 0 },
};

static const struct parameter write_parameters[] = {
        { .name = "path",
          .type = PARAMETER_TEXT,
          .required = true,
          .high = PATH_BYTES,
          .text = "The file, relative to the repo's folder. Nothing outside of that folder is written. Missing folders are made." },
        { .name = "content",
          .type = PARAMETER_TEXT,
          .high = WRITE_MOST,
          .text = "All of the file, as text. Give this or 'content_base64'." },
        { .name = "content_base64",
          .type = PARAMETER_TEXT,
          .high = WRITE_MOST / 3 * 4 + 4,
          .text = "All of the file in base64, when it isn't text." },
        REPO,
        { 0 },
};

static const struct parameter diff_parameters[] = {
        { .name = "against",
          .type = PARAMETER_TEXT,
          .high = REPO_BYTES,
          .text = "The commit, branch or tag to compare the working tree with, such as 'origin/main'. Without it: HEAD." },
        REPO,
        OUTPUT_BYTES,
        { 0 },
};

static const struct parameter logs_parameters[] = {
        { .name = "log",
          .type = PARAMETER_TEXT,
          .high = REPO_BYTES,
          .text = "'console' (what the guest's console said; without this argument), 'net' (what the network process did and "
                  "refused), 'recipe-…', 'clone-…' or 'setup-…' (a step that failed). A wrong name is answered with those that "
                  "there are." },
        { .name = "lines",
          .type = PARAMETER_INTEGER,
          .low = 1,
          .high = 1000,
          .standard = 100,
          .text = "How many of the last lines." },
        { .name = "previous", .type = PARAMETER_FLAG, .text = "The log of the run before." },
        { 0 },
};

const struct tool tools[] = {
        { .name = "list",
          .title = "List VMs",
          .text = "Lists the virtual machines (VMs) that you may use, with their state, engine, repos and sizes. Starts nothing.",
          .about_all = true,
          .output =
                  "\"vms\": {\"type\": \"array\", \"items\": {\"type\": \"object\", \"properties\": {"
                  "\"name\": {\"type\": \"string\"}, \"state\": {\"type\": \"string\"}}, \"required\": [\"name\", \"state\"]}}",
          .reads_only = true,
          .idempotent = true,
          .run = tool_list },
        { .name = "status",
          .title = "Show a VM",
          .text = "Shows one VM's state, and how it differs from its project's configuration ('drift'): each difference has a "
                  "'remedy', 'up' (call the tool 'up'), 'start' (the next start) or 'rebuild' (only a person can do that). Starts "
                  "nothing.",
          .output = "\"name\": {\"type\": \"string\"}, \"state\": {\"type\": \"string\"}, \"set_up\": {\"type\": \"boolean\"}, "
                    "\"drift\": {\"type\": \"array\"}",
          .reads_only = true,
          .idempotent = true,
          .run = tool_status },
        { .name = "up",
          .title = "Make or start a VM",
          .text = "Makes the VM of a project if there is none, starts it if it doesn't run, brings in missing repos and applies "
                  "what changed in the project's configuration. Takes seconds, but the first time it may take many minutes: it "
                  "reports its progress. A call that was cut off is simply repeated. The other tools start a stopped VM "
                  "themselves.",
          .output = "\"name\": {\"type\": \"string\"}, \"how\": {\"type\": \"string\"}, \"seconds\": {\"type\": \"number\"}, "
                    "\"repos_not_set_up\": {\"type\": \"integer\"}, " NOTES,
          .idempotent = true,
          .open_world = true,
          .run = tool_up },
        { .name = "run",
          .title = "Run a command in a VM",
          .text = "Runs a command in the VM, in the project's folder, as the VM's user (who may use sudo without a password), and "
                  "returns its exit status, stdout and stderr. Nothing of it runs on the host. There is no terminal and no input. "
                  "Starts the VM if it is stopped. The call returns when the command has ended and has closed its output, so "
                  "redirect a server's: 'nohup npm start >server.log 2>&1 &'.",
          .parameters = run_parameters,
          .output =
                  "\"exit_status\": {\"type\": [\"integer\", \"null\"]}, \"timed_out\": {\"type\": \"boolean\"}, "
                  "\"seconds\": {\"type\": \"number\"}, \"stdout\": {\"type\": \"string\"}, \"stderr\": {\"type\": \"string\"}, "
                  "\"stdout_left_out\": {\"type\": \"integer\"}, \"stderr_left_out\": {\"type\": \"integer\"}, " NOTES,
          .destroys = true,
          .open_world = true,
          .run = tool_run },
        { .name = "read_file",
          .title = "Read a file in a VM",
          .text = "Reads a file of the project in the VM, or a part of it. A file that isn't plain text comes in base64. Starts "
                  "the VM if it is stopped.",
          .parameters = read_parameters,
          .output = "\"path\": {\"type\": \"string\"}, \"size\": {\"type\": \"integer\"}, \"offset\": {\"type\": \"integer\"}, "
                    "\"encoding\": {\"enum\": [\"utf-8\", \"base64\"]}, \"content\": {\"type\": \"string\"}, "
                    "\"next_offset\": {\"type\": [\"integer\", \"null\"]}",
          .reads_only = true,
          .idempotent = true,
          .run = tool_read_file },
        { .name = "write_file",
          .title = "Write a file in a VM",
          .text = "Writes a file of the project in the VM, in place of what it held. An existing file keeps its mode. Starts the "
                  "VM if it is stopped.",
          .parameters = write_parameters,
          .output =
                  "\"path\": {\"type\": \"string\"}, \"bytes\": {\"type\": \"integer\"}, \"created\": {\"type\": \"boolean\"}",
          .destroys = true,
          .idempotent = true,
          .run = tool_write_file },
        { .name = "diff",
          .title = "Show changes in a VM's repo",
          .text = "Shows what has changed in the project's repo in the VM: git's short status, with untracked files by their "
                  "names, and the diff of tracked files. Starts the VM if it is stopped.",
          .parameters = diff_parameters,
          .output =
                  "\"status\": {\"type\": \"string\"}, \"diff\": {\"type\": \"string\"}, \"diff_left_out\": {\"type\": \"integer\"}",
          .reads_only = true,
          .idempotent = true,
          .run = tool_diff },
        { .name = "logs",
          .title = "Show a VM's log",
          .text = "Shows the last lines of one of a VM's logs, for when the VM doesn't start, a repo's set-up failed, or "
                  "something can't be reached. Starts nothing.",
          .parameters = logs_parameters,
          .output = "\"log\": {\"type\": \"string\"}, \"lines\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}}",
          .reads_only = true,
          .idempotent = true,
          .run = tool_logs },
        { .name = "egress",
          .title = "Show what a VM reached",
          .text = "Shows which hosts a VM has reached since it was started, and which it was refused, and why. Use it when a "
                  "download in the VM fails. What is refused stays refused: only a person can change the project's rules, on the "
                  "host.",
          .output = "\"connections\": {\"type\": \"array\", \"items\": {\"type\": \"object\"}}",
          .reads_only = true,
          .idempotent = true,
          .run = tool_egress },
};

const size_t tool_count = ARRAY_SIZE(tools);

const struct tool *tool_find(const char *name)
{
        for (size_t i = 0; i < tool_count; i++)
                if (streq(tools[i].name, name))
                        return &tools[i];
        return NULL;
}

char *tool_names(void)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        for (size_t i = 0; i < tool_count; i++)
                strv_add(&names, tools[i].name);
        return strv_join(&names, ", ");
}
