/* Which hosts a guest may log in to: real signatures by hosts made for the test, and guests that lie about them. */
#include "messages.h"

#include <sodium.h>

#include "keys/hosts.h"

struct host {
        unsigned char public[crypto_sign_ed25519_PUBLICKEYBYTES], secret[crypto_sign_ed25519_SECRETKEYBYTES];
        struct strbuf key; /* as it is sent in messages */
        char *mark;
};

static struct host forge, evil;

static void make_host(struct host *host)
{
        crypto_sign_ed25519_keypair(host->public, host->secret);
        add_text(&host->key, "ssh-ed25519");
        add_string(&host->key, (const char *)host->public, sizeof(host->public));
        host->mark = hash_fingerprint(host->key.buf, host->key.len);
}

static int make_hosts(void **state)
{
        if (sodium_init() < 0)
                return -1;
        make_host(&forge);
        make_host(&evil);
        return 0;
}

static int clear_hosts(void **state)
{
        for (struct host *host = &forge; host; host = host == &forge ? &evil : NULL) {
                strbuf_clear(&host->key);
                free(host->mark);
        }
        return 0;
}

/* The guest shows the key of `shown`, and a signature of `id` by `signer`. */
static void add_bind(struct strbuf *out, const struct host *shown, const struct host *signer, const char *id, bool forwarding)
{
        _cleanup_(strbuf_clear) struct strbuf signature = STRBUF_INIT;
        unsigned char bytes[crypto_sign_ed25519_BYTES];

        crypto_sign_ed25519_detached(bytes, NULL, (const unsigned char *)id, strlen(id), signer->secret);
        add_text(&signature, "ssh-ed25519");
        add_string(&signature, (const char *)bytes, sizeof(bytes));
        strbuf_addc(out, MESSAGE_EXTENSION);
        add_text(out, "session-bind@openssh.com");
        add_string(out, shown->key.buf, shown->key.len);
        add_text(out, id);
        add_string(out, signature.buf, signature.len);
        strbuf_addc(out, forwarding);
}

struct guest {
        struct selection selection;
        struct key_hosts hosts;
        struct binds binds;
};

static void set_up(struct guest *guest)
{
        _cleanup_(freep) char *text = xasprintf("%s=forge.example.org", forge.mark);

        *guest = (struct guest){ .selection = { .all = true } };
        assert_true(key_hosts_add(&guest->hosts, text));
}

static void clean_up(struct guest *guest)
{
        selection_clear(&guest->selection);
        key_hosts_clear(&guest->hosts);
        binds_clear(&guest->binds);
}

static void ask(struct guest *guest, const struct strbuf *message, struct request *out)
{
        read_message(message, &guest->selection, out);
        key_hosts_judge(&guest->hosts, &guest->binds, out);
}

static void bind_to(struct guest *guest, const struct host *shown, const struct host *signer, const char *id, bool forwarding,
                    struct request *out)
{
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;

        add_bind(&message, shown, signer, id, forwarding);
        ask(guest, &message, out);
}

static void log_in(struct guest *guest, const struct host *named, struct request *out)
{
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf data = STRBUF_INIT;

        add_login(&data, 'a', named ? "publickey-hostbound-v00@openssh.com" : "publickey", "ssh-connection", false);
        if (named)
                add_string(&data, named->key.buf, named->key.len);
        sign(&message, 'a', &data);
        ask(guest, &message, out);
}

