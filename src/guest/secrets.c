#include "guest/secrets.h"

#include "guest/script.h"

#define TIMEOUT_MS 60000
#define LINE_MOST  256 /* "environment ID LENGTH" */

static int run(const struct vm *vm, const char *what, struct strbuf *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_add(&args, what);
        return script_run(&(struct session){ .vm = vm }, "secrets.sh", &args, NULL, TIMEOUT_MS, NULL, NULL, out, err);
}

int secrets_mark(const struct vm *vm, char **mark, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        if (run(vm, "mark", &out, err) < 0)
                return error_wrap(err, "cannot ask VM '%s' for its secrets", vm->name);
        *mark = xstrdup(out.len > 0 ? out.buf : "");
        return 0;
}

int secrets_clear(const struct vm *vm, struct error **err)
{
        return run(vm, "clear", NULL, err) < 0 ? error_wrap(err, "cannot clear the secrets of VM '%s'", vm->name) : 0;
}

/* Packs the items into one piece of locked memory, from which they go into ssh's stdin. */
static void pack(const struct secrets_item *items, size_t count, struct secret *out)
{
        size_t length = 0;

        for (size_t i = 0; i < count; i++)
                length += LINE_MOST + items[i].value->length;
        out->data = secret_memory(length);
        for (size_t i = 0; i < count; i++) {
                out->length += (size_t)snprintf(out->data + out->length, LINE_MOST, "%s %s %zu\n",
                                                items[i].environment ? "environment" : "secret", items[i].name,
                                                items[i].value->length);
                memcpy(out->data + out->length, items[i].value->data, items[i].value->length);
                out->length += items[i].value->length;
        }
}

/* Sends the secrets to the script's stdin, so that they are in no argument and no environment. */
static int send(const struct vm *vm, const struct strv *args, const struct secret *payload, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (script_command("secrets.sh", args, &remote, err) < 0)
                return -1;
        session_argv(&(struct session){ .vm = vm }, remote.buf, &argv);
        return process_check(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .input = payload->data,
                                                     .input_length = payload->length,
                                                     .timeout_ms = TIMEOUT_MS },
                             NULL, err);
}

int secrets_load(const struct vm *vm, const struct secrets_item *items, size_t count, const char *mark, struct error **err)
{
        _cleanup_(secret_clear) struct secret payload = SECRET_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_adds(&args, "load", mark, NULL);
        pack(items, count, &payload);
        if (send(vm, &args, &payload, err) < 0)
                return error_wrap(err, "cannot load the secrets of VM '%s'", vm->name);
        return 0;
}

int secrets_plant(const struct vm *vm, const struct secret *value, struct error **err)
{
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_add(&args, "plant");
        if (send(vm, &args, value, err) < 0)
                return error_wrap(err, "cannot bring a secret into VM '%s'", vm->name);
        return 0;
}

int secrets_unplant(const struct vm *vm, struct error **err)
{
        return run(vm, "unplant", NULL, err) < 0 ? error_wrap(err, "cannot take a secret out of VM '%s'", vm->name) : 0;
}
