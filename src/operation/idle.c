#include "operation/idle.h"

#include "host/paths.h"
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/json.h"

#define FILE_LIMIT 4096

void idle_judge(struct idle *idle, int64_t now_ms, const struct engine_activity *seen)
{
        int64_t passed = now_ms - idle->at_ms;
        int64_t used = seen->cpu_ms - idle->cpu_ms;
        /* Nothing is known of the time before, or it was another process. */
        bool anew = idle->at_ms == 0 || passed < 0 || used < 0;

        if (seen->moved_ms > idle->since_ms && seen->moved_ms <= now_ms)
                idle->since_ms = seen->moved_ms;
        if (!anew && passed < IDLE_SPAN_MS)
                return;
        if (anew || used * 100 > passed * IDLE_PERCENT)
                idle->since_ms = now_ms;
        idle->at_ms = now_ms;
        idle->cpu_ms = seen->cpu_ms;
}

static void read_last(const char *path, struct idle *out)
{
        _cleanup_(json_decrefp) json_t *last = json_read(path, FILE_LIMIT, NULL);
        struct idle idle;

        if (last && json_get_int(last, "at_ms", &idle.at_ms, NULL) == 0 &&
            json_get_int(last, "cpu_ms", &idle.cpu_ms, NULL) == 0 && json_get_int(last, "since_ms", &idle.since_ms, NULL) == 0)
                *out = idle;
}

int64_t idle_look(const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *path = paths_socket(vm->name, "idle", err);
        _cleanup_(json_decrefp) json_t *now = NULL;
        struct engine_activity seen;
        struct idle idle = { 0 };
        int64_t at;

        if (!path || vm->engine->activity(vm, &seen, err) < 0)
                return -1;
        read_last(path, &idle);
        at = now_ms();
        idle_judge(&idle, at, &seen);
        now = json_pack("{s:I, s:I, s:I}", "at_ms", (json_int_t)idle.at_ms, "cpu_ms", (json_int_t)idle.cpu_ms, "since_ms",
                        (json_int_t)idle.since_ms);
        return json_write(path, now, 0600, err) < 0 ? -1 : at - idle.since_ms;
}
