#include "guest/recipe-run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/recipe-lack.h"
#include "guest/advice.h"
#include "guest/script.h"
#include "host/builds.h"
#include "host/paths.h"
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/nest.h"
#include "lib/said.h"
#include "lib/text.h"

#define SCRIPT_TIMEOUT_MS 60000
#define TAR_TIMEOUT_MS    (10 * 60 * 1000)
#define STEPS_TIMEOUT_MS  (12 * 60 * 60 * 1000) /* of one part */
#define LOG_MOST          1000000               /* bytes kept of a failed step's log, whatever the guest sends */
/* A shorter step needs no estimate. A guest that makes them up can't have us write all the time, either. */
#define REMEMBERED_MS 2000

void recipe_run_files_clear(struct recipe_run_files *files)
{
        for (size_t i = 0; i < files->count; i++)
                free(files->items[i].path);
        free(files->items);
        *files = (struct recipe_run_files)RECIPE_RUN_FILES_INIT;
}

static const char *find_file(const struct recipe_run_files *files, const struct recipe_download *download)
{
        for (size_t i = 0; i < files->count; i++)
                if (files->items[i].download == download)
                        return files->items[i].path;
        return NULL;
}

/* --- what goes in, as a folder */

static int write_values(const struct recipe_step *step, const char *folder, struct error **err)
{
        for (size_t i = 0; i < step->value_count; i++) {
                _cleanup_(freep) char *path = path_join(folder, step->values[i].name);
                _cleanup_(freep) char *text = strv_join(&step->values[i].items, "\n");
                _cleanup_(freep) char *lines = xasprintf("%s\n", text);

                if (file_write_text(path, lines, 0600, err) < 0)
                        return -1;
        }
        return 0;
}

/* Downloads are symbolic links, which tar follows. A step that the guest already has needs none. */
static int write_files(const struct recipe_step *step, const struct recipe_run_files *files, const char *folder,
                       struct error **err)
{
        for (size_t i = 0; i < step->file_count; i++) {
                _cleanup_(freep) char *path = path_join(folder, step->files[i].name);

                if (file_write(path, step->files[i].content, step->files[i].length, step->files[i].executable ? 0700 : 0600,
                               err) < 0)
                        return -1;
        }
        for (size_t i = 0; i < step->download_count; i++) {
                _cleanup_(freep) char *path = path_join(folder, step->downloads[i].name);
                const char *source = find_file(files, &step->downloads[i]);

                if (source && symlink(source, path) < 0)
                        return error_errno(err, ERROR_FAILED, "cannot make '%s'", path);
        }
        return 0;
}

static int write_step(const struct recipe_step *step, const struct recipe_run_files *files, const char *folder,
                      struct error **err)
{
        const struct {
                const char *name, *text;
        } texts[] = {
                { "id", step->id },
                { "kind", recipe_kind_name(step->kind) },
                { "hash", step->hash },
                { "user", step->as_user ? "user" : "root" },
                { "verify", step->verify ? step->verify : "" },
                { "optional", step->optional ? "yes" : "" },
                { "checks_all", step->checks_all ? "yes" : "" },
        };
        _cleanup_(freep) char *values = path_join(folder, "values");
        _cleanup_(freep) char *own = path_join(folder, "files");

