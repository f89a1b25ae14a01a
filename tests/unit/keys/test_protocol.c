/* What a guest may ask of the agent, message by message, and what it sees of the answer. */
#include "messages.h"

#define PLAIN "publickey"
#define BOUND "publickey-hostbound-v00@openssh.com"

static const struct {
        const char *title, *method, *service;
        char key;  /* the key that the message asks for */
        char data; /* the key that the signed data names */
        bool host, ends_early;
        enum request_kind kind;
        const char *reason;
} logins[] = {
        { "a log-in", PLAIN, "ssh-connection", 'a', 'a', false, false, REQUEST_LOGIN, NULL },
        { "one that is bound to a host", BOUND, "ssh-connection", 'a', 'a', true, false, REQUEST_LOGIN, NULL },
        { "a key that isn't selected", PLAIN, "ssh-connection", 'b', 'b', false, false, REQUEST_REFUSED,
          "not one of its keys" },
        { "data for another key", PLAIN, "ssh-connection", 'a', 'b', false, false, REQUEST_REFUSED, "neither" },
        { "another service", PLAIN, "ssh-userauth", 'a', 'a', false, false, REQUEST_REFUSED, "neither" },
        { "another method", "hostbased", "ssh-connection", 'a', 'a', false, false, REQUEST_REFUSED, "neither" },
        { "a host that isn't announced", PLAIN, "ssh-connection", 'a', 'a', true, false, REQUEST_REFUSED, "neither" },
        { "a host that is missing", BOUND, "ssh-connection", 'a', 'a', false, false, REQUEST_REFUSED, "neither" },
        { "data that is cut off", PLAIN, "ssh-connection", 'a', 'a', false, true, REQUEST_REFUSED, "neither" },
};

static void only_whole_log_ins_with_a_selected_key_are_signed(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(logins); i++) {
                _cleanup_(selection_clear) struct selection selection = SELECTION_INIT;
                _cleanup_(request_clear) struct request request = REQUEST_INIT;
                _cleanup_(strbuf_clear) struct strbuf data = STRBUF_INIT;
                _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;

                print_message("%s\n", logins[i].title);
                strv_take(&selection.fingerprints, mark_of('a'));
                add_login(&data, logins[i].data, logins[i].method, logins[i].service, logins[i].host);
                if (logins[i].ends_early)
                        strbuf_truncate(&data, data.len - 1);
                sign(&message, logins[i].key, &data);
                read_message(&message, &selection, &request);
                assert_int_equal(request.kind, logins[i].kind);
                if (logins[i].reason)
                        assert_non_null(strstr(request.reason, logins[i].reason));
                if (request.kind == REQUEST_LOGIN) {
                        assert_string_equal(request.what, "gi\\x1bt");
                        assert_int_equal(request.host != NULL, logins[i].host);
                }
        }
}

static void a_signature_is_told_from_a_log_in_by_its_namespace(void **state)
{
        _cleanup_(selection_clear) struct selection selection = { .all = true };
        _cleanup_(request_clear) struct request request = REQUEST_INIT;
        _cleanup_(strbuf_clear) struct strbuf data = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;
        _cleanup_(freep) char *mark = mark_of('a');

        add_signature(&data, "git");
        sign(&message, 'a', &data);
        read_message(&message, &selection, &request);
        assert_int_equal(request.kind, REQUEST_SIGNATURE);
        assert_string_equal(request.what, "git");
        assert_string_equal(request.key, mark);
}

/* By their numbers in the draft: add, remove, lock, smartcards and so on, and numbers that the draft doesn't have. */
static void all_else_is_refused_with_a_reason(void **state)
{
        const struct selection selection = { .all = true };

        for (int type = 0; type < 256; type++) {
                _cleanup_(request_clear) struct request request = REQUEST_INIT;
                const unsigned char message[] = { (unsigned char)type };

                request_read(message, 1, &selection, &request);
                if (type == MESSAGE_LIST) {
                        assert_int_equal(request.kind, REQUEST_LIST);
                        continue;
                }
                assert_int_equal(request.kind, REQUEST_REFUSED);
                assert_non_null(request.reason);
        }
        _cleanup_(request_clear) struct request request = REQUEST_INIT;

        request_read((const unsigned char *)"", 0, &selection, &request);
        assert_int_equal(request.kind, REQUEST_REFUSED);
}

