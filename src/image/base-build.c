#include "image/base-build.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/ca.h"
#include "image/layer.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/process.h"
#include "lib/said.h"
#include "lib/text.h"

/* mmdebstrap passes its descriptors to dash, which only takes numbers of one digit. Ours are high, to leave it the low ones. */
#define OUT_FD           63
#define LOCK_FD          62
#define BUILD_TIMEOUT_MS (2 * 60 * 60 * 1000)
#define BUILD_QUIET_MS   (30 * 60 * 1000) /* a slow line is silent while packages come */
#define LAST_LINES       40               /* in which the reason of a failure is looked for */
#define KERNEL_LIMIT     ((size_t)64 << 20)
#define INITRD_LIMIT     ((size_t)256 << 20)

/* The file in a build's folder that says where mmdebstrap works. */
#define WORK_FILE  "work"
#define WORK_LIMIT 65536

/* mmdebstrap's output: all of it in a log, and the last lines to find the reason in when it fails. */
struct build_log {
        const char *path;
        FILE *file;
        struct event_sink *events;
        char *last[LAST_LINES];
        size_t count;
};

static void build_log_clear(struct build_log *log)
{
        fclosep(&log->file);
        for (size_t i = 0; i < LAST_LINES; i++)
                free(log->last[i]);
}

static int build_log_open(struct build_log *log, const char *path, struct event_sink *events, struct error **err)
{
        log->path = path;
        log->events = events;
        log->file = fopen(path, "we");
        if (!log->file)
                return error_errno(err, ERROR_FAILED, "cannot write '%s'", path);
        return 0;
}

static void on_line(const char *line, void *data)
{
        struct build_log *log = data;

        fprintf(log->file, "%s\n", line);
        set_string(&log->last[log->count++ % LAST_LINES], xstrdup(line));
        event_line(log->events, starts_with(line, "I: ") ? line + strlen("I: ") : line);
}

/* What apt downloads comes with this computer's own CAs. */
static void advise(const struct strbuf *said, const char *log, struct error **err)
{
        _cleanup_(freep) char *shown = text_shell_path(log);

        if (said_untrusted(said->buf, said->len)) {
                _cleanup_(freep) char *advice = ca_advice();

                error_hint(err, "%s; all that it said: less %s", advice, shown);
                return;
        }
        error_hint(err, "less %s", shown);
        if (said_broken_off(said->buf, said->len))
                error_passes(err, "only the base image is begun anew: " SAID_BROKEN_OFF_PASSES);
}

/* Sets an error with the line that tells why, and where to read all of the output. */
static int build_log_fail(const struct build_log *log, const char *program, int status, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *how = process_status_text(status);
        _cleanup_(freep) char *why = NULL;

        for (size_t i = 0; i < LAST_LINES; i++) {
                const char *line = log->last[(log->count + i) % LAST_LINES];

                if (line && !starts_with(line, "I: "))
                        strbuf_addf(&said, "%s\n", line);
        }
        why = said_why(said.buf, said.len);
        error_set(err, ERROR_ENGINE, "cannot build the base image: '%s' failed with %s%s%s", program, how, *why ? ": " : "",
                  why);
        advise(&said, log->path, err);
        return -1;
}

static int run_logged(const char *program, const struct process_spec *spec, struct build_log *log, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        struct process_spec logged = *spec;

        logged.on_line = on_line;
        logged.on_line_data = log;
        if (process_run(&logged, &result, err) < 0) {
                _cleanup_(freep) char *shown = text_shell_path(log->path);

                error_wrap(err, "cannot build the base image");
                return error_hint_else(err, "less %s", shown);
        }
        fflush(log->file);
        return result.status == 0 ? 0 : build_log_fail(log, program, result.status, err);
}

/*
 * Makes the folder that mmdebstrap works in. Other users (subordinate ones and apt's) must be able to reach its files there,
 * so it can't be below a private folder.
 */
