/* QMP's states: the greeting first, then the negotiation, then replies to our commands, and events at any time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qemu/qmp-protocol.h"

static const char greeting[] =
        "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}}, \"capabilities\": []}}";

struct talk {
        struct qmp_protocol protocol;
        struct qmp_message message;
        struct strbuf sent;
        struct error *err;
};

#define TALK_INIT                                                                                                              \
        {                                                                                                                      \
                .protocol = QMP_PROTOCOL_INIT, .message = QMP_MESSAGE_INIT, .sent = STRBUF_INIT                                \
        }

static void talk_clear(struct talk *talk)
{
        qmp_message_clear(&talk->message);
        strbuf_clear(&talk->sent);
        error_free(talk->err);
}

static int hear(struct talk *talk, const char *line)
{
        error_free(talk->err);
        talk->err = NULL;
        strbuf_reset(&talk->sent);
        return qmp_protocol_line(&talk->protocol, line, strlen(line), &talk->sent, &talk->message, &talk->err);
}

static void negotiate(struct talk *talk)
{
        assert_int_equal(hear(talk, greeting), 0);
        assert_int_equal(hear(talk, "{\"return\": {}, \"id\": 1}"), 0);
        assert_int_equal(talk->protocol.state, QMP_READY);
}

static void the_greeting_is_answered_with_the_negotiation(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        assert_int_equal(hear(&talk, greeting), 0);
        assert_int_equal(talk.message.type, QMP_NOTHING);
        assert_int_equal(talk.protocol.state, QMP_NEGOTIATING);
        assert_string_equal(talk.sent.buf, "{\"execute\":\"qmp_capabilities\",\"id\":1}\n");
        assert_int_equal(hear(&talk, "{\"return\": {}, \"id\": 1}"), 0);
        assert_int_equal(talk.message.type, QMP_NOTHING);
        assert_int_equal(talk.protocol.state, QMP_READY);
        assert_int_equal(talk.protocol.pending, 0);
}

static void nothing_is_taken_for_a_greeting_that_is_none(void **state)
{
        static const char *const others[] = {
                "{\"return\": {}}", "{\"event\": \"SHUTDOWN\"}", "[]", "{}", "SSH-2.0-OpenSSH_10.0", ""
        };

        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                _cleanup_(talk_clear) struct talk talk = TALK_INIT;

                assert_int_equal(hear(&talk, others[i]), -1);
                assert_true(starts_with(talk.err->message, "QEMU sent ") || strstr(talk.err->message, "is not valid JSON"));
                assert_int_equal(talk.protocol.state, QMP_CLOSED);
                assert_int_equal(hear(&talk, greeting), -1);
        }
}

static void a_refused_negotiation_ends_the_connection(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        hear(&talk, greeting);
        assert_int_equal(hear(&talk, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": 1}"), -1);
        assert_int_equal(talk.protocol.state, QMP_CLOSED);
}

static void no_command_is_sent_before_the_negotiation(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        assert_int_equal(qmp_protocol_command(&talk.protocol, "quit", NULL, &talk.sent, NULL), -1);
        hear(&talk, greeting);
        strbuf_reset(&talk.sent);
        assert_int_equal(qmp_protocol_command(&talk.protocol, "quit", NULL, &talk.sent, NULL), -1);
        assert_int_equal(talk.sent.len, 0);
}

static void a_reply_is_matched_by_its_number(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;
        _cleanup_(json_decrefp) json_t *arguments = json_pack("{s:s}", "fdname", "a\nb");

        negotiate(&talk);
        assert_int_equal(qmp_protocol_command(&talk.protocol, "getfd", arguments, &talk.sent, NULL), 0);
        assert_string_equal(talk.sent.buf, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"a\\nb\"},\"id\":2}\n");
        assert_int_equal(hear(&talk, "{\"return\": {\"late\": true}, \"id\": 1}"), 0);
        assert_int_equal(talk.message.type, QMP_NOTHING);
        assert_int_equal(hear(&talk, "{\"return\": {}, \"id\": \"2\"}"), 0);
        assert_int_equal(talk.message.type, QMP_NOTHING);
        assert_int_equal(hear(&talk, "{\"return\": {\"status\": \"running\"}, \"id\": 2}"), 0);
        assert_int_equal(talk.message.type, QMP_RETURN);
        assert_string_equal(json_string_value(json_object_get(talk.message.data, "status")), "running");
        assert_int_equal(hear(&talk, "{\"return\": {}, \"id\": 2}"), 0);
        assert_int_equal(talk.message.type, QMP_NOTHING);
}

static void an_event_may_come_at_any_time(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        hear(&talk, greeting);
        assert_int_equal(
                hear(&talk, "{\"event\": \"NETDEV_STREAM_CONNECTED\", \"data\": {\"netdev-id\": \"net\"}, \"timestamp\": {}}"),
                0);
        assert_int_equal(talk.message.type, QMP_EVENT);
        assert_string_equal(talk.message.name, "NETDEV_STREAM_CONNECTED");
        assert_int_equal(talk.protocol.state, QMP_NEGOTIATING);
        assert_int_equal(hear(&talk, "{\"return\": {}, \"id\": 1}"), 0);
        assert_int_equal(qmp_protocol_command(&talk.protocol, "quit", NULL, &talk.sent, NULL), 0);
        assert_int_equal(hear(&talk, "{\"event\": \"OF_A_LATER_VERSION\"}"), 0);
        assert_int_equal(talk.message.type, QMP_EVENT);
        assert_null(talk.message.data);
        assert_int_equal(talk.protocol.pending, 2);
}

static void a_refusal_carries_qemus_words_made_visible(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        negotiate(&talk);
        qmp_protocol_command(&talk.protocol, "x", NULL, &talk.sent, NULL);
        assert_int_equal(hear(&talk, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no \\u001b[1mx\"}, \"id\": 2}"),
                         0);
        assert_int_equal(talk.message.type, QMP_REFUSAL);
        assert_string_equal(talk.message.name, "CommandNotFound");
        assert_string_equal(talk.message.text, "no \\x1b[1mx");
        assert_int_equal(talk.protocol.state, QMP_READY);
}

static void a_refusal_without_a_number_is_of_the_pending_command(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        negotiate(&talk);
        assert_int_equal(hear(&talk, "{\"error\": {}}"), 0);
        assert_int_equal(talk.message.type, QMP_NOTHING);
        qmp_protocol_command(&talk.protocol, "x", NULL, &talk.sent, NULL);
        assert_int_equal(hear(&talk, "{\"error\": {}}"), 0);
        assert_int_equal(talk.message.type, QMP_REFUSAL);
        assert_string_equal(talk.message.text, "no reason given");
}

static void what_is_no_message_closes_the_connection(void **state)
{
        static const char *const others[] = { "{\"QMP\": {}}", "{\"return\": {}", "[1]", "{\"error\": \"x\"}", "\xff\xfe" };

        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                _cleanup_(talk_clear) struct talk talk = TALK_INIT;

                negotiate(&talk);
                assert_int_equal(hear(&talk, others[i]), -1);
                assert_int_equal(talk.protocol.state, QMP_CLOSED);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_greeting_is_answered_with_the_negotiation),
                cmocka_unit_test(nothing_is_taken_for_a_greeting_that_is_none),
                cmocka_unit_test(a_refused_negotiation_ends_the_connection),
                cmocka_unit_test(no_command_is_sent_before_the_negotiation),
                cmocka_unit_test(a_reply_is_matched_by_its_number),
                cmocka_unit_test(an_event_may_come_at_any_time),
                cmocka_unit_test(a_refusal_carries_qemus_words_made_visible),
                cmocka_unit_test(a_refusal_without_a_number_is_of_the_pending_command),
                cmocka_unit_test(what_is_no_message_closes_the_connection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
