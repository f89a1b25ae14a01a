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
#include "lib/interrupt.h"
#include "lib/text.h"

#define CLOSE_TIMEOUT_MS 5000
#define WARM_TIMEOUT_MS  60000
#define SSH_FAILED       255 /* ssh(1), EXIT STATUS */

static void add_config(const struct vm *vm, struct strv *argv)
{
        strv_adds(argv, "ssh", "-F", NULL);
        strv_take(argv, path_join(vm->folder, "ssh_config"));
}

/* When no key of a host is known, the option matches no host, and never all. */
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
 * Runs ssh inside machine-keys: the guest reaches machine-keys, and only through it the agent. Returns false when there is no
 * agent to lend, or it can't be lent this way. Every session has its own socket.
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
        strv_addf(argv, "--log=%s/" SESSION_KEYS_LOG, vm->folder);
        for (size_t i = 0; i < vm_record_keys(&vm->record)->count; i++) {
                char *option = agent_key_option(vm_record_keys(&vm->record)->items[i], NULL);

                /* A file that is gone by now selects no key, and never all. */
                strv_take(argv, option ? option : xstrdup("--key=none"));
        }
        for (size_t i = 0; i < vm->record.key_hosts.count; i++)
                add_host(vm->record.key_hosts.items[i], argv);
        if (vm->record.confirm)
                strv_addf(argv, "--confirm=%s", vm->name);
        strv_add(argv, "--");
        return true;
}

/* IdentityAgent is set because the user's own ssh configuration may name another agent. A path as the value of ForwardAgent
 * would count only when SSH_AUTH_SOCK names an agent as well. */
static void add_agent(struct strv *argv)
{
        strv_adds(argv, "-o", "IdentityAgent=SSH_AUTH_SOCK", "-A", "-o", "ControlMaster=no", "-o", "ControlPath=none", NULL);
}

/*
 * A line for whatever shell the guest's user has: `remote` is run by `sh`. The shells that we give a user can do that
 * themselves, which spares a program. Whether the user still has that one is asked in words that every shell understands. With
 * exec, the process that sshd started is the shell of `remote`. A signal reaches this process's group.
 */
static void add_remote(const char *shell, const char *remote, struct strbuf *line)
{
        static const struct {
                const char *name, *path, *as_sh;
        } known[] = {
                { "bash", "/bin/bash", "eval" },
                { "zsh", "/bin/zsh", "emulate sh -c" },
        };
        _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;

        text_shell_quote(&quoted, remote);
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq_ptr(known[i].name, shell)) {
                        strbuf_addf(line, "[ \"$SHELL\" = %s ] || exec sh -c %s; %s %s", known[i].path, quoted.buf,
                                    known[i].as_sh, quoted.buf);
                        return;
                }
        strbuf_addf(line, "exec sh -c %s", quoted.buf);
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

                add_remote(session->vm->record.shell, remote, &line);
                strv_add(argv, line.buf);
        }
}

int session_failed(const struct session *session, const struct process_result *result, struct error **err)
{
        _cleanup_(freep) char *status = process_status_text(result->status);
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        bool unreached = WIFEXITED(result->status) && WEXITSTATUS(result->status) == SSH_FAILED;

        process_quote(&said, &result->err);
        error_set(err, ERROR_STEP, "%s VM '%s' failed: %s", unreached ? "an ssh session with" : "a script in",
                  session->vm->name, said.len > 0 ? said.buf : status);
        if (unreached) {
                error_hint(err, "machine list");
                error_passes(err, "a guest that is busy may answer then");
        }
        return -1;
}

/* A session with a guest that is paused would wait until its own limit, which may be hours. */
static int on_wait(void *data, struct error **err)
{
        return vm_resume(data, err);
}

int session_take(const struct session *session, const char *remote, const struct process_spec *how,
                 struct process_result *result, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        struct process_spec spec = *how;

        session_argv(session, remote, &argv);
        spec.argv = strv_argv(&argv);
        spec.on_wait = on_wait;
        spec.on_wait_data = (void *)session->vm;
        if (process_run(&spec, result, err) < 0)
                return error_wrap(err, "cannot run a script in VM '%s'", session->vm->name);
        return 0;
}

int session_run(const struct session *session, const char *remote, const struct process_spec *how, struct strbuf *out,
                struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        if (session_take(session, remote, how, &result, err) < 0)
                return -1;
        if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0)
                return session_failed(session, &result, err);
        if (out)
                strbuf_add(out, result.out.buf, result.out.len);
        return 0;
}

/*
 * Put in front of a long script. The process that reads is nobody's child, so that a `wait` in the script doesn't wait for it.
 * It has none of the script's outputs, which would keep sshd waiting.
 */
static const char lifeline[] = "exec 8<&0\n"
                               "machine_lifeline=$({ read -r _ || kill -s HUP 0; } <&8 >/dev/null 2>&1 & echo $!)\n"
                               "trap 'kill -s KILL \"$machine_lifeline\"' EXIT\n"
                               "exec 8<&-\n";

int session_script(const struct session *session, const char *script, const char *const *args, int timeout_ms,
                   process_line_fn on_line, void *on_line_data, struct strbuf *out, struct error **err)
{
        struct process_spec how = { .timeout_ms = timeout_ms, .on_line = on_line, .on_line_data = on_line_data };
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf input = STRBUF_INIT;

        strbuf_adds(&remote, "exec sh -s --");
        for (; args && *args; args++) {
                strbuf_addc(&remote, ' ');
                text_shell_quote(&remote, *args);
        }
        how.hold_input = timeout_ms < 0 || timeout_ms > SESSION_BRIEF_MS;
        /* In braces, the shell reads the whole script before it runs any of it, so no command can eat the rest from stdin. */
        strbuf_addf(&input, "{ :\n%s%s\nexit\n}\n", how.hold_input ? lifeline : "", script);
        how.input = input.buf;
        how.input_length = input.len;
        return session_run(session, remote.buf, &how, out, err);
}

int session_attend(const struct session *session, const char *remote, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        int status;
        pid_t pid;

        session_argv(session, remote, &argv);
        if (process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                  .stdin_fd = PROCESS_INHERIT,
                                                  .stdout_fd = PROCESS_INHERIT,
                                                  .stderr_fd = PROCESS_INHERIT },
                          &pid, err) < 0 ||
            process_wait(pid, -1, &status, err) < 0)
                return -1;
        return process_exit_status(status);
}

int session_exec(const struct session *session, const char *remote, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        session_argv(session, remote, &argv);
        return process_exec(strv_argv(&argv), NULL, err);
}

void session_warm_begin(struct vm *vm, bool login)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        add_config(vm, &argv);
        /* Without a command ssh goes into the background when the connection is there, for the configuration has it persist. */
        strv_adds(&argv, "-a", "-T", login ? "--" : "-N", NULL);
        strv_take(&argv, vm_alias(vm->name));
        if (login)
                strv_add(&argv, ":");
        if (process_spawn(&(struct process_spec){ .argv = strv_argv(&argv), .new_session = true }, &vm->warming, NULL) < 0)
                vm->warming = 0;
}

void session_warm_await(struct vm *vm)
{
        if (vm->warming > 0 && process_wait(vm->warming, interrupt_pending() ? 0 : WARM_TIMEOUT_MS, NULL, NULL) == 0) {
                kill(vm->warming, SIGKILL);
                process_wait(vm->warming, CLOSE_TIMEOUT_MS, NULL, NULL);
        }
        vm->warming = 0;
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
