/* Which CA certificates this computer trusts, and which of them are its own: files below a folder that stands for the system.
 */
#include "scratch.h"

#include <unistd.h>

#include "host/ca.h"

#define BEGIN     "-----BEGIN CERTIFICATE-----\n"
#define END       "-----END CERTIFICATE-----\n"
#define PEM(body) BEGIN body "\n" END

static const char *const variables[] = { "SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS" };

static int start(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                unsetenv(variables[i]);
        return scratch_setup(state);
}

/* Writes ROOT/path. Returns the path, owned by the caller. */
static char *put(void **state, const char *path, const char *text)
{
        char *file = path_join(*state, path);
        _cleanup_(freep) char *folder = path_folder(file);

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        scratch_write(file, text);
        return file;
}

static void put_system(void **state, const char *bundle)
{
        free(put(state, "usr/share/ca-certificates/mozilla/One.crt", PEM("MOZ1")));
        free(put(state, "usr/share/ca-certificates/mozilla/Two.crt", PEM("MOZ2")));
        free(put(state, "etc/ssl/certs/ca-certificates.crt", bundle));
}

static void expect_place(const struct ca_own *own, size_t i, const char *end, const char *variable, size_t count,
                         const char *update)
{
        assert_true(i < own->place_count);
        if (!ends_with(own->places[i].path, end))
                fail_msg("place %zu is '%s', not '%s'", i, own->places[i].path, end);
        assert_true(streq_ptr(own->places[i].variable, variable));
        assert_int_equal(own->places[i].count, count);
        assert_true(streq_ptr(own->places[i].update, update));
}

static void a_system_as_it_was_installed_has_none_of_its_own(void **state)
{
        _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;

        put_system(state, PEM("MOZ1") PEM("MOZ2"));
        free(put(state, "usr/local/share/ca-certificates/README", "no certificate"));
        ca_find_own(*state, &own);
        assert_int_equal(own.place_count, 0);
        assert_int_equal(own.bodies.count, 0);
}

static void nothing_at_all_is_nothing(void **state)
{
        _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;

        ca_find_own(*state, &own);
        assert_int_equal(own.place_count, 0);
}