static void of_the_extensions_a_bind_is_passed_on(void **state)
{
        static const struct {
                const char *name;
                bool whole;
                enum request_kind kind;
        } cases[] = {
                { "session-bind@openssh.com", true, REQUEST_BIND },
                { "session-bind@openssh.com", false, REQUEST_REFUSED },
                { "query", true, REQUEST_REFUSED },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct selection selection = { .all = true };
                _cleanup_(request_clear) struct request request = REQUEST_INIT;
                _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;

                strbuf_addc(&message, MESSAGE_EXTENSION);
                add_text(&message, cases[i].name);
                add_key(&message, 'h');
                add_text(&message, SESSION);
                add_text(&message, "a signature");
                if (cases[i].whole)
                        strbuf_addc(&message, 0);
                read_message(&message, &selection, &request);
                assert_int_equal(request.kind, cases[i].kind);
                assert_int_equal(request.host != NULL, cases[i].kind == REQUEST_BIND);
        }
}

static void a_guest_sees_the_selected_keys_alone(void **state)
{
        _cleanup_(selection_clear) struct selection selection = SELECTION_INIT;
        _cleanup_(strbuf_clear) struct strbuf answer = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf seen = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf wanted = STRBUF_INIT;
        _cleanup_(freep) char *by_comment = mark_of('c');

        strv_take(&selection.fingerprints, mark_of('a'));
        strv_add(&selection.comments, "jane@laptop");
        strbuf_addc(&answer, MESSAGE_KEYS);
        add_number(&answer, 3);
        add_key(&answer, 'a');
        add_text(&answer, "one");
        add_key(&answer, 'b');
        add_text(&answer, "two");
        add_key(&answer, 'c');
        add_text(&answer, "jane@laptop");
        strbuf_addc(&wanted, MESSAGE_KEYS);
        add_number(&wanted, 2);
        add_key(&wanted, 'a');
        add_text(&wanted, "one");
        add_key(&wanted, 'c');
        add_text(&wanted, "jane@laptop");
        assert_int_equal(protocol_filter((const unsigned char *)answer.buf, answer.len, &selection, &seen), 0);
        assert_int_equal(seen.len, wanted.len);
        assert_memory_equal(seen.buf, wanted.buf, wanted.len);
        /* From now on this key may sign. */
        assert_true(strv_contains(&selection.fingerprints, by_comment));
}

static void a_list_that_is_none_is_refused(void **state)
{
        _cleanup_(selection_clear) struct selection selection = { .all = true };
        _cleanup_(strbuf_clear) struct strbuf answer = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf seen = STRBUF_INIT;

        strbuf_addc(&answer, MESSAGE_KEYS);
        add_number(&answer, 1);
        add_key(&answer, 'a');
        add_text(&answer, "one");
        for (size_t length = 0; length < answer.len; length++)
                assert_int_equal(protocol_filter((const unsigned char *)answer.buf, length, &selection, &seen), -1);
        strbuf_addc(&answer, 0);
        assert_int_equal(protocol_filter((const unsigned char *)answer.buf, answer.len, &selection, &seen), -1);
        assert_int_equal(seen.len, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_whole_log_ins_with_a_selected_key_are_signed),
                cmocka_unit_test(a_signature_is_told_from_a_log_in_by_its_namespace),
                cmocka_unit_test(all_else_is_refused_with_a_reason),
                cmocka_unit_test(of_the_extensions_a_bind_is_passed_on),
                cmocka_unit_test(a_guest_sees_the_selected_keys_alone),
                cmocka_unit_test(a_list_that_is_none_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
