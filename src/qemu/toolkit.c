#include "qemu/toolkit.h"

#include <errno.h>
#include <sys/stat.h>

#include "host/paths.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/process.h"
#include "qemu/arguments.h"

#define PROBE_TIMEOUT_MS 60000 /* they take some milliseconds, on a busy host with a slow disk seconds */
#define CACHE_LIMIT      (64 << 10)

const char *const toolkit_environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
                                            NULL };

void toolkit_clear(struct toolkit *toolkit)
{
        free(toolkit->qemu);
        free(toolkit->version);
        free(toolkit->machine);
        free(toolkit->bubblewrap);
        free(toolkit->note);
        *toolkit = (struct toolkit)TOOLKIT_INIT;
}

char *toolkit_qemu(struct error **err)
{
        const char *name = arguments_program_name(ARCHITECTURE_HOST);
        _cleanup_(freep) char *found = process_find(name);
        char *path;

        if (!found) {
                error_set(err, ERROR_ENGINE, "'%s' is not installed", name);
                error_hint(err, "sudo apt-get install qemu-system-%s qemu-utils",
                           ARCHITECTURE_HOST == ARCHITECTURE_AARCH64 ? "arm" : "x86");
                return NULL;
        }
        path = realpath(found, NULL);
        if (!path)
                error_errno(err, ERROR_ENGINE, "cannot find '%s'", found);
        return path;
}

/* What `qemu -machine help` prints. */
static int list_machines(const struct toolkit *toolkit, struct strbuf *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(sandbox_clear) struct sandbox sandbox = { .program = toolkit->bubblewrap, .qemu = toolkit->qemu };

        if (toolkit->bubblewrap)
                sandbox_build(&sandbox, &argv);
        strv_adds(&argv, toolkit->qemu, "-machine", "help", NULL);
        return process_check(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .environment = toolkit_environment,
                                                     .timeout_ms = PROBE_TIMEOUT_MS },
                             out, err);
}

static char *without_bubblewrap(void)
{
        return xstrdup("bubblewrap is not installed: QEMU runs with only its own system call filter");
}

static int list_machines_somehow(struct toolkit *toolkit, struct strbuf *out, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;

        if (!toolkit->bubblewrap) {
                toolkit->note = without_bubblewrap();
                return list_machines(toolkit, out, err);
        }
        if (list_machines(toolkit, out, &reason) == 0)
                return 0;
        set_string(&toolkit->bubblewrap, NULL);
        strbuf_reset(out);
        if (list_machines(toolkit, out, err) < 0)
                return -1;
        toolkit->note = xasprintf("bubblewrap does not work here (%s): QEMU runs with only its own system call filter",
                                  reason->message);
        return 0;
}

static int ask_version(struct toolkit *toolkit, struct error **err)
{
        const char *const argv[] = { toolkit->qemu, "--version", NULL };
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *version = NULL;

        if (process_check(
                    &(struct process_spec){ .argv = argv, .environment = toolkit_environment, .timeout_ms = PROBE_TIMEOUT_MS },
                    &text, err) < 0)
                return -1;
        version = arguments_parse_version(text.buf, &toolkit->major, &toolkit->minor);
        if (!version)
                return error_set(err, ERROR_ENGINE, "'%s' does not say its version", toolkit->qemu);
        toolkit->version = xstrndup(text.buf, strcspn(text.buf, "\n"));
        return 0;
}

static int ask(struct toolkit *toolkit, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf machines = STRBUF_INIT;
        const char *alias = arguments_machine_name(ARCHITECTURE_HOST);

        if (ask_version(toolkit, err) < 0 || list_machines_somehow(toolkit, &machines, err) < 0)
                return -1;
        toolkit->machine = arguments_parse_machine(machines.buf, alias);
        if (!toolkit->machine)
                return error_set(err, ERROR_ENGINE, "'%s' offers no machine '%s'", toolkit->qemu, alias);
        return 0;
}

/* --- what was found before */

/* Appends what changes when a program's file does. */
static void stamp_file(struct strbuf *out, const char *path)
{
        struct stat status;

        if (!path || stat(path, &status) < 0)
                strbuf_adds(out, " -");
        else
                strbuf_addf(out, " %s:%ju:%jd:%jd.%09ld", path, (uintmax_t)status.st_ino, (intmax_t)status.st_size,
                            (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

/* The boot id is part of it, because whether namespaces are allowed is a setting of the running kernel. */
static char *make_stamp(const struct toolkit *toolkit)
{
        _cleanup_(strbuf_clear) struct strbuf stamp = STRBUF_INIT;

        file_read("/proc/sys/kernel/random/boot_id", 64, &stamp, NULL);
        strbuf_trim_end(&stamp);
        stamp_file(&stamp, toolkit->qemu);
        stamp_file(&stamp, toolkit->bubblewrap);
        return strbuf_take(&stamp);
}

static bool recall(struct toolkit *toolkit, const char *stamp)
{
        _cleanup_(freep) char *path = paths_cache("toolkit.json");
        _cleanup_(json_decrefp) json_t *cache = json_read(path, CACHE_LIMIT, NULL);
        const char *kept;
        const char *version;
        const char *machine;

        if (!cache || json_get_string(cache, "stamp", &kept, NULL) < 0 || !streq(kept, stamp) ||
            json_get_string(cache, "version", &version, NULL) < 0 || json_get_string(cache, "machine", &machine, NULL) < 0)
                return false;
        free(arguments_parse_version(version, &toolkit->major, &toolkit->minor));
        toolkit->version = xstrdup(version);
        toolkit->machine = xstrdup(machine);
        if (!toolkit->bubblewrap)
                toolkit->note = without_bubblewrap();
        return true;
}

/* This only saves time: what can't be kept is asked again. */
static void keep(const struct toolkit *toolkit, const char *stamp)
{
        _cleanup_(freep) char *folder = paths_cache(NULL);
        _cleanup_(freep) char *path = paths_cache("toolkit.json");
        _cleanup_(json_decrefp) json_t *cache =
                json_pack("{s:s, s:s, s:s}", "stamp", stamp, "version", toolkit->version, "machine", toolkit->machine);

        if (file_make_folders(folder, 0700, NULL) == 0)
                json_write(path, cache, 0600, NULL);
}

bool toolkit_is_since(const struct toolkit *toolkit, int major, int minor)
{
        return toolkit->major > major || (toolkit->major == major && toolkit->minor >= minor);
}

bool toolkit_maps_read_only(const struct toolkit *toolkit)
{
        return toolkit_is_since(toolkit, 8, 2);
}

int toolkit_find(struct toolkit *out, struct error **err)
{
        _cleanup_(toolkit_clear) struct toolkit toolkit = { .qemu = toolkit_qemu(err) };
        _cleanup_(freep) char *stamp = NULL;

        if (!toolkit.qemu)
                return -1;
        toolkit.bubblewrap = process_find("bwrap");
        stamp = make_stamp(&toolkit);
        if (!recall(&toolkit, stamp)) {
                bool installed = toolkit.bubblewrap;

                if (ask(&toolkit, err) < 0)
                        return -1;
                /* A bubblewrap that doesn't work is tried again each time: it may work by then. */
                if (installed == (toolkit.bubblewrap != NULL))
                        keep(&toolkit, stamp);
        }
        *out = toolkit;
        toolkit = (struct toolkit)TOOLKIT_INIT;
        return 0;
}