        if (file_make_folders(values, 0700, err) < 0 || file_make_folders(own, 0700, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(freep) char *path = path_join(folder, texts[i].name);

                if (file_write_text(path, texts[i].text, 0600, err) < 0)
                        return -1;
        }
        return write_values(step, values, err) < 0 ? -1 : write_files(step, files, own, err);
}

static int copy_scripts(const char *folder, struct error **err)
{
        _cleanup_(freep) char *shipped = paths_shipped("guest/recipe", err);
        _cleanup_(freep) char *kinds = shipped ? path_join(shipped, "kinds") : NULL;
        _cleanup_(freep) char *there = path_join(folder, "kinds");
        _cleanup_(freep) char *run = shipped ? path_join(shipped, "run") : NULL;
        _cleanup_(freep) char *link = path_join(folder, "run");

        if (!shipped)
                return -1;
        if (symlink(kinds, there) < 0 || symlink(run, link) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make '%s'", link);
        return 0;
}

/* Will the guest go without it, whatever happens there? */
static bool is_missed(const struct recipe_run *run, const struct recipe_step *step)
{
        return strv_contains(run->without, step->id) || (step->checks_all && run->without->count > 0);
}

static int write_part(const struct recipe_run *run, const char *folder, struct error **err)
{
        const struct recipe_part *part = run->part;

        if (copy_scripts(folder, err) < 0)
                return -1;
        for (size_t i = 0; i < part->step_count; i++) {
                _cleanup_(freep) char *step = xasprintf("%s/steps/%04zu", folder, i);

                if (!part->steps[i].skipped && !is_missed(run, &part->steps[i]) &&
                    write_step(&part->steps[i], run->files, step, err) < 0)
                        return -1;
        }
        return 0;
}

static int pack(const char *folder, const char *archive, struct error **err)
{
        const char *const argv[] = { "tar", "-c", "-h", "-f", archive, "-C", folder, ".", NULL };

        if (process_check(&(struct process_spec){ .argv = argv, .timeout_ms = TAR_TIMEOUT_MS }, NULL, err) < 0)
                return error_wrap(err, "cannot pack the recipe's steps");
        return 0;
}

/* --- what comes back */

struct outcome {
        const struct recipe_step *step;
        int64_t status;
};

struct report {
        const struct recipe_run *run;
        const struct recipe_step *running;
        int64_t begun;          /* when the running one began, as now_ms() */
        struct outcome failed;  /* the step that was the last; without one, none was */
        struct outcome *missed; /* optional ones that failed */
        size_t missed_count;
        const struct recipe_step *held; /* the one that checks all, and was left out */
        bool whole;
};

static void report_clear(struct report *report)
{
        free(report->missed);
}

static const struct recipe_step *find_step(const struct recipe_part *part, const char *id)
{
        for (size_t i = 0; i < part->step_count; i++)
                if (streq(part->steps[i].id, id))
                        return &part->steps[i];
        return NULL;
}

/* What the step is called in host/builds.h. Owned by the caller. */
static char *build_name(const struct report *report, const struct recipe_step *step)
{
        return xasprintf("step %s/%s", report->run->part->name, step->id);
}

static void on_begin(struct report *report, const struct recipe_step *step)
{
        _cleanup_(freep) char *name = build_name(report, step);

        report->running = step;
        report->begun = now_ms();
        event_begin_expecting(report->run->events, step->id, builds_recall(name).ms, "%s: %s", report->run->part->name,
                              step->title);
}

static void remember(const struct report *report, const struct recipe_step *step)
{
        _cleanup_(freep) char *name = build_name(report, step);
        int64_t taken = now_ms() - report->begun;

        if (taken >= REMEMBERED_MS)
                builds_remember(name, &(struct build_cost){ .ms = taken });
}

static void on_failed(struct report *report, const struct recipe_step *step, int64_t status)
{
        struct outcome outcome = { step, status };

        if (!step->optional) {
                report->failed = outcome;
                return;
        }
        for (size_t i = 0; i < report->missed_count; i++)
                if (report->missed[i].step == step)
                        return;
        report->missed = xreallocarray(report->missed, report->missed_count + 1, sizeof(*report->missed));
        report->missed[report->missed_count++] = outcome;
}

/* Only the running step ends: so each ends once, whatever the guest says. */
static void on_end(struct report *report, const struct recipe_step *step, const struct strv *fields)
{
        const char *how = fields->count > 2 ? fields->items[2] : "";
        int64_t status;

        if (streq(how, "held") && step->checks_all)
                report->held = step;
        if (report->running != step)
                return;
        if (streq(how, "failed") && fields->count > 3 && text_parse_int(fields->items[3], 1, 255, &status) == 0)
                on_failed(report, step, status);
        if (streq(how, "done"))
                remember(report, step);
        event_end(report->run->events, step->id, streq(how, "done") ? EVENT_DONE : EVENT_FAILED, NULL);
        report->running = NULL;
}

/* Ignores every line that is not one of the runner's records: the guest can print what it likes. */
static void on_line(const char *line, void *data)
{
        struct report *report = data;
        _cleanup_(strv_clear) struct strv fields = STRV_INIT;
        const struct recipe_step *step;

        for (const char *at = line;; at += strcspn(at, "\t") + 1) {
                _cleanup_(freep) char *field = xstrndup(at, strcspn(at, "\t"));

                strv_take(&fields, text_visible_dup(field));
                if (!at[strcspn(at, "\t")])
                        break;
        }
        if (streq(fields.items[0], "whole"))
                report->whole = true;
        step = fields.count > 1 ? find_step(report->run->part, fields.items[1]) : NULL;
        if (!step)
                return;
        if (streq(fields.items[0], "begin") && !report->running) {
                on_begin(report, step);
        } else if (streq(fields.items[0], "line") && fields.count > 2) {
                event_line(report->run->events, fields.items[2]);
        } else if (streq(fields.items[0], "version") && fields.count == 4 && report->running == step) {
                report->run->on_version(report->run->part, step, fields.items[2], fields.items[3], report->run->data);
        } else if (streq(fields.items[0], "end")) {
                on_end(report, step, &fields);
        }
}

/* A failed step's log, as it was copied to the host. */
struct step_log {
        char *path;         /* NULL when the guest doesn't give it, or it can't be written */
        char *why;          /* the line that tells why, or "" */
        struct strbuf said; /* all of it */
};

#define STEP_LOG_INIT                                                                                                          \
        {                                                                                                                      \
                .said = STRBUF_INIT                                                                                            \
        }

static void step_log_clear(struct step_log *log)
{
        free(log->path);
        free(log->why);
        strbuf_clear(&log->said);
}

static void step_log_take(const struct recipe_run *run, const struct recipe_step *step, struct step_log *out)
{
        static const char script[] = "exec sudo -n tail -c \"$2\" -- \"/var/log/machine/steps/$1.log\"\n";
        _cleanup_(freep) char *name = xasprintf("%s-%s", run->part->name, step->id);
        _cleanup_(freep) char *path = xasprintf("%s/recipe-%s.log", run->logs, name);
        _cleanup_(freep) char *most = xasprintf("%d", LOG_MOST);
        int status = session_script(&(struct session){ .vm = run->vm }, script, (const char *const[]){ name, most, NULL },
                                    SCRIPT_TIMEOUT_MS, NULL, NULL, &out->said, NULL);

        strbuf_truncate(&out->said, LOG_MOST);
        out->why = said_why(out->said.buf, out->said.len);
        if (status == 0 && file_make_folders(run->logs, 0700, NULL) == 0 &&
            file_write(path, out->said.buf, out->said.len, 0600, NULL) == 0)
                out->path = TAKE_PTR(path);
}

/* What to do: about the CA that isn't trusted, if that was it, and with the log. */
static void advise(const struct recipe_run *run, const struct step_log *log, struct error **err)
{
        const struct strbuf *said = &log->said;
        _cleanup_(freep) char *trust = advice_on_trust(said->buf, said->len, run->again);
        _cleanup_(freep) char *shown = text_shell_path(log->path);

        if (trust) {
                error_hint(err, "%s; all that it said: less %s", trust, shown);
                return;
        }
        if (advice_broke_off(run->vm, said->buf, said->len)) {
                error_hint(err, "less %s", shown);
                error_passes(err, SAID_BROKEN_OFF_PASSES);
                return;
        }
        error_hint(err, "less %s; when it is fixed, go on from there with: %s", shown, run->again);
}

/* The error has the line that tells why, and names the log. */
static int fail(const struct report *report, struct error **err)
{
        const struct recipe_run *run = report->run;
        const struct recipe_step *step = report->failed.step;
        _cleanup_(step_log_clear) struct step_log log = STEP_LOG_INIT;

        step_log_take(run, step, &log);
        error_set(err, ERROR_STEP, "step '%s' of the recipe's part '%s' failed with exit status %jd%s%s", step->id,
                  run->part->name, (intmax_t)report->failed.status, *log.why ? ": " : "", log.why);
        if (step->line > 0)
                error_wrap(err, "%s:%u:%u", step->file, step->line, step->column);
        if (log.path)
                advise(run, &log, err);
        else
                error_hint(err, "its log could not be taken out of the VM; when it is fixed, go on from there with: %s",
                           run->again);
        return -1;
}

/* The session ended in the middle of a step: nothing says that anything is wrong with the step. */
static int cut_off(const struct report *report, const struct process_result *result, struct error **err)
{
        _cleanup_(freep) char *how = process_status_text(result->status);
        _cleanup_(freep) char *why = said_why(result->err.buf, result->err.len);

        error_set(err, ERROR_STEP, "the recipe's part '%s' was cut off in VM '%s': %s%s%s", report->run->part->name,
                  report->run->vm->name, how, *why ? ": " : "", why);
        return error_passes(err, ADVICE_CUT_OFF_PASSES);
}

static void tell_missed(const struct report *report)
{
        const struct recipe_run *run = report->run;
        const struct recipe_step *held = report->held;

        for (size_t i = 0; i < report->missed_count; i++) {
                const struct recipe_step *step = report->missed[i].step;
                _cleanup_(step_log_clear) struct step_log log = STEP_LOG_INIT;
                _cleanup_(freep) char *reason = NULL;

                step_log_take(run, step, &log);
                reason = xasprintf("exit status %jd%s%s", (intmax_t)report->missed[i].status, *log.why ? ": " : "", log.why);
                run->on_missed(run->part, step, reason, log.path, run->data);
        }
        for (size_t i = 0; !held && run->without->count > 0 && i < run->part->step_count; i++)
                if (run->part->steps[i].checks_all)
                        held = &run->part->steps[i];
        if (held)
                run->on_missed(run->part, held, NULL, NULL, run->data);
}

/*
 * Sends the archive, whose length the guest is told: stdin stays open after it, and its end tells the guest of ours. It then
 * ends the steps, which are a process group of their own.
 */
static int send(const char *archive, struct report *report, struct error **err)
{
        static const char remote[] =
                "umask 022; d=$(mktemp -d /var/tmp/machine-recipe.XXXXXX) || exit; trap 'rm -rf \"$d\"' EXIT; "
                "cd \"$d\" && head -c \"$3\" | tar -xf - --no-same-owner || exit; exec 8<&0; "
                "setsid ./run \"$1\" \"$2\" 8<&- & run=$!; "
                "{ read -r _ <&8 || kill -s TERM -- \"-$run\"; } >/dev/null 2>&1 & reader=$!; "
                "wait \"$run\"; status=$?; kill -s KILL \"$reader\"; exit $status";
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(closep) int fd = open(archive, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        const struct vm *vm = report->run->vm;
        struct stat size;

        if (fd < 0 || fstat(fd, &size) < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", archive);
        strbuf_adds(&line, "sudo -n sh -c ");
        text_shell_quote(&line, remote);
        strbuf_addf(&line, " sh %s %s %jd", report->run->part->name, vm->record.user, (intmax_t)size.st_size);
        session_argv(&(struct session){ .vm = vm }, line.buf, &argv);
        if (process_run(&(struct process_spec){ .argv = strv_argv(&argv),
                                                .input = "",
                                                .then_fd = fd,
                                                .hold_input = true,
                                                .timeout_ms = STEPS_TIMEOUT_MS,
                                                .lines_only = true,
                                                .on_line = on_line,
                                                .on_line_data = report },
                        &result, err) < 0)
                return -1;
        if (report->running)
                event_end(report->run->events, report->running->id, EVENT_FAILED, NULL);
        if (report->whole)
                tell_missed(report);
        if (report->failed.step)
                return fail(report, err);
        if (result.status != 0 || !report->whole)
                return cut_off(report, &result, err);
        return 0;
}

int recipe_run(const struct recipe_run *run, struct error **err)
{
        _cleanup_(report_clear) struct report report = { .run = run };
        _cleanup_(freep) char *cache = paths_cache(NULL);
        _cleanup_(nest_clear) struct nest nest = NEST_INIT;
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(freep) char *archive = NULL;

        if (file_make_folders(cache, 0700, err) < 0 || nest_make(cache, "recipe.", &nest, err) < 0)
                return -1;
        folder = path_join(nest.folder, "part");
        archive = path_join(nest.folder, "part.tar");
        if (file_make_folders(folder, 0700, err) < 0 || write_part(run, folder, err) < 0 || pack(folder, archive, err) < 0)
                return -1;
        return send(archive, &report, err);
}

/* --- which steps the guest has */

int recipe_run_applied(const struct vm *vm, const struct recipe_part *part, struct strv *applied, struct error **err)
{
        static const char script[] =
                "exec sudo -n sh -c 'cd \"/var/lib/machine/steps/$1\" 2>/dev/null || exit 0\n"
                "for id in *; do [ ! -f \"$id\" ] || printf \"%s %s\\n\" \"$(cat \"$id\")\" \"$id\"; done' sh \"$1\"\n";
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        if (session_script(&(struct session){ .vm = vm }, script, (const char *const[]){ part->name, NULL }, SCRIPT_TIMEOUT_MS,
                           NULL, NULL, &said, err) < 0)
                return -1;
        for (size_t i = 0; i < part->step_count; i++) {
                const struct recipe_step *step = &part->steps[i];
                _cleanup_(freep) char *line = step->skipped ? NULL : xasprintf("%s %s\n", step->hash, step->id);

                if (line && strstr(said.buf, line))
                        strv_add(applied, step->id);
        }
        return 0;
}

int recipe_run_adopt(const struct vm *vm, const struct recipe_part *part, const struct strv *lacks, struct error **err)
{
        static const char script[] =
                "part=$1; shift\n"
                "while [ $# -gt 1 ]; do printf '%s\\n' \"$2\" | sudo -n tee \"/var/lib/machine/steps/$part/$1\" "
                ">/dev/null || exit; shift 2; done\n";
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_add(&args, part->name);
        for (size_t i = 0; i < part->step_count; i++)
                if (!part->steps[i].skipped && !recipe_lack_has(lacks, part, &part->steps[i]))
                        strv_adds(&args, part->steps[i].id, part->steps[i].hash, NULL);
        return session_script(&(struct session){ .vm = vm }, script, strv_argv(&args), SCRIPT_TIMEOUT_MS, NULL, NULL, NULL,
                              err);
}
