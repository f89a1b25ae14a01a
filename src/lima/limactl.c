#include "lima/limactl.h"

#include "host/ca.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/said.h"
#include "lib/text.h"
#include "lima/home.h"
#include "lima/system.h"
#include "vm/progress.h"

#define LIST_TIMEOUT_MS 30000

struct log {
        struct event_sink *events;
        char *complaint; /* the last one */
};

static void log_clear(struct log *log)
{
        free(log->complaint);
}

char *limactl_parse_line(const char *line, bool *complaint)
{
        _cleanup_(json_decrefp) json_t *object = *line == '{' ? json_parse(line, strlen(line), "a log line", NULL) : NULL;
        const char *message = json_string_value(json_object_get(object, "msg"));
        const char *level = json_string_value(json_object_get(object, "level"));

        *complaint = level ? streq(level, "error") || streq(level, "fatal") || streq(level, "panic")
                           : starts_with(line, "limactl: ") || starts_with(line, "panic: ");
        return text_visible_dup(message ? message : line);
}

static void on_line(const char *line, void *data)
{
        struct log *log = data;
        bool complaint;
        _cleanup_(freep) char *message = limactl_parse_line(line, &complaint);

        event_line(log->events, message);
        if (complaint)
                set_string(&log->complaint, TAKE_PTR(message));
}

char *limactl_emulation(const char *architecture)
{
        if (streq(architecture, "aarch64"))
                return xstrdup("qemu-system-aarch64 -machine virt,gic-version=max -accel tcg -cpu "
                               "max,pauth-impdef=on");
        return xstrdup("qemu-system-x86_64 -machine q35,vmport=off -accel tcg,thread=multi,tb-size=512 -cpu "
                       "max,la57=off");
}

char *limactl_replace_program(const char *line, const char *program, char **replaced)
{
        static const char special[] = "'\"\\`$;|&<>()";
        const char *first = line + strspn(line, " \t");
        size_t length = strcspn(first, " \t");

        if (length == 0 || strcspn(first, special) < length || strpbrk(program, special))
                return NULL;
        *replaced = xstrndup(first, length);
        return xasprintf("'%s'%s", program, first + length);
}

/*
 * Passes on our environment, except what overrides Lima's own settings, and except the ssh agent: Lima's ssh has a key of its
 * own and must not use others. Without HOME Lima wouldn't start at all.
 */
static int build_environment(const struct limactl_call *call, struct strv *environment, struct error **err)
{
        static const char *const without[] = {
                "LIMA_INSTANCE",       "LIMA_SHELL",          "LIMA_WORKDIR", "LIMA_SSH_OVER_VSOCK", "LIMA_SSH_PORT_FORWARDER",
                "LIMA_TEMPLATES_PATH", "_LIMA_OUTPUT_IS_TTY", "SSH",          "SSH_AUTH_SOCK",       "SSH_ASKPASS",
        };
        _cleanup_(strv_clear) struct strv overrides = STRV_INIT;
        _cleanup_(freep) char *folder = home_folder();
        _cleanup_(freep) char *home = paths_home(NULL);

        for (size_t i = 0; i < ARRAY_SIZE(without); i++)
                strv_add(&overrides, without[i]);
        strv_addf(&overrides, "LIMA_HOME=%s", folder);
        strv_addf(&overrides, "HOME=%s", home);
        if (call->boots && system_prepare_boot(call->boots, &overrides, err) < 0)
                return -1;
        process_environment(environment, strv_argv(&overrides));
        return 0;
}

static int not_installed(struct error **err)
{
        error_set(err, ERROR_ENGINE, "'limactl' is not installed");
        return error_hint(err, "install Lima 2, so that limactl is in PATH");
}

