#include "guest/session.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/key-hosts.h"
#include "guest/known_hosts.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/ssh_config.h"
#include "lib/file.h"
#include "lib/text.h"

#define CLOSE_TIMEOUT_MS 5000
#define WARM_TIMEOUT_MS  60000
#define QUOTED_LINES     5   /* of stderr, in an error */
#define SSH_FAILED       255 /* ssh(1), EXIT STATUS */

static void add_config(const struct vm *vm, struct strv *argv)
{
        strv_adds(argv, "ssh", "-F", NULL);
        strv_take(argv, path_join(vm->folder, "ssh_config"));
}

/* A host of which no key is known is one that nothing fits, and never all. */
static void add_host(const char *name, struct strv *argv)
{
        _cleanup_(strv_clear) struct strv fingerprints = STRV_INIT;

        if (!streq(name, KEY_HOSTS_NONE))
                known_hosts_fingerprints(name, &fingerprints, NULL);
        for (size_t i = 0; i < fingerprints.count; i++)
                strv_addf(argv, "--host=%s=%s", fingerprints.items[i], name);
        if (fingerprints.count == 0)
                strv_addf(argv, "--host=none=%s", name);
}

/*
 * machine-keys around ssh: what the guest can reach is that, and the agent is behind it. False when there is no agent to lend,
 * or it can't be lent so. Another session has another socket.
 */
static bool lend_agent(const struct vm *vm, struct strv *argv)
{
        _cleanup_(freep) char *agent = agent_socket();
        _cleanup_(freep) char *program = agent ? paths_helper("machine-keys", NULL) : NULL;
        _cleanup_(freep) char *name = xasprintf("keys-%ld", (long)getpid());
        _cleanup_(freep) char *logs = NULL;
        _cleanup_(freep) char *socket = program ? paths_socket(vm->name, name, NULL) : NULL;

        if (!socket)
                return false;
        logs = path_join(vm->folder, "logs");
        file_make_folders(logs, 0700, NULL);
        strv_adds(argv, program, NULL);
        strv_addf(argv, "--agent=%s", agent);
        strv_addf(argv, "--socket=%s", socket);
        strv_addf(argv, "--log=%s/keys.log", logs);
        for (size_t i = 0; i < vm_record_keys(&vm->record)->count; i++) {
                char *option = agent_key_option(vm_record_keys(&vm->record)->items[i], NULL);

                /* A file that is gone since selects nothing, and never all. */
                strv_take(argv, option ? option : xstrdup("--key=none"));
        }
        for (size_t i = 0; i < vm->record.key_hosts.count; i++)
                add_host(vm->record.key_hosts.items[i], argv);
        if (vm->record.confirm)
                strv_addf(argv, "--confirm=%s", vm->name);
        strv_add(argv, "--");
        return true;
}

/* IdentityAgent, for a person's own ssh configuration may name another; a path as the value of ForwardAgent counts only where
 * SSH_AUTH_SOCK names an agent as well. */
static void add_agent(struct strv *argv)
{
        strv_adds(argv, "-o", "IdentityAgent=SSH_AUTH_SOCK", "-A", "-o", "ControlMaster=no", "-o", "ControlPath=none", NULL);
}

void session_argv(const struct session *session, const char *remote, struct strv *argv)
{
        bool lent = session->forward_agent && lend_agent(session->vm, argv);

        add_config(session->vm, argv);
        if (lent)
                add_agent(argv);
        else
                strv_add(argv, "-a");
        strv_add(argv, session->terminal == SESSION_TERMINAL ? "-t" : "-T");
        strv_add(argv, "--");
        strv_take(argv, vm_alias(session->vm->name));
        if (remote) {
                _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

                /* exec: the process that sshd started, and whose group a signal reaches, is then `remote`'s shell. */
                strbuf_adds(&line, "exec sh -c ");
                text_shell_quote(&line, remote);
                strv_add(argv, line.buf);
        }
}

