#include "qemu/arguments.h"

#include "lib/guest-mtu.h"
#include "lib/json.h"
#include "lib/strbuf.h"
#include "vm/identity.h"

/* What differs from one architecture to the other */
static const struct {
        const char *program, *machine, *machine_options;
        const char *emulated_cpu;
        const char *console;
        bool generation_id; /* vmgenid is an ACPI device, and QEMU has it on x86 only */
} architectures[] = {
        /* Five-level page tables only make the emulated walks longer. */
        [ARCHITECTURE_X86_64] = { "qemu-system-x86_64", "q35", "", "max,la57=off", "ttyS0", true },
        /* Pointer authentication by the architected cipher is slow in software. */
        [ARCHITECTURE_AARCH64] = { "qemu-system-aarch64", "virt", ",gic-version=max", "max,pauth-impdef=on", "ttyAMA0", false },
};

const char *arguments_program_name(enum arguments_architecture architecture)
{
        return architectures[architecture].program;
}

const char *arguments_machine_name(enum arguments_architecture architecture)
{
        return architectures[architecture].machine;
}

/* In QEMU's option lists a comma ends the value, and two commas stand for one. */
static void add_value(struct strbuf *out, const char *value)
{
        for (; *value; value++) {
                strbuf_addc(out, *value);
                if (*value == ',')
                        strbuf_addc(out, ',');
        }
}

/* Adds `option` and "PREFIXvalueSUFFIX". */
static void add_option(struct strv *argv, const char *option, const char *prefix, const char *value, const char *suffix)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_adds(&text, prefix);
        add_value(&text, value);
        strbuf_adds(&text, suffix);
        strv_adds(argv, option, text.buf, NULL);
}

static void add_machine(const struct arguments *arguments, struct strv *argv)
{
        add_option(argv, "-name", "guest=", arguments->name, "");
        strv_adds(argv, "-nodefaults", "-no-user-config", "-display", "none", NULL);
        strv_add(argv, "-sandbox");
        strv_add(argv, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
        strv_add(argv, "-machine");
        /* The guest's memory must not get into a core file. */
        strv_addf(argv, "%s%s,memory-backend=ram,dump-guest-core=off", arguments->machine,
                  architectures[arguments->architecture].machine_options);
        strv_adds(argv, "-accel", arguments->kvm ? "kvm" : "tcg,thread=multi,tb-size=256", NULL);
        strv_adds(argv, "-cpu", arguments->kvm ? "host" : architectures[arguments->architecture].emulated_cpu, NULL);
        strv_add(argv, "-smp");
        strv_addf(argv, "%jd", (intmax_t)arguments->cpus);
        strv_adds(argv, "-rtc", "base=utc", NULL);
}

static void add_memory(const struct arguments *arguments, struct strv *argv)
{
        _cleanup_(strbuf_clear) struct strbuf memory = STRBUF_INIT;

        strv_add(argv, "-m");
        strv_addf(argv, "size=%jdB", (intmax_t)arguments->memory_bytes);
        strbuf_addf(&memory, "memory-backend-%s,id=ram,size=%jdB,share=%s", arguments->memory_file ? "file" : "ram",
                    (intmax_t)arguments->memory_bytes, arguments->memory_shared ? "on" : "off");
        if (arguments->memory_file) {
                strbuf_adds(&memory, ",mem-path=");
                add_value(&memory, arguments->memory_file);
        }
        if (arguments->memory_read_only)
                strbuf_adds(&memory, ",readonly=on,rom=off");
        strv_adds(argv, "-object", memory.buf, NULL);
        if (arguments->incoming)
                strv_adds(argv, "-incoming", "defer", NULL);
        if (arguments->bare)
                strv_adds(argv, "-global", "migration.send-configuration=off", NULL);
        if (arguments->halted)
                strv_add(argv, "-S");
}

static void add_kernel(const struct arguments *arguments, struct strv *argv)
{
        _cleanup_(freep) char *machine_id = identity_machine_id(arguments->uuid);

        strv_adds(argv, "-kernel", arguments->kernel, "-initrd", arguments->initrd, "-append", NULL);
        /*
         * Without colours systemd's messages are plain lines of text. The address is the one that machine-net gives. A kernel
         * that panics boots again: an emulated one has been seen to panic in its first second. An emulated processor doesn't
         * run ahead of itself, so mitigations against that would cost a twentieth of a boot and protect nothing.
         */
        strv_addf(
                argv,
                "root=/dev/vda rw console=%s quiet panic=1 lsm=landlock,yama,apparmor SYSTEMD_COLORS=0 systemd.show_status=true "
                "net.ifnames=0 ip=10.0.2.15::10.0.2.2:255.255.255.0:%s:eth0:off systemd.machine_id=%s systemd.hostname=%s%s",
                architectures[arguments->architecture].console, arguments->name, machine_id, arguments->name,
                arguments->kvm ? "" : " mitigations=off");
        add_option(argv, "-fw_cfg", "name=opt/machine/identity,file=", arguments->identity, "");
}

static void add_disk(const struct arguments *arguments, struct strv *argv)
{
        _cleanup_(json_decrefp) json_t *disk =
                json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s}}", "driver", "qcow2", "node-name", "disk", "discard", "unmap",
                          "file", "driver", "file", "aio", "threads", "filename", arguments->disk);
        _cleanup_(freep) char *text = json_text(disk);

        /*
         * A write that the host can't do (no room, no quota, a broken file system) stops the guest, which later goes on with
         * that very write. By default that holds for a disk without room only, and the guest loses what the others were to
         * write.
         */
        strv_adds(argv, "-blockdev", text, "-device", "virtio-blk-pci,drive=disk,werror=stop", NULL);
}

