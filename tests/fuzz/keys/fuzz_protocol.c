/*
 * Any bytes as a guest's request and as an agent's answer. A key that isn't selected is never used, every refusal has a reason,
 * a log-in to an unproven host is not accepted, and a filtered answer is a valid answer again, with no more bytes.
 */
#include "../fuzz.h"

#include "keys/hosts.h"

/* No key can sign for this host. */
static void check_hosts(struct request *request)
{
        _cleanup_(key_hosts_clear) struct key_hosts hosts = KEY_HOSTS_INIT;
        struct binds binds = { 0 };

        CHECK(key_hosts_add(&hosts, "SHA256:none=host"));
        key_hosts_judge(&hosts, &binds, request);
        CHECK(request->kind != REQUEST_LOGIN && !request->name);
        CHECK(request->kind != REQUEST_BIND || request->proven);
        binds_clear(&binds);
}

static void check_request(const uint8_t *data, size_t size, const struct selection *selection)
{
        _cleanup_(request_clear) struct request request = REQUEST_INIT;

        request_read(data, size, selection, &request);
        CHECK((request.kind == REQUEST_REFUSED) == (request.reason != NULL));
        if (request.kind == REQUEST_LOGIN || request.kind == REQUEST_SIGNATURE) {
                CHECK(request.key && request.what);
                CHECK(selection->all || strv_contains(&selection->fingerprints, request.key));
        }
        if (request.kind == REQUEST_BIND)
                CHECK(request.host && request.id_length > 0);
        check_hosts(&request);
}

static void check_answer(const uint8_t *data, size_t size, struct selection *selection)
{
        _cleanup_(strbuf_clear) struct strbuf once = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf twice = STRBUF_INIT;

        if (protocol_filter(data, size, selection, &once) < 0)
                return;
        CHECK(once.len <= size && once.len >= 5 && once.buf[0] == MESSAGE_KEYS);
        CHECK(protocol_filter((const unsigned char *)once.buf, once.len, selection, &twice) == 0);
        CHECK(twice.len == once.len && memcmp(once.buf, twice.buf, once.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(selection_clear) struct selection all = { .all = true };
        _cleanup_(selection_clear) struct selection none = SELECTION_INIT;
        _cleanup_(selection_clear) struct selection some = SELECTION_INIT;

        strv_add(&none.fingerprints, "SHA256:none");
        strv_add(&some.comments, "a");
        check_request(data, size, &all);
        check_request(data, size, &none);
        check_answer(data, size, &all);
        check_answer(data, size, &some);
        return 0;
}