static char *make_work_folder(const char *folder, struct error **err)
{
        const char *parent = getenv("TMPDIR");
        _cleanup_(freep) char *note = path_join(folder, WORK_FILE);
        _cleanup_(freep) char *work = path_join(parent && *parent ? parent : "/var/tmp", "machine-base-XXXXXX");

        if (!mkdtemp(work)) {
                error_errno(err, ERROR_FAILED, "cannot make a folder '%s'", work);
                return NULL;
        }
        if (file_write_text(note, work, 0600, err) < 0) {
                rmdir(work);
                return NULL;
        }
        if (chmod(work, 0711) < 0) {
                error_errno(err, ERROR_FAILED, "cannot set the mode of '%s'", work);
                return NULL;
        }
        return TAKE_PTR(work);
}

static int write_guest_files(const struct base_inputs *inputs, const char *work, struct error **err)
{
        for (size_t i = 0; i < inputs->file_count; i++) {
                const struct base_file *file = &inputs->files[i];
                _cleanup_(freep) char *name = path_join("guest", file->name);
                _cleanup_(freep) char *path = path_join(work, name);
                _cleanup_(freep) char *parent = path_folder(path);

                if (file_make_folders(parent, 0755, err) < 0 ||
                    file_write(path, file->content, file->length, file->executable ? 0755 : 0644, err) < 0)
                        return -1;
        }
        return 0;
}

