/*
 * `machine agent`, and a command for each of the best-known agents. They run a program in a tmux session in the guest, in the
 * folder of the first repo, and come back to that session after it was left or the connection was lost.
 * guest/session/agent.sh does the work.
 */
#include <unistd.h>

#include "command/command.h"
#include "command/result.h"
#include "guest/folder.h"
#include "guest/script.h"
#include "lib/file.h"
#include "lib/text.h"
#include "operation/checkpoint.h"
#include "operation/provider.h"
#include "operation/running.h"
#include "operation/target.h"
#include "term/table.h"
#include "term/tmux.h"
#include "vm/vm.h"

#define LIST_TIMEOUT_MS 30000
#define SESSIONS_MOST   1000

/* As guest/session/agent.sh ends. An agent could end so as well, which makes no more than a note too many. */
#define NO_TMUX    126
#define NO_PROGRAM 127

struct agent_options {
        struct common_options common;
        const char *session;
        bool list;
};

static const struct option options[] = {
        OPTION(struct agent_options, session, "session", 's', OPTION_TEXT, "LABEL", "one of several sessions of this agent"),
        OPTION(struct agent_options, list, "list", 'l', OPTION_FLAG, NULL, "print the agent's sessions instead of opening one"),
        COMMON_OPTIONS(struct agent_options),
        { 0 },
};

/* --- opening one */

/* Returns a name without "." and ":", which have a meaning of their own in tmux's names. */
static char *session_name(const char *program, const char *label)
{
        _cleanup_(freep) char *base = path_base(program);
        char *name = label ? xasprintf("%s-%s", base, label) : xstrdup(base);

        for (char *at = name; *at; at++)
                if (strchr(".:", *at))
                        *at = '_';
        return name;
}

static int check_names(const char *program, const char *label, struct error **err)
{
        if (!*program || *program == '-' ||
            program[strspn(program, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/")]) {
                _cleanup_(freep) char *shown = text_visible_dup(program);

                error_set(err, ERROR_USAGE, "'%s' can't be the name of an agent", shown);
                return error_hint(err, "name a program, such as 'claude', and put its arguments after --");
        }
        if (label && !text_name_valid(label)) {
                error_set(err, ERROR_USAGE, "'%s' can't be a session's label", label);
                return error_hint(err, "labels have a-z, 0-9 and '-'");
        }
        return 0;
}

static int build_remote(const struct vm *vm, const char *session, const char *program, const char *const *arguments,
                        struct strbuf *out, struct error **err)
{
        _cleanup_(freep) char *folder = folder_first(vm);
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_adds(&args, session, folder ? folder : "", program, NULL);
        for (; arguments && *arguments; arguments++)
                strv_add(&args, *arguments);
        return script_command("agent.sh", &args, out, err);
}

/* Says what would install a program that the VM hasn't got. */
static void say_provider(struct context *context, const char *name, const struct vm *vm, const char *program)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(freep) char *base = path_base(program);
        _cleanup_(freep) char *text = NULL;

        if (target_existing(&context->front, name, &target, NULL) == 0)
                text = provider_of(&target, &vm->record.lacks, base);
        for (char *line = text, *rest; line; line = rest) {
                rest = strchr(line, '\n');
                if (rest)
                        *rest++ = '\0';
                event_note(context->front.events, "%s", line);
        }
}

/* Is the agent running already? When that can't be found out, it is taken for a new one. */
static bool is_running(const struct vm *vm, const char *session)
{
        static const char script[] = "tmux -L machine has-session -t \"=$1\" 2>/dev/null && echo there || :\n";
        const char *const args[] = { session, NULL };
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        return session_script(&(struct session){ .vm = vm }, script, args, LIST_TIMEOUT_MS, NULL, NULL, &said, NULL) == 0 &&
               streq(said.buf, "there\n");
}

static int open_agent(struct context *context, const char *name, const char *program, const char *label,
                      const char *const *arguments, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;
        _cleanup_(freep) char *session_id = NULL;
        _cleanup_(freep) char *keys = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        struct session session = { .vm = &vm, .terminal = SESSION_TERMINAL };
        int status;

        if (check_names(program, label, err) < 0)
                return -1;
        if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
                _cleanup_(freep) char *shown = text_shell_join((const char *const[]){ name ? name : "NAME", NULL });

                error_set(err, ERROR_USAGE, "an agent needs a terminal");
                return error_hint(err, "without one: machine run %s -- %s", shown, program);
        }
        session_id = session_name(program, label);
        if (running_open(&context->front, name, &vm, err) < 0 ||
            build_remote(&vm, session_id, program, arguments, &remote, err) < 0)
                return -1;
        if (vm.engine->snapshot && !is_running(&vm, session_id))
                checkpoint_take(&context->front, &vm, session_id);
        keys = tmux_detach_keys();
        event_note(context->front.events, "%s leaves '%s' running; the same command comes back to it", keys, session_id);
        session.forward_agent = vm.record.forward_agent;
        output_settle(context->output);
        status = session_attend(&session, remote.buf, err);
        if (status == NO_PROGRAM || status == NO_TMUX)
                say_provider(context, name, &vm, status == NO_TMUX ? "tmux" : program);
        return status;
}

/* --- listing them */

struct list {
        const char *session; /* only this one, and those with a label after it; NULL = all */
        struct table *table;
        json_t *array;
};

static bool is_wanted(const struct list *list, const char *session)
{
        size_t length = list->session ? strlen(list->session) : 0;

        return !list->session || (starts_with(session, list->session) && (session[length] == '\0' || session[length] == '-'));
}

