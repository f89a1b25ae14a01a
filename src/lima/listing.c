#include "lima/listing.h"

#include <limits.h>

void listing_clear(struct listing *listing)
{
        free(listing->status);
        free(listing->message);
        json_decref(listing->config);
        *listing = (struct listing)LISTING_INIT;
}

/* A member that may be missing: zero values are left out of the list. */
static int read_number(const json_t *object, const char *key, int64_t most, int64_t *out, struct error **err)
{
        if (!json_object_get(object, key))
                return 0;
        if (json_get_int(object, key, out, err) < 0)
                return -1;
        if (*out < 0 || *out > most)
                return error_set(err, ERROR_FAILED, "member '%s' is out of range", key);
        return 0;
}

static int read_instance(const json_t *object, struct listing *out, struct error **err)
{
        struct listing listing = LISTING_INIT;
        int64_t agent = 0, driver = 0, port = 0;
        const char *status;

        if (json_get_string(object, "status", &status, err) < 0 ||
            read_number(object, "hostAgentPID", INT_MAX, &agent, err) < 0 ||
            read_number(object, "driverPID", INT_MAX, &driver, err) < 0 ||
            read_number(object, "sshLocalPort", UINT16_MAX, &port, err) < 0)
                return -1;
        listing.status = xstrdup(status);
        listing.message = xstrdup(json_string_value(json_object_get(object, "message")));
        listing.is_protected = json_is_true(json_object_get(object, "protected"));
        listing.agent = (pid_t)agent;
        listing.driver = (pid_t)driver;
        listing.ssh_port = (uint16_t)port;
        if (json_is_object(json_object_get(object, "config")))
                listing.config = json_incref(json_object_get(object, "config"));
        listing_clear(out);
        *out = listing;
        return 1;
}

int listing_parse(const char *text, size_t length, const char *instance, struct listing *out, struct error **err)
{
        const char *end = text + length;

        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t)(end - text));
                size_t line = newline ? (size_t)(newline - text) : (size_t)(end - text);
                _cleanup_(json_decrefp) json_t *object = NULL;
                const char *name;

                if (line > 0) {
                        object = json_parse(text, line, "limactl's list", err);
                        if (!object || json_get_string(object, "name", &name, err) < 0)
                                return -1;
                        if (streq(name, instance))
                                return read_instance(object, out, err) < 0
                                               ? error_wrap(err, "limactl's list has something unexpected for '%s'", instance)
                                               : 1;
                }
                text += line + (newline != NULL);
        }
        return 0;
}
