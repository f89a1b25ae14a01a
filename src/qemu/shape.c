#include "qemu/shape.h"

#include "lib/file.h"
#include "qemu/arguments.h"

#define CPUINFO_LIMIT (4 << 20)

/* With KVM a guest sees the host's processor: its name and what it can do. */
static void hash_processor(struct hash *hash)
{
        static const char *const fields[] = { "model name", "flags", "microcode", "Features", "CPU implementer", "CPU part" };
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (file_read("/proc/cpuinfo", CPUINFO_LIMIT, &text, NULL) < 0)
                return;
        /* Only those of the first processor, up to the empty line. */
        for (char *line = text.buf; *line && *line != '\n'; line += strcspn(line, "\n"), line += *line == '\n')
                for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                        if (starts_with(line, fields[i]))
                                hash_add(hash, line, strcspn(line, "\n"));
}

static void hash_arguments(struct hash *hash, const struct shape *shape)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        const struct arguments arguments = {
                .architecture = ARCHITECTURE_HOST,
                .program = shape->toolkit->qemu,
                .machine = shape->toolkit->machine,
                .kvm = shape->kvm,
                .name = "-",
                .cpus = shape->cpus,
                .memory_bytes = shape->memory_bytes,
                .memory_file = shape->from_template ? "-" : NULL,
                .kernel = "-",
                .initrd = "-",
                .disk = "-",
                .uuid = "-",
                .agent_pipe = "-",
                .resume_fd = shape->from_template ? 1 : 0,
                .console = "-",
                .identity = "-",
        };

        arguments_build(&arguments, &argv);
        for (size_t i = 0; i < argv.count; i++)
                hash_add_text(hash, argv.items[i]);
}

void shape_hash(struct hash *hash, const struct shape *shape)
{
        hash_add_text(hash, shape->toolkit->version);
        hash_arguments(hash, shape);
        if (shape->kvm)
                hash_processor(hash);
}
