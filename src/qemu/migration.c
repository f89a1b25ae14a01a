#include "qemu/migration.h"

#define SET  1
#define NAME "state"

/* Hands over the descriptor. Returns the address by which QEMU then knows it, owned by the caller; NULL with an error. */
static char *give(struct qmp *qmp, bool by_set, int fd, deadline limit, struct error **err)
{
        _cleanup_(json_decrefp) json_t *arguments =
                by_set ? json_pack("{s:i}", "fdset-id", SET) : json_pack("{s:s}", "fdname", NAME);

        if (qmp_give(qmp, by_set ? "add-fd" : "getfd", arguments, fd, limit, err) < 0)
                return NULL;
        return by_set ? xasprintf("file:/dev/fdset/%d", SET) : xstrdup("fd:" NAME);
}

static int begin(struct qmp *qmp, const char *command, bool by_set, int fd, deadline limit, struct error **err)
{
        _cleanup_(json_decrefp) json_t *capabilities =
                json_pack("{s:[{s:s, s:b}, {s:s, s:b}]}", "capabilities", "capability", "x-ignore-shared", "state", 1,
                          "capability", "events", "state", 1);
        _cleanup_(json_decrefp) json_t *arguments = NULL;
        _cleanup_(freep) char *address = NULL;

        if (qmp_call(qmp, "migrate-set-capabilities", capabilities, limit, NULL, err) < 0)
                return -1;
        address = give(qmp, by_set, fd, limit, err);
        if (!address)
                return -1;
        arguments = json_pack("{s:s}", "uri", address);
        return qmp_call(qmp, command, arguments, limit, NULL, err);
}

/* 1 = completed, 0 = not yet, -1 = it has failed. */
static int look(struct qmp *qmp, deadline limit, struct error **err)
{
        _cleanup_(json_decrefp) json_t *reply = NULL;
        const char *status = NULL;
        const char *reason;

        if (qmp_call(qmp, "query-migrate", NULL, limit, &reply, err) < 0)
                return -1;
        /* Without a status there is nothing to tell yet. */
        if (!json_object_get(reply, "status"))
                return 0;
        if (json_get_string(reply, "status", &status, err) < 0)
                return -1;
        if (streq(status, "completed"))
                return 1;
        if (!streq(status, "failed") && !streq(status, "cancelled"))
                return 0;
        if (json_get_string(reply, "error-desc", &reason, NULL) < 0)
                reason = status;
        return error_set(err, ERROR_ENGINE, "QEMU says: %s", reason);
}

/* Waits for its end. Each step of it comes as an event. */
static int await(struct qmp *qmp, deadline limit, struct error **err)
{
        for (;;) {
                _cleanup_(freep) char *event = NULL;
                int got = look(qmp, limit, err);

                if (got != 0)
                        return got < 0 ? -1 : 0;
                got = qmp_next_event(qmp, limit, &event, err);
                if (got < 0)
                        return -1;
                if (got == 0) {
                        error_set(err, ERROR_ENGINE, "QEMU did not finish in time");
                        return error_passes(err, "QEMU is quicker when this computer has less to do");
                }
        }
}

static int save(struct qmp *qmp, bool by_set, int fd, deadline limit, struct error **err)
{
        if (begin(qmp, "migrate", by_set, fd, limit, err) < 0 || await(qmp, limit, err) < 0)
                return error_wrap(err, "cannot save the guest's devices");
        return 0;
}

static int load(struct qmp *qmp, bool by_set, int fd, deadline limit, struct error **err)
{
        if (begin(qmp, "migrate-incoming", by_set, fd, limit, err) < 0 || await(qmp, limit, err) < 0)
                return error_wrap(err, "cannot restore the guest's devices");
        return 0;
}

/* From 8.2 on QEMU wants a file in a set. */
static bool wants_set(const struct toolkit *toolkit)
{
        return toolkit_is_since(toolkit, 8, 2);
}

int migration_save(struct qmp *qmp, const struct toolkit *toolkit, int fd, deadline limit, struct error **err)
{
        return save(qmp, wants_set(toolkit), fd, limit, err);
}

int migration_load(struct qmp *qmp, const struct toolkit *toolkit, int fd, deadline limit, struct error **err)
{
        return load(qmp, wants_set(toolkit), fd, limit, err);
}

int migration_save_stream(struct qmp *qmp, int fd, deadline limit, struct error **err)
{
        return save(qmp, false, fd, limit, err);
}

int migration_load_stream(struct qmp *qmp, int fd, deadline limit, struct error **err)
{
        return load(qmp, false, fd, limit, err);
}