/* The last lines of `text`, made visible, joined by "; ". Owned by the caller; NULL when there are none. */
static char *last_lines(const struct strbuf *text)
{
        _cleanup_(strbuf_clear) struct strbuf visible = STRBUF_INIT;
        size_t end = text->len, start, lines = 0;

        while (end > 0 && strchr("\r\n\t ", text->buf[end - 1]))
                end--;
        for (start = end; start > 0; start--)
                if (text->buf[start - 1] == '\n' && ++lines == QUOTED_LINES)
                        break;
        while (start < end) {
                const char *line = text->buf + start;
                const char *newline = memchr(line, '\n', end - start);
                size_t length = newline ? (size_t)(newline - line) : end - start;

                start += length + (newline != NULL);
                while (length > 0 && line[length - 1] == '\r')
                        length--;
                if (length == 0)
                        continue;
                if (visible.len > 0)
                        strbuf_adds(&visible, "; ");
                text_visible(&visible, line, length);
        }
        return visible.len > 0 ? strbuf_take(&visible) : NULL;
}

static int script_failed(const struct session *session, const struct process_result *result, struct error **err)
{
        _cleanup_(freep) char *status = process_status_text(result->status);
        _cleanup_(freep) char *said = last_lines(&result->err);
        bool unreached = WIFEXITED(result->status) && WEXITSTATUS(result->status) == SSH_FAILED;

        error_set(err, ERROR_STEP, "%s VM '%s' failed: %s", unreached ? "an ssh session with" : "a script in",
                  session->vm->name, said ? said : status);
        if (unreached)
                error_hint(err, "machine list");
        return -1;
}

int session_script(const struct session *session, const char *script, const char *const *args, int timeout_ms,
                   process_line_fn on_line, void *on_line_data, struct strbuf *out, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf input = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        struct process_spec spec = { .timeout_ms = timeout_ms, .on_line = on_line, .on_line_data = on_line_data };

        strbuf_adds(&remote, "exec sh -s --");
        for (; args && *args; args++) {
                strbuf_addc(&remote, ' ');
                text_shell_quote(&remote, *args);
        }
        session_argv(session, remote.buf, &argv);
        /* In braces the shell has read it all before it runs any of it: no command in it can eat the rest from stdin. */
        strbuf_addf(&input, "{ :\n%s\n}\n", script);
        spec.argv = strv_argv(&argv);
        spec.input = input.buf;
        spec.input_length = input.len;
        if (process_run(&spec, &result, err) < 0)
                return error_wrap(err, "cannot run a script in VM '%s'", session->vm->name);
        if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0)
                return script_failed(session, &result, err);
        if (out)
                strbuf_add(out, result.out.buf, result.out.len);
        return 0;
}

int session_exec(const struct session *session, const char *remote, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        session_argv(session, remote, &argv);
        return process_exec(strv_argv(&argv), NULL, err);
}

void session_warm_begin(const struct vm *vm, pid_t *pid)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        struct session session = { .vm = vm };

        session_argv(&session, NULL, &argv);
        strv_add(&argv, ":");
        if (process_spawn(&(struct process_spec){ .argv = strv_argv(&argv), .new_session = true }, pid, NULL) < 0)
                *pid = 0;
}

void session_warm_await(pid_t pid)
{
        if (pid > 0 && process_wait(pid, WARM_TIMEOUT_MS, NULL, NULL) == 0) {
                kill(pid, SIGKILL);
                process_wait(pid, CLOSE_TIMEOUT_MS, NULL, NULL);
        }
}

void session_close(const struct vm *vm)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(freep) char *config = path_join(vm->folder, "ssh_config");
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (!file_exists(config))
                return;
        add_config(vm, &argv);
        strv_adds(&argv, "-O", "exit", "--", NULL);
        strv_take(&argv, vm_alias(vm->name));
        process_run(&(struct process_spec){ .argv = strv_argv(&argv), .timeout_ms = CLOSE_TIMEOUT_MS }, &result, NULL);
}

char *session_git_ssh(const struct vm *vm)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        add_config(vm, &argv);
        strv_add(&argv, "-a");
        return text_shell_join(strv_argv(&argv));
}
