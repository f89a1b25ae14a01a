#include "vm/throwaway.h"

#include "host/keys.h"
#include "host/paths.h"
#include "host/ssh_config.h"
#include "lib/file.h"
#include "lib/os.h"

#define SCRIPT_LIMIT (1 << 20)
#define UUID_DIGITS  32

char *throwaway_name(const char *kind, const char *key)
{
        return xasprintf("%s.%.8s", kind, key);
}

char *throwaway_uuid(const char *key)
{
        return xstrndup(key, UUID_DIGITS);
}

int throwaway_invent(const char *kind, const char *key, const char *folder, const struct vm_record *size, struct vm *vm,
                     struct error **err)
{
        vm->name = throwaway_name(kind, key);
        vm->folder = xstrdup(folder);
        vm->record.name = xstrdup(kind);
        vm->record.uuid = throwaway_uuid(key);
        vm->record.user = xstrdup(size->user);
        vm->record.shell = xstrdup(size->shell);
        vm->record.cpus = size->cpus;
        vm->record.memory_bytes = size->memory_bytes;
        return keys_ensure(folder, vm->name, NULL, err);
}

int throwaway_ssh_config(const struct vm *vm, const char *socket, uint16_t port, struct error **err)
{
        _cleanup_(freep) char *control = paths_socket(vm->name, "master", err);
        _cleanup_(freep) char *program = control ? os_program_path(err) : NULL;

        if (!program)
                return -1;
        return ssh_config_write_own(&(struct ssh_host){ .name = vm->name,
                                                        .folder = vm->folder,
                                                        .user = vm->record.user,
                                                        .program = program,
                                                        .socket = socket,
                                                        .port = port },
                                    control, err);
}

int throwaway_script(const char *script, struct strbuf *out, struct error **err)
{
        const char *const names[] = { "strip", script };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *name = xasprintf("guest/template/%s", names[i]);
                _cleanup_(freep) char *path = paths_shipped(name, err);
                _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

                if (!path || file_read(path, SCRIPT_LIMIT, &text, err) < 0)
                        return -1;
                strbuf_add(out, text.buf, text.len);
        }
        return 0;
}

int throwaway_tidy(const char *kind, const char *folder, const char *const *own, struct error **err)
{
        _cleanup_(freep) char *base = path_base(folder);
        _cleanup_(freep) char *name = throwaway_name(kind, base);
        _cleanup_(freep) char *runtime = paths_runtime(err);
        _cleanup_(freep) char *sockets = runtime ? path_join(runtime, name) : NULL;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        /* Its sockets lie elsewhere. */
        if (!sockets || file_remove(sockets, err) < 0 || file_list(folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(folder, names.items[i]);
                bool keep = false;

                for (const char *const *file = own; *file; file++)
                        keep = keep || streq(names.items[i], *file);
                if (!keep && file_remove(path, err) < 0)
                        return -1;
        }
        return 0;
}
