#include "image/base-inputs.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#include "host/guest-system.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/hash.h"

/* Raised when the same inputs would become a different image. */
#define RECIPE_VERSION "1"
#define SUITE          GUEST_SUITE
#define DISK_BYTES     (INT64_C(3) << 30)
/* With a recipe's packages, whose size is not known. What isn't written takes no room. */
#define WIDE_DISK_BYTES  (INT64_C(16) << 30)
#define GUEST_FILE_LIMIT (1 << 20)

static const struct {
        const char *machine; /* uname(2) */
        const char *architecture;
        const char *kernel;
} architectures[] = {
        { "x86_64", "amd64", "linux-image-cloud-amd64" },
        { "aarch64", "arm64", "linux-image-cloud-arm64" },
        { "arm64", "arm64", "linux-image-cloud-arm64" }, /* macOS's name for it */
};

static const char *const packages[] = {
        /* boot */
        "cpio",
        "dbus",
        "klibc-utils",
        "kmod",
        "libpam-systemd",
        "systemd",
        "systemd-sysv",
        "udev",
        /* access */
        "openssh-server",
        "qemu-guest-agent",
        "sudo",
        /* network */
        "ca-certificates",
        "curl",
        "iproute2",
        "libnss-myhostname",
        "netbase",
        /* work */
        "bash-completion",
        "git",
        "less",
        "procps",
        "rsync",
        "tmux",
        "xz-utils",
        "zsh",
        "zstd",
};

/* The parts of guest/ that go in. */
static const char *const parts[] = { "build", "identity", "root", "seed" };

void base_inputs_clear(struct base_inputs *inputs)
{
        for (size_t i = 0; i < inputs->file_count; i++) {
                free(inputs->files[i].name);
                free(inputs->files[i].content);
        }
        free(inputs->files);
        strv_clear(&inputs->packages);
        strv_clear(&inputs->further);
        free(inputs->user);
        free(inputs->key);
        free(inputs->plain);
        *inputs = (struct base_inputs)BASE_INPUTS_INIT;
}

static bool user_valid(const char *user)
{
        size_t length = strlen(user);

        return length > 0 && length <= 32 && strspn(user, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length &&
               strchr("0123456789-", user[0]) == NULL && !streq(user, "root");
}

static int collect_architecture(struct base_inputs *inputs, struct error **err)
{
        struct utsname system;

        if (uname(&system) < 0)
                return error_errno(err, ERROR_FAILED, "cannot find out the architecture");
        for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
                if (!streq(architectures[i].machine, system.machine))
                        continue;
                inputs->architecture = architectures[i].architecture;
                strv_add(&inputs->packages, architectures[i].kernel);
                return 0;
        }
        return error_set(err, ERROR_ENGINE, "there is no base image for the architecture '%s'", system.machine);
}

/* Appends guest/NAME, or all files below it. */
static int collect_files(struct base_inputs *inputs, const char *guest, const char *name, struct error **err)
{
        _cleanup_(freep) char *path = path_join(guest, name);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        struct base_file *file;
        struct stat status;

        if (stat(path, &status) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read '%s'", path);
        if (S_ISDIR(status.st_mode)) {
                if (file_list(path, &names, err) < 0)
                        return -1;
                for (size_t i = 0; i < names.count; i++) {
                        _cleanup_(freep) char *below = path_join(name, names.items[i]);

                        if (collect_files(inputs, guest, below, err) < 0)
                                return -1;
                }
                return 0;
        }
        if (file_read(path, GUEST_FILE_LIMIT, &content, err) < 0)
                return -1;
        inputs->files = xreallocarray(inputs->files, inputs->file_count + 1, sizeof(*inputs->files));
        file = &inputs->files[inputs->file_count++];
        file->name = xstrdup(name);
        file->executable = status.st_mode & S_IXUSR;
        file->length = content.len;
        file->content = strbuf_take(&content);
        return 0;
}

static void add_further(struct base_inputs *inputs, const struct strv *further)
{
        for (size_t i = 0; further && i < further->count; i++)
                if (!strv_contains(&inputs->packages, further->items[i]) && !strv_contains(&inputs->further, further->items[i]))
                        strv_add(&inputs->further, further->items[i]);
        strv_sort(&inputs->further);
        inputs->disk_bytes = inputs->further.count > 0 ? WIDE_DISK_BYTES : DISK_BYTES;
}

static char *inputs_key(const struct base_inputs *inputs, bool plain)
{
        _cleanup_(freep) char *size = xasprintf("%lld", (long long)(plain ? DISK_BYTES : inputs->disk_bytes));
        struct hash hash;

        hash_init(&hash);
        hash_add_text(&hash, "base " RECIPE_VERSION);
        hash_add_text(&hash, inputs->suite);
        hash_add_text(&hash, inputs->architecture);
        hash_add_text(&hash, size);
        hash_add_text(&hash, inputs->user);
        for (size_t i = 0; i < inputs->packages.count; i++)
                hash_add_text(&hash, inputs->packages.items[i]);
        hash_add_text(&hash, NULL);
        for (size_t i = 0; i < inputs->file_count; i++) {
                hash_add_text(&hash, inputs->files[i].name);
                hash_add_text(&hash, inputs->files[i].executable ? "755" : "644");
                hash_add(&hash, inputs->files[i].content, inputs->files[i].length);
        }
        for (size_t i = 0; !plain && i < inputs->further.count; i++)
                hash_add_text(&hash, inputs->further.items[i]);
        return hash_hex(&hash);
}

int base_inputs_collect(const char *user, const struct strv *further, struct base_inputs *out, struct error **err)
{
        _cleanup_(base_inputs_clear) struct base_inputs inputs = BASE_INPUTS_INIT;
        _cleanup_(freep) char *guest = NULL;

        if (!user_valid(user)) {
                error_set(err, ERROR_CONFIG, "'%s' is not a valid name for the guest's user", user);
                return error_hint(
                        err,
                        "choose a name of at most 32 of a-z, 0-9, '_' and '-', not 'root', that begins with a letter or '_'");
        }
        inputs.suite = SUITE;
        inputs.user = xstrdup(user);
        for (size_t i = 0; i < ARRAY_SIZE(packages); i++)
                strv_add(&inputs.packages, packages[i]);
        if (collect_architecture(&inputs, err) < 0)
                return -1;
        add_further(&inputs, further);
        guest = paths_shipped("guest", err);
        if (!guest)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (collect_files(&inputs, guest, parts[i], err) < 0)
                        return -1;
        inputs.key = inputs_key(&inputs, false);
        inputs.plain = inputs_key(&inputs, true);
        *out = inputs;
        inputs = (struct base_inputs)BASE_INPUTS_INIT;
        return 0;
}