/* What Lima downloads is an image, and this computer's own CAs count for that. */
static void advise(const char *complaint, struct error **err)
{
        size_t length = strlen(complaint);

        if (said_untrusted(complaint, length)) {
                _cleanup_(freep) char *advice = ca_advice();

                error_hint(err, "%s", advice);
        } else if (said_broken_off(complaint, length)) {
                error_passes(err, SAID_BROKEN_OFF_PASSES);
        } else if (strstr(complaint, "timed out") || strstr(complaint, "did not receive an event")) {
                error_passes(err, PROGRESS_BOOT_PASSES);
        }
}

static int failed(const struct limactl_call *call, const struct log *log, int status, struct error **err)
{
        _cleanup_(freep) char *how = process_status_text(status);

        error_set(err, ERROR_ENGINE, "'limactl %s' failed: %s", call->arguments[0], log->complaint ? log->complaint : how);
        if (log->complaint)
                advise(log->complaint, err);
        return -1;
}

int limactl_run(const struct limactl_call *call, struct strbuf *out, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(freep) char *program = process_find("limactl");
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;
        _cleanup_(log_clear) struct log log = { .events = call->events };
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (!program)
                return not_installed(err);
        if (call->boots && system_confine(call->boots, call->ssh_port, &argv, err) < 0)
                return -1;
        strv_adds(&argv, program, call->arguments[0], "--tty=false", "--log-format=json", NULL);
        for (const char *const *argument = call->arguments + 1; *argument; argument++)
                strv_add(&argv, *argument);
        if (build_environment(call, &environment, err) < 0)
                return -1;
        if (process_run(
                    &(struct process_spec){
                            .argv = strv_argv(&argv),
                            .environment = strv_argv(&environment),
                            /* Nobody wants what it writes into the working directory (a definition that it rejects). */
                            .folder = "/",
                            .input = call->input,
                            .input_length = call->input ? strlen(call->input) : 0,
                            .timeout_ms = call->timeout_ms,
                            .on_line = on_line,
                            .on_line_data = &log,
                            /* The host agent and the guest are its children, and must outlive our terminal. */
                            .new_session = true,
                    },
                    &result, err) < 0) {
                error_wrap(err, "'limactl %s' did not finish", call->arguments[0]);
                return error_set_kind(err, ERROR_ENGINE);
        }
        if (result.status != 0)
                return failed(call, &log, result.status, err);
        if (out)
                strbuf_add(out, result.out.buf, result.out.len);
        return 0;
}

int limactl_list(const struct strv *instances, struct strbuf *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv arguments = STRV_INIT;

        strv_adds(&arguments, "list", "--format=json", NULL);
        strv_add_all(&arguments, instances);
        return limactl_run(&(struct limactl_call){ .arguments = strv_argv(&arguments), .timeout_ms = LIST_TIMEOUT_MS }, out,
                           err);
}

int limactl_list_one(const char *vm, struct listing *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv instances = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *folder = NULL;

        strv_take(&instances, home_instance(vm));
        if (limactl_list(&instances, &text, &error) < 0) {
                /* It also fails when there is no such instance. That there is no folder is the proof. */
                folder = home_instance_folder(vm);
                if (strstr(error->message, "unmatched instances") && !file_exists(folder))
                        return 0;
                error_give(err, TAKE_PTR(error));
                return error_wrap(err, "cannot ask Lima about VM '%s'", vm);
        }
        return listing_parse(text.buf, text.len, instances.items[0], out, err);
}

/* "limactl version 2.2.0", "limactl version v2.2.0-153-g183a60d7" */
char *limactl_parse_version(const char *text, int *major)
{
        static const char mark[] = "version ";
        const char *found = strstr(text, mark);
        char *end;
        long number;

        if (!found)
                return NULL;
        found += sizeof(mark) - 1;
        found += *found == 'v';
        number = strtol(found, &end, 10);
        if (end == found || *end != '.' || number < 0 || number > 999)
                return NULL;
        *major = (int)number;
        return xstrndup(found, strcspn(found, " \n"));
}