static void a_log_in_is_signed_for_the_host_that_has_signed_its_session(void **state)
{
        static const struct {
                const char *title;
                const struct host *shown, *signer, *named;
                const char *id;
                bool forwarding;
                const char *bind_reason, *reason;
        } cases[] = {
                { "the host", &forge, &forge, &forge, SESSION, false, NULL, NULL },
                { "a client that names no host", &forge, &forge, NULL, SESSION, false, NULL, NULL },
                { "another host", &evil, &evil, &evil, SESSION, false, NULL, "not one of its hosts" },
                { "another host by the first one's name", &evil, &evil, &forge, SESSION, false, NULL, "another host" },
                { "the host's key, and another's signature", &forge, &evil, &forge, SESSION, false, "nothing proves",
                  "no host" },
                { "the host's signature of another session", &forge, &forge, &forge, "another one", false, NULL, "no host" },
                { "the same with an id of that length", &forge, &forge, NULL, "the session's ID", false, NULL, "no host" },
                { "a session that goes on from there", &forge, &forge, &forge, SESSION, true, "not lent further", "no host" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(request_clear) struct request bound = REQUEST_INIT;
                _cleanup_(request_clear) struct request request = REQUEST_INIT;
                struct guest guest;

                print_message("%s\n", cases[i].title);
                set_up(&guest);
                bind_to(&guest, cases[i].shown, cases[i].signer, cases[i].id, cases[i].forwarding, &bound);
                assert_int_equal(bound.kind, cases[i].bind_reason ? REQUEST_REFUSED : REQUEST_BIND);
                if (cases[i].bind_reason)
                        assert_non_null(strstr(bound.reason, cases[i].bind_reason));
                log_in(&guest, cases[i].named, &request);
                assert_int_equal(request.kind, cases[i].reason ? REQUEST_REFUSED : REQUEST_LOGIN);
                if (cases[i].reason) {
                        assert_non_null(strstr(request.reason, cases[i].reason));
                        assert_null(request.name);
                } else {
                        assert_string_equal(request.name, "forge.example.org");
                        assert_string_equal(request.host, forge.mark);
                }
                clean_up(&guest);
        }
}

static void without_hosts_of_its_own_a_guest_may_log_in_everywhere(void **state)
{
        _cleanup_(request_clear) struct request request = REQUEST_INIT;
        struct guest guest = { .selection = { .all = true } };

        log_in(&guest, &evil, &request);
        assert_int_equal(request.kind, REQUEST_LOGIN);
        assert_null(request.name);
        clean_up(&guest);
}

static void a_host_of_which_no_key_is_known_is_nobody(void **state)
{
        _cleanup_(request_clear) struct request bound = REQUEST_INIT;
        _cleanup_(request_clear) struct request request = REQUEST_INIT;
        struct guest guest = { .selection = { .all = true } };

        assert_true(key_hosts_add(&guest.hosts, "none=old.example.org"));
        bind_to(&guest, &forge, &forge, SESSION, false, &bound);
        log_in(&guest, &forge, &request);
        assert_int_equal(request.kind, REQUEST_REFUSED);
        clean_up(&guest);
}

static void a_signature_of_a_file_needs_no_host(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf data = STRBUF_INIT;
        _cleanup_(request_clear) struct request request = REQUEST_INIT;
        struct guest guest;

        set_up(&guest);
        add_signature(&data, "git");
        sign(&message, 'a', &data);
        ask(&guest, &message, &request);
        assert_int_equal(request.kind, REQUEST_SIGNATURE);
        clean_up(&guest);
}

static void a_connection_is_bound_to_so_many_hosts_and_no_more(void **state)
{
        struct guest guest;

        set_up(&guest);
        for (size_t i = 0; i <= BINDS_MOST; i++) {
                _cleanup_(request_clear) struct request bound = REQUEST_INIT;

                bind_to(&guest, &forge, &forge, SESSION, false, &bound);
                assert_int_equal(bound.kind, i < BINDS_MOST ? REQUEST_BIND : REQUEST_REFUSED);
        }
        clean_up(&guest);
}

static void what_names_no_host_is_no_option(void **state)
{
        static const char *const texts[] = { "", "=", "SHA256:abc", "SHA256:abc=", "=name" };
        struct key_hosts hosts = KEY_HOSTS_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert_false(key_hosts_add(&hosts, texts[i]));
        key_hosts_clear(&hosts);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_log_in_is_signed_for_the_host_that_has_signed_its_session),
                cmocka_unit_test(without_hosts_of_its_own_a_guest_may_log_in_everywhere),
                cmocka_unit_test(a_host_of_which_no_key_is_known_is_nobody),
                cmocka_unit_test(a_signature_of_a_file_needs_no_host),
                cmocka_unit_test(a_connection_is_bound_to_so_many_hosts_and_no_more),
                cmocka_unit_test(what_names_no_host_is_no_option),
        };

        return cmocka_run_group_tests(tests, make_hosts, clear_hosts);
}