/* Makes a folder that mmdebstrap's users can write to once they have its descriptor. Its parent's mode keeps others out. */
static int open_out_folder(const struct base_inputs *inputs, const char *out, int *fd, struct error **err)
{
        _cleanup_(closep) int opened = -1;
        _cleanup_(closep) int disk = -1;

        if (mkdir(out, 0700) < 0 || chmod(out, 0777) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make '%s'", out);
        opened = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (opened < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", out);
        disk = openat(opened, "disk.raw", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (disk < 0 || fchmod(disk, 0666) < 0 || ftruncate(disk, inputs->disk_bytes) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make '%s/disk.raw'", out);
        *fd = TAKE_FD(opened);
        return 0;
}

/* Without this, what root's mmdebstrap mounts would be mounted for the whole system, and would stay when it is killed. Where
 * this isn't allowed, mounting isn't either. */
static bool can_unshare_mounts(void)
{
        const char *const argv[] = { "unshare", "--mount", "true", NULL };

        return process_check(&(struct process_spec){ .argv = argv }, NULL, NULL) == 0;
}

static void mmdebstrap_argv(const struct base_inputs *inputs, const char *work, struct strv *argv)
{
        _cleanup_(freep) char *packages = strv_join(&inputs->packages, ",");
        _cleanup_(freep) char *further = strv_join(&inputs->further, ",");

        if (geteuid() == 0 && can_unshare_mounts())
                strv_adds(argv, "unshare", "--mount", NULL);
        strv_adds(argv, "mmdebstrap", geteuid() == 0 ? "--mode=root" : "--mode=unshare", "--variant=minbase", "--format=null",
                  NULL);
        strv_addf(argv, "--architectures=%s", inputs->architecture);
        strv_addf(argv, "--include=%s", packages);
        strv_adds(argv, "--aptopt=Acquire::Languages \"none\"", "--dpkgopt=path-exclude=/usr/share/locale/*",
                  "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright", NULL);
        /* Some packages are used through these files: fzf's keys for the shell. */
        if (inputs->further.count > 0) {
                strv_addf(argv, "--include=%s", further);
                strv_add(argv, "--dpkgopt=path-include=/usr/share/doc/*/examples/*");
        }
        strv_addf(argv, "--customize-hook=%s/guest/build/finish", work);
        strv_adds(argv, inputs->suite, "-", NULL);
}

static void mmdebstrap_environment(const struct base_inputs *inputs, const char *work, struct strv *environment)
{
        _cleanup_(strv_clear) struct strv overrides = STRV_INIT;

        strv_addf(&overrides, "TMPDIR=%s", work);
        strv_addf(&overrides, "MACHINE_GUEST=%s/guest", work);
        strv_addf(&overrides, "MACHINE_USER=%s", inputs->user);
        strv_addf(&overrides, "MACHINE_OUT=/proc/self/fd/%d", OUT_FD);
        /* Don't make Debian's own initrd: guest/build/initrd makes ours. */
        strv_add(&overrides, "INITRD=No");
        /* Keep the user's own settings for apt and dpkg out of the image. */
        strv_addf(&overrides, "HOME=%s", work);
        strv_add(&overrides, "APT_CONFIG");
        process_environment(environment, strv_argv(&overrides));
}

static int run_mmdebstrap(const struct base_inputs *inputs, const char *work, int out, const struct lock *lock,
                          struct build_log *log, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;
        const struct process_fd fds[] = { { .child_fd = OUT_FD, .fd = out }, { .child_fd = LOCK_FD, .fd = lock->fd } };

        mmdebstrap_argv(inputs, work, &argv);
        mmdebstrap_environment(inputs, work, &environment);
        return run_logged("mmdebstrap",
                          &(struct process_spec){
                                  .argv = strv_argv(&argv),
                                  .environment = strv_argv(&environment),
                                  .folder = "/",
                                  .fds = fds,
                                  .fd_count = ARRAY_SIZE(fds),
                                  .timeout_ms = BUILD_TIMEOUT_MS,
                                  .quiet_ms = BUILD_QUIET_MS,
                          },
                          log, err);
}

/* Copies FOLDER/out/NAME to FOLDER/NAME. Without root the file belongs to a subordinate user, but the copy is ours. */
static int take_out(const char *folder, const char *name, size_t limit, struct error **err)
{
        _cleanup_(freep) char *from = xasprintf("%s/out/%s", folder, name);
        _cleanup_(freep) char *to = path_join(folder, name);
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;

        if (file_read(from, limit, &content, err) < 0)
                return -1;
        if (content.len == 0)
                return error_set(err, ERROR_ENGINE, "'%s' is empty", from);
        return file_write(to, content.buf, content.len, 0444, err);
}

static int convert_disk(const char *folder, struct build_log *log, struct error **err)
{
        _cleanup_(freep) char *raw = path_join(folder, "out/disk.raw");
        _cleanup_(freep) char *disk = path_join(folder, LAYER_DISK);
        const char *const argv[] = { "qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk, NULL };

        event_line(log->events, "writing the disk image");
        if (run_logged(argv[0], &(struct process_spec){ .argv = argv, .timeout_ms = BUILD_TIMEOUT_MS }, log, err) < 0)
                return -1;
        return layer_seal(disk, err);
}

/* Each line of the file is "name TAB version TAB architecture". */
static int read_packages(const char *path, json_t *installed, const char **kernel, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        char *save = NULL;

        if (file_read(path, 1 << 20, &text, err) < 0)
                return -1;
        for (char *line = strtok_r(text.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *version = strchr(line, '\t');
                char *end = version ? strchr(version + 1, '\t') : NULL;

                if (!end)
                        return error_set(err, ERROR_ENGINE, "'%s' is not a list of packages", path);
                *version++ = '\0';
                *end = '\0';
                json_object_set_new(installed, line, json_string(version));
        }
        for (void *iter = json_object_iter(installed); iter; iter = json_object_iter_next(installed, iter)) {
                const char *name = json_object_iter_key(iter);
                const char *release = name + strlen("linux-image-");

                if (starts_with(name, "linux-image-") && *release >= '0' && *release <= '9')
                        *kernel = release;
        }
        if (!*kernel)
                return error_set(err, ERROR_ENGINE, "'%s' lists no kernel", path);
        return 0;
}

static int write_manifest(const struct base_inputs *inputs, const char *folder, struct error **err)
{
        _cleanup_(freep) char *list = path_join(folder, "out/packages");
        _cleanup_(freep) char *path = path_join(folder, "manifest.json");
        _cleanup_(json_decrefp) json_t *installed = json_object();
        _cleanup_(json_decrefp) json_t *manifest = json_object();
        json_t *asked = json_array();
        const char *kernel = NULL;
        _cleanup_(freep) char *created = text_format_time(time(NULL));

        json_object_set_new(manifest, "kind", json_string("base"));
        json_object_set_new(manifest, "key", json_string(inputs->key));
        if (inputs->further.count > 0)
                json_object_set_new(manifest, "plain", json_string(inputs->plain));
        json_object_set_new(manifest, "suite", json_string(inputs->suite));
        json_object_set_new(manifest, "architecture", json_string(inputs->architecture));
        json_object_set_new(manifest, "user", json_string(inputs->user));
        json_object_set_new(manifest, "disk_bytes", json_integer(inputs->disk_bytes));
        json_object_set_new(manifest, "asked", asked);
        for (size_t i = 0; i < inputs->packages.count; i++)
                json_array_append_new(asked, json_string(inputs->packages.items[i]));
        for (size_t i = 0; i < inputs->further.count; i++)
                json_array_append_new(asked, json_string(inputs->further.items[i]));
        if (read_packages(list, installed, &kernel, err) < 0)
                return -1;
        json_object_set_new(manifest, "kernel", json_string(kernel));
        json_object_set_new(manifest, "created", json_string(created));
        json_object_set(manifest, "installed", installed);
        return json_write(path, manifest, 0444, err);
}

int base_build(const struct base_inputs *inputs, const char *folder, const char *log_path, const struct lock *lock,
               struct event_sink *events, struct error **err)
{
        _cleanup_(build_log_clear) struct build_log log = { 0 };
        _cleanup_(freep) char *out = path_join(folder, "out");
        _cleanup_(freep) char *work = NULL;
        _cleanup_(closep) int out_fd = -1;

        if (build_log_open(&log, log_path, events, err) < 0)
                return -1;
        work = make_work_folder(folder, err);
        if (!work || write_guest_files(inputs, work, err) < 0 || open_out_folder(inputs, out, &out_fd, err) < 0 ||
            run_mmdebstrap(inputs, work, out_fd, lock, &log, err) < 0 || convert_disk(folder, &log, err) < 0 ||
            take_out(folder, "vmlinuz", KERNEL_LIMIT, err) < 0 || take_out(folder, "initrd", INITRD_LIMIT, err) < 0)
                return -1;
        return write_manifest(inputs, folder, err);
}

/*
 * Removes a folder that mmdebstrap made. Without root, its content belongs to users that only mmdebstrap's own user namespace
 * maps. As root, what a killed mmdebstrap mounted may still be there, and must not be entered.
 */
static int remove_tree(const char *path, struct error **err)
{
        const char *const argv[] = { "mmdebstrap", "--unshare-helper", "rm", "-rf", "--one-file-system", "--", path, NULL };
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        if (geteuid() == 0)
                return process_check(&(struct process_spec){ .argv = argv + 2 }, NULL, err);
        /* `path` itself lies in a folder of ours, which those users can't write to. So it is expected to fail there. */
        if (process_run(&(struct process_spec){ .argv = argv, .folder = "/" }, &result, err) < 0)
                return -1;
        return file_remove(path, err);
}

static int remove_work(const char *work, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (!file_is_folder(work))
                return 0;
        if (file_list(work, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(work, names.items[i]);

                if (starts_with(names.items[i], "mmdebstrap.") && remove_tree(path, err) < 0)
                        return error_wrap(err, "cannot remove what is left of an earlier build");
        }
        return file_remove(work, err);
}

int base_build_tidy(const char *folder, struct error **err)
{
        _cleanup_(freep) char *note = path_join(folder, WORK_FILE);
        _cleanup_(freep) char *out = path_join(folder, "out");
        _cleanup_(strbuf_clear) struct strbuf work = STRBUF_INIT;

        if (file_exists(note) &&
            (file_read(note, WORK_LIMIT, &work, err) < 0 || remove_work(work.buf, err) < 0 || file_remove(note, err) < 0))
                return -1;
        return file_remove(out, err);
}