static void an_administrators_ca_is_found_where_it_was_put(void **state)
{
        static const struct {
                const char *folder, *bundle;
        } systems[] = {
                { "usr/local/share/ca-certificates/corp", "etc/ssl/certs/ca-certificates.crt" },
                { "etc/pki/ca-trust/source/anchors", "etc/pki/tls/certs/ca-bundle.crt" },
                { "etc/ca-certificates/trust-source/anchors", "etc/ssl/certs/ca-certificates.crt" },
                { "etc/pki/trust/anchors", "etc/ssl/ca-bundle.pem" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
                _cleanup_(freep) char *root = xasprintf("%s/system-%zu", (char *)*state, i);
                _cleanup_(freep) char *anchor = xasprintf("system-%zu/%s/corp.crt", i, systems[i].folder);
                _cleanup_(freep) char *bundle = xasprintf("system-%zu/%s", i, systems[i].bundle);
                _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;

                free(put(state, anchor, "Corp:\r\n-----BEGIN CERTIFICATE-----\r\nCO\r\nRP\r\n-----END CERTIFICATE-----\r\n"));
                free(put(state, bundle, PEM("MOZ1") PEM("CORP")));
                ca_find_own(root, &own);
                assert_int_equal(own.place_count, 1);
                expect_place(&own, 0, anchor, NULL, 1, NULL);
                assert_string_equal(own.bodies.items[0], "CORP");
        }
}

static void a_ca_that_was_only_put_there_is_not_in_use(void **state)
{
        _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;

        put_system(state, PEM("MOZ1") PEM("MOZ2"));
        free(put(state, "usr/local/share/ca-certificates/new.crt", PEM("NEW")));
        /* update-ca-certificates(8) takes only these names. */
        free(put(state, "usr/local/share/ca-certificates/other.pem", PEM("OTHER")));
        ca_find_own(*state, &own);
        assert_int_equal(own.place_count, 1);
        expect_place(&own, 0, "/new.crt", NULL, 1, "sudo update-ca-certificates");
        assert_int_equal(own.bodies.count, 0);
}

static void a_certificate_in_der_is_the_same_as_in_pem(void **state)
{
        static const char der[] = { 0x30, (char)0x82, 0, 3, 'a', 'b', 'c' };
        _cleanup_(strv_clear) struct strv bodies = STRV_INIT;

        ca_add_bodies(der, sizeof(der), &bodies);
        ca_add_bodies(PEM("MIIAA2FiYw=="), strlen(PEM("MIIAA2FiYw==")), &bodies);
        ca_add_bodies(BEGIN "never ends", strlen(BEGIN "never ends"), &bodies);
        ca_add_bodies(BEGIN END, strlen(BEGIN END), &bodies);
        assert_int_equal(bodies.count, 1);
        assert_string_equal(bodies.items[0], "MIIAA2FiYw==");
}

static void one_that_somebody_wrote_into_the_bundle_is_found_there(void **state)
{
        _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;

        put_system(state, PEM("MOZ1") PEM("CORP") PEM("MOZ2"));
        ca_find_own(*state, &own);
        assert_int_equal(own.place_count, 1);
        expect_place(&own, 0, "/etc/ssl/certs/ca-certificates.crt", NULL, 1, NULL);
}

static void a_format_with_other_text_around_is_read(void **state)
{
        _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;

        free(put(state, "usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit",
                 "[p11-kit-object-v1]\nlabel: \"One\"\ntrusted: true\n" PEM("MOZ1") "\n[p11-kit-object-v1]\n" PEM("MOZ2")));
        free(put(state, "etc/pki/tls/certs/ca-bundle.crt", "# One\n" PEM("MOZ1") "# Corp\n" PEM("CORP")));
        ca_find_own(*state, &own);
        assert_int_equal(own.place_count, 1);
        assert_string_equal(own.bodies.items[0], "CORP");
}

static void files_that_the_environment_names_count(void **state)
{
        _cleanup_(freep) char *node = put(state, "node.pem", PEM("CORP") PEM("LAB"));
        _cleanup_(freep) char *python = put(state, "python.pem", PEM("MOZ1") PEM("CORP"));
        _cleanup_(freep) char *gone = path_join(*state, "gone.pem");
        _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;

        put_system(state, PEM("MOZ1") PEM("MOZ2"));
        setenv("NODE_EXTRA_CA_CERTS", node, 1);
        setenv("REQUESTS_CA_BUNDLE", python, 1);
        setenv("CURL_CA_BUNDLE", gone, 1);
        setenv("SSL_CERT_FILE", *state, 1); /* a folder of certificates is left alone */
        ca_find_own(*state, &own);
        assert_int_equal(own.place_count, 3);
        expect_place(&own, 0, "/gone.pem", "CURL_CA_BUNDLE", 0, NULL);
        assert_non_null(strstr(own.places[0].trouble, "gone.pem"));
        expect_place(&own, 1, "/python.pem", "REQUESTS_CA_BUNDLE", 1, NULL);
        expect_place(&own, 2, "/node.pem", "NODE_EXTRA_CA_CERTS", 1, NULL);
        assert_int_equal(own.bodies.count, 2);
}

static void where_it_is_not_known_what_the_system_brings_its_bundle_is_none_of_ours(void **state)
{
        _cleanup_(freep) char *node = put(state, "node.pem", PEM("MOZ1") PEM("CORP"));
        _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;

        free(put(state, "etc/ssl/cert.pem", PEM("MOZ1") PEM("MOZ2")));
        setenv("NODE_EXTRA_CA_CERTS", node, 1);
        ca_find_own(*state, &own);
        assert_int_equal(own.place_count, 1);
        expect_place(&own, 0, "/node.pem", "NODE_EXTRA_CA_CERTS", 1, NULL);
}

/* --- what guests get (with the real system's own after it) */

static void what_guests_get_begins_with_the_file_that_replaces_the_bundle(void **state)
{
        _cleanup_(freep) char *first = put(state, "first.pem", "# first\n" PEM("FIRST"));
        _cleanup_(freep) char *node = put(state, "node.pem", PEM("FIRST") PEM("EXTRA"));
        _cleanup_(strbuf_clear) struct strbuf bundle = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv files = STRV_INIT;

        setenv("SSL_CERT_FILE", first, 1);
        setenv("NODE_EXTRA_CA_CERTS", node, 1);
        assert_int_equal(ca_read(&bundle, &files, NULL), 0);
        assert_true(starts_with(bundle.buf, "# first\n" PEM("FIRST")));
        assert_non_null(strstr(bundle.buf, PEM("EXTRA")));
        /* What is in both comes once. */
        assert_null(strstr(strstr(bundle.buf, "\nFIRST\n") + 1, "\nFIRST\n"));
        assert_string_equal(files.items[0], first);
        assert_true(strv_contains(&files, node));
}

static void the_systems_bundle_is_given_as_it_is(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf bundle = STRBUF_INIT, named = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv files = STRV_INIT, again = STRV_INIT;
        _cleanup_(freep) char *text = NULL;

        if (ca_read(&bundle, &files, NULL) < 0)
                skip(); /* a system without certificates */
        text = scratch_read(files.items[0]);
        assert_string_equal(bundle.buf, text);
        assert_int_equal(files.count, 1);
        /* A variable that names the same file changes nothing: layers would be filled anew. */
        setenv("SSL_CERT_FILE", files.items[0], 1);
        setenv("NODE_EXTRA_CA_CERTS", files.items[0], 1);
        assert_int_equal(ca_read(&named, &again, NULL), 0);
        assert_string_equal(named.buf, text);
}

static void long_certificates_are_written_in_lines(void **state)
{
        _cleanup_(freep) char *first = put(state, "first.pem", PEM("FIRST"));
        _cleanup_(freep) char *node = NULL;
        _cleanup_(strbuf_clear) struct strbuf body = STRBUF_INIT, text = STRBUF_INIT, bundle = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv files = STRV_INIT;

        for (int i = 0; i < 130; i++)
                strbuf_addc(&body, 'A');
        strbuf_addf(&text, "%s%s\n%s", BEGIN, body.buf, END);
        node = put(state, "node.pem", text.buf);
        setenv("SSL_CERT_FILE", first, 1);
        setenv("NODE_EXTRA_CA_CERTS", node, 1);
        assert_int_equal(ca_read(&bundle, &files, NULL), 0);
        strbuf_truncate(&body, 64);
        strbuf_reset(&text);
        strbuf_addf(&text, "%s%s\n%s\nAA\n%s", BEGIN, body.buf, body.buf, END);
        assert_non_null(strstr(bundle.buf, text.buf));
}

static void a_file_that_must_count_and_cannot_is_an_error(void **state)
{
        _cleanup_(freep) char *empty = put(state, "empty.pem", "nothing\n");
        _cleanup_(strbuf_clear) struct strbuf bundle = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv files = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        setenv("SSL_CERT_FILE", empty, 1);
        assert_int_equal(ca_read(&bundle, &files, &error), -1);
        assert_int_equal(error->kind, ERROR_CONFIG);
        assert_non_null(strstr(error->message, "empty.pem' has no PEM certificate"));
        setenv("SSL_CERT_FILE", "/no/such/file", 1);
        assert_int_equal(ca_read(&bundle, &files, &error), -1);
        assert_string_equal(error->message, "cannot read the host's CA certificates");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_system_as_it_was_installed_has_none_of_its_own, start, scratch_teardown),
                cmocka_unit_test_setup_teardown(nothing_at_all_is_nothing, start, scratch_teardown),
                cmocka_unit_test_setup_teardown(an_administrators_ca_is_found_where_it_was_put, start, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_ca_that_was_only_put_there_is_not_in_use, start, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_certificate_in_der_is_the_same_as_in_pem, start, scratch_teardown),
                cmocka_unit_test_setup_teardown(one_that_somebody_wrote_into_the_bundle_is_found_there, start,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(a_format_with_other_text_around_is_read, start, scratch_teardown),
                cmocka_unit_test_setup_teardown(files_that_the_environment_names_count, start, scratch_teardown),
                cmocka_unit_test_setup_teardown(where_it_is_not_known_what_the_system_brings_its_bundle_is_none_of_ours, start,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(what_guests_get_begins_with_the_file_that_replaces_the_bundle, start,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(the_systems_bundle_is_given_as_it_is, start, scratch_teardown),
                cmocka_unit_test_setup_teardown(long_certificates_are_written_in_lines, start, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_file_that_must_count_and_cannot_is_an_error, start, scratch_teardown),
        };

        return cmocka_run_group_tests_name("host/ca", tests, NULL, NULL);
}