/* Adds the session of one line, "NAME\tSECONDS\tATTACHED". Fails when it is not well-formed: the guest wrote it. */
static int add_session(struct list *list, const char *line, size_t length)
{
        _cleanup_(freep) char *copy = xstrndup(line, length);
        char *created = strchr(copy, '\t');
        char *attached = created ? strchr(created + 1, '\t') : NULL;
        _cleanup_(freep) char *shown = NULL;
        _cleanup_(freep) char *when = NULL;
        _cleanup_(freep) char *local = NULL;
        int64_t seconds;
        int64_t clients;

        if (!attached)
                return -1;
        *created++ = *attached++ = '\0';
        if (text_parse_int(created, 0, INT64_C(1) << 40, &seconds) < 0 || text_parse_int(attached, 0, INT32_MAX, &clients) < 0)
                return -1;
        if (!is_wanted(list, copy))
                return 0;
        shown = text_visible_dup(copy);
        when = text_format_time((time_t)seconds);
        local = text_local_time_of((time_t)seconds);
        table_add(list->table, (const char *const[]){ shown, local, clients > 0 ? "yes" : "no" });
        json_array_append_new(list->array,
                              json_pack("{s:s, s:s, s:b}", "session", shown, "created", when, "attached", clients > 0));
        return 0;
}

static int parse_sessions(const struct strbuf *said, struct list *list, struct error **err)
{
        size_t count = 0;

        for (const char *line = said->buf; *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (++count > SESSIONS_MOST || add_session(list, line, strcspn(line, "\n")) < 0)
                        return error_set(err, ERROR_STEP, "the guest's list of sessions is not well-formed");
        return 0;
}

/* `program`: only its sessions; NULL = all. */
static int list_sessions(struct context *context, const char *name, const char *program, struct error **err)
{
        static const char *const headings[] = { "SESSION", "CREATED", "ATTACHED", NULL };
        static const char script[] = "command -v tmux >/dev/null || exit 0\n"
                                     "tmux -L machine list-sessions -F '#{session_name}\t#{session_created}\t"
                                     "#{session_attached}' 2>/dev/null || :\n";
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(json_decrefp) json_t *array = json_array();
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *session = NULL;
        struct list list = { .table = table, .array = array };

        if (program && check_names(program, NULL, err) < 0)
                return -1;
        session = program ? session_name(program, NULL) : NULL;
        list.session = session;
        if (running_open(&context->front, name, &vm, err) < 0 ||
            session_script(&(struct session){ .vm = &vm }, script, NULL, LIST_TIMEOUT_MS, NULL, NULL, &said, err) < 0 ||
            parse_sessions(&said, &list, err) < 0)
                return -1;
        result_list(context, json_incref(array), table, "no sessions of %s in VM '%s'", program ? program : "agents", vm.name);
        return 0;
}

/* --- the commands */

/* `machine claude [NAME] [-- ARGUMENTS…]` and the like. */
static int run_known(struct context *context, const struct invocation *invocation, const char *program, struct error **err)
{
        const struct agent_options *given = invocation->options;
        const char *name = invocation_name(invocation);

        if (given->list)
                return list_sessions(context, name, program, err);
        return open_agent(context, name, program, given->session, invocation_tail(invocation), err);
}

/* `machine agent NAME AGENT [-- ARGUMENTS…]` */
static int run_any(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct agent_options *given = invocation->options;
        size_t names = invocation->dashes >= 0 ? (size_t)invocation->dashes : invocation->operands.count;
        const char *const *operands = strv_argv(&invocation->operands);

        if (given->list && names <= 2)
                return list_sessions(context, names > 0 ? operands[0] : NULL, names == 2 ? operands[1] : NULL, err);
        if (names != 2) {
                error_set(err, ERROR_USAGE, "'machine agent' needs a VM and an agent");
                return error_hint(err, "machine agent NAME AGENT [-- ARGUMENTS…]");
        }
        return open_agent(context, operands[0], operands[1], given->session, operands + names, err);
}

static int run_claude(struct context *context, const struct invocation *invocation, struct error **err)
{
        return run_known(context, invocation, "claude", err);
}

static int run_codex(struct context *context, const struct invocation *invocation, struct error **err)
{
        return run_known(context, invocation, "codex", err);
}

static int run_aider(struct context *context, const struct invocation *invocation, struct error **err)
{
        return run_known(context, invocation, "aider", err);
}

#define TEXT                                                                                                                    \
        "Runs the agent in a tmux session in the project's folder. It keeps running after Ctrl-B D (in your own tmux: Ctrl-B\n" \
        "Ctrl-B D) or a lost connection, and the same command comes back to it. With --session several run side by side.\n"     \
        "Starts the VM if it is stopped. A snapshot is taken before, and machine undo goes back to it."

#define KNOWN(identifier, title, function)                                                                                     \
        const struct command command_##identifier = {                                                                          \
                .name = #identifier,                                                                                           \
                .operands = "[NAME] [-- ARGUMENTS…]",                                                                          \
                .summary = "open " title " in the project's folder, or come back to it",                                       \
                .text = TEXT,                                                                                                  \
                .options = options,                                                                                            \
                .options_size = sizeof(struct agent_options),                                                                  \
                .operands_most = SIZE_MAX,                                                                                     \
                .run = function,                                                                                               \
        }

KNOWN(claude, "Claude Code", run_claude);
KNOWN(codex, "Codex", run_codex);
KNOWN(aider, "Aider", run_aider);

const struct command command_agent = {
        .name = "agent",
        .operands = "[NAME AGENT] [-- ARGUMENTS…]",
        .summary = "open any agent in the project's folder, or come back to it",
        .text = TEXT,
        .options = options,
        .options_size = sizeof(struct agent_options),
        .operands_most = SIZE_MAX,
        .run = run_any,
};
