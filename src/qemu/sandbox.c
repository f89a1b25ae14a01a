#include "qemu/sandbox.h"

#include "lib/file.h"

void sandbox_clear(struct sandbox *sandbox)
{
        strv_clear(&sandbox->read_only);
        strv_clear(&sandbox->writable);
}

static void bind(struct strv *argv, const char *option, const char *path)
{
        strv_adds(argv, option, path, path, NULL);
}

/* A QEMU outside /usr has its firmware and libraries beside it, in the PREFIX of PREFIX/bin/qemu-system-… */
static void bind_prefix(const char *qemu, struct strv *argv)
{
        _cleanup_(freep) char *bin = path_folder(qemu);
        _cleanup_(freep) char *prefix = path_folder(bin);

        if (!starts_with(qemu, "/usr/") && !streq(prefix, "/"))
                bind(argv, "--ro-bind", prefix);
}

void sandbox_build(const struct sandbox *sandbox, struct strv *argv)
{
        static const char *const system[] = { "/lib",       "/lib32",           "/lib64",           "/bin",
                                              "/nix/store", "/etc/ld.so.cache", "/etc/alternatives" };

        strv_adds(argv, sandbox->program, "--unshare-all", "--cap-drop", "ALL", NULL);
        if (sandbox->dies_with_parent)
                strv_add(argv, "--die-with-parent");
        bind(argv, "--ro-bind", "/usr");
        for (size_t i = 0; i < ARRAY_SIZE(system); i++)
                bind(argv, "--ro-bind-try", system[i]);
        bind_prefix(sandbox->qemu, argv);
        strv_adds(argv, "--dev", "/dev", "--proc", "/proc", NULL);
        if (sandbox->kvm)
                bind(argv, "--dev-bind", "/dev/kvm");
        for (size_t i = 0; i < sandbox->read_only.count; i++)
                bind(argv, "--ro-bind", sandbox->read_only.items[i]);
        for (size_t i = 0; i < sandbox->writable.count; i++)
                bind(argv, "--bind", sandbox->writable.items[i]);
        strv_adds(argv, "--chdir", "/", "--", NULL);
}