/*
 * The guest tells which of its memory is free, and QEMU gives that back to the host. It must come last: then all other devices
 * are where they are in a template, which hasn't got it. There, and in what is restored from one, the guest's memory is a file:
 * QEMU before 8.2 would punch holes into it for all that share it, and a later one refuses with a message for each piece.
 */
static void add_balloon(const struct arguments *arguments, struct strv *argv)
{
        if (!arguments->memory_file && arguments->resume_fd == 0)
                strv_adds(argv, "-device", "virtio-balloon-pci,free-page-reporting=on", NULL);
}

static void add_devices(const struct arguments *arguments, struct strv *argv)
{
        strv_add(argv, "-netdev");
        /* As the server QEMU takes a new connection when the one before has ended. As a client it can't before 8.0. */
        strv_addf(argv, "stream,id=net,server=on,addr.type=fd,addr.str=%d", arguments->frames_fd);
        strv_add(argv, "-device");
        strv_addf(argv, "virtio-net-pci,netdev=net,romfile=,host_mtu=%d", GUEST_MTU);
        strv_adds(argv, "-object", "rng-builtin,id=random", "-device", "virtio-rng-pci,rng=random", NULL);
        if (architectures[arguments->architecture].generation_id)
                strv_adds(argv, "-device", "vmgenid,guid=auto", NULL);
        strv_adds(argv, "-device", "virtio-serial-pci", NULL);
        /* A pipe is always open, so the guest's agent sleeps until it is asked something. With a socket that nobody is
         * connected to it looks ten times a second. */
        add_option(argv, "-chardev", "pipe,id=agent,path=", arguments->agent_pipe, "");
        strv_adds(argv, "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0", NULL);
        if (arguments->resume_fd > 0) {
                strv_add(argv, "-chardev");
                strv_addf(argv, "socket,id=resume,fd=%d,server=on,wait=off", arguments->resume_fd);
                strv_adds(argv, "-device", "virtserialport,chardev=resume,name=org.machine.resume", NULL);
        }
        add_option(argv, "-chardev", "file,id=console,path=", arguments->console, "");
        strv_adds(argv, "-serial", "chardev:console", NULL);
        strv_add(argv, "-chardev");
        strv_addf(argv, "socket,id=qmp,fd=%d,server=on,wait=off", arguments->qmp_fd);
        strv_adds(argv, "-mon", "chardev=qmp,mode=control", NULL);
        /* QEMU talks to one client at a time on each of them. */
        strv_add(argv, "-chardev");
        strv_addf(argv, "socket,id=look,fd=%d,server=on,wait=off", arguments->look_fd);
        strv_adds(argv, "-mon", "chardev=look,mode=control", NULL);
}

void arguments_build(const struct arguments *arguments, struct strv *argv)
{
        strv_add(argv, arguments->program);
        add_machine(arguments, argv);
        add_memory(arguments, argv);
        add_kernel(arguments, argv);
        add_disk(arguments, argv);
        add_devices(arguments, argv);
        add_balloon(arguments, argv);
}

/* A line looks like this: "q35                  Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-7.2)" */
char *arguments_parse_machine(const char *help, const char *alias)
{
        static const char mark[] = "(alias of ";
        size_t length = strlen(alias);

        for (const char *line = help; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                size_t whole = strcspn(line, "\n");
                const char *found;

                if (strncmp(line, alias, length) != 0 || line[length] != ' ')
                        continue;
                found = memmem(line, whole, mark, sizeof(mark) - 1);
                if (!found)
                        return NULL;
                found += sizeof(mark) - 1;
                return xstrndup(found, strcspn(found, ")\n"));
        }
        return NULL;
}

/* "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)" */
char *arguments_parse_version(const char *text, int *major, int *minor)
{
        static const char mark[] = "version ";
        const char *found = strstr(text, mark);
        char *end;
        long first;
        long second;

        if (!found)
                return NULL;
        found += sizeof(mark) - 1;
        first = strtol(found, &end, 10);
        if (end == found || *end != '.' || first < 0 || first > 999)
                return NULL;
        second = strtol(end + 1, &end, 10);
        if (second < 0 || second > 999)
                return NULL;
        *major = (int)first;
        *minor = (int)second;
        return xstrndup(found, strspn(found, "0123456789."));
}
