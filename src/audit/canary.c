/* The line about secrets: one of the audit's own is brought in like any other, and sought wherever the VM's writes end up. */
#include <sodium.h>

#include "audit/lines.h"
#include "audit/search.h"
#include "guest/secrets.h"
#include "host/paths.h"

#define RANDOM_BYTES 32

static void make_canary(struct secret *out)
{
        unsigned char bytes[RANDOM_BYTES];

        randombytes_buf(bytes, sizeof bytes);
        secret_clear(out);
        out->data = secret_memory(2 * RANDOM_BYTES + 1);
        sodium_bin2hex(out->data, 2 * RANDOM_BYTES + 1, bytes, sizeof bytes);
        out->length = 2 * RANDOM_BYTES;
        sodium_memzero(bytes, sizeof bytes);
}

/* Searches the VM's folder, its disk's folder if that is another, the folder of sockets, and that of the logs. */
static int search_all(const struct vm *vm, struct search *search, struct error **err)
{
        _cleanup_(freep) char *disk = vm->engine->folder(vm);
        _cleanup_(freep) char *runtime = paths_runtime(err);
        _cleanup_(freep) char *logs = paths_state("logs");
        const char *const folders[] = { vm->folder, streq(disk, vm->folder) ? NULL : disk, runtime, logs };

        if (!runtime)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(folders) && !search->found; i++)
                if (folders[i] && search_folder(folders[i], search, err) < 0)
                        return -1;
        return 0;
}

int measure_secrets(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        _cleanup_(secret_clear) struct secret canary = SECRET_INIT;
        struct search search = { .wanted = &canary };
        _cleanup_(freep) char *found = NULL;
        int status;

        if (secret_forbid_core(err) < 0)
                return -1;
        make_canary(&canary);
        if (secrets_plant(scene->vm, &canary, err) < 0)
                return -1;
        status = search_all(scene->vm, &search, err);
        found = search.found;
        if (secrets_unplant(scene->vm, status < 0 ? NULL : err) < 0 || status < 0)
                return -1;
        if (found)
                return audit_say(out, AUDIT_CROSSED, "a secret that was brought in for this is in '%s'", found);
        return audit_say(out, AUDIT_HELD,
                         "a secret that was brought in for this is not in the VM's disk, files or logs (%jd MiB)",
                         (intmax_t)(search.bytes >> 20));
}
