/* The guest agent's states: nothing counts before the sync is answered, and a guest can't make us keep too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qemu/agent-protocol.h"

struct talk {
        struct agent_protocol protocol;
        struct strbuf sent;
        json_t *reply;
        struct error *err;
};

#define TALK_INIT                                                                                                              \
        {                                                                                                                      \
                .protocol = AGENT_PROTOCOL_INIT, .sent = STRBUF_INIT                                                           \
        }

static void talk_clear(struct talk *talk)
{
        agent_protocol_clear(&talk->protocol);
        strbuf_clear(&talk->sent);
        json_decref(talk->reply);
        error_free(talk->err);
}

static int hear_bytes(struct talk *talk, const char *data, size_t length)
{
        error_free(talk->err);
        talk->err = NULL;
        json_decref(talk->reply);
        talk->reply = NULL;
        if (agent_protocol_feed(&talk->protocol, data, length, &talk->err) < 0)
                return -1;
        return agent_protocol_next(&talk->protocol, &talk->reply, &talk->err);
}

static int hear(struct talk *talk, const char *text)
{
        return hear_bytes(talk, text, strlen(text));
}

static void get_ready(struct talk *talk)
{
        agent_protocol_sync(&talk->protocol, 4711, &talk->sent);
        assert_int_equal(hear(talk, "\xff{\"return\": 4711}\n"), 0);
        assert_int_equal(talk->protocol.state, AGENT_READY);
        strbuf_reset(&talk->sent);
}

static void a_sync_resets_the_agents_parser_and_sends_a_number(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        agent_protocol_sync(&talk.protocol, 4711, &talk.sent);
        assert_string_equal(talk.sent.buf, "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":4711}}\n");
        assert_int_equal(talk.protocol.state, AGENT_SYNCING);
}

static void what_stands_before_the_answer_is_skipped(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        agent_protocol_sync(&talk.protocol, 4711, &talk.sent);
        assert_int_equal(hear(&talk, "{\"return\": {\"old\": 1}}\n{\"error\": {\"class\""), 0);
        assert_int_equal(hear(&talk, "\n{\"return\": 4711}\n"), 0);
        assert_int_equal(talk.protocol.state, AGENT_SYNCING);
        assert_int_equal(hear(&talk, "\xff{\"return\": 12}\n"), 0);
        assert_int_equal(talk.protocol.state, AGENT_SYNCING);
        assert_int_equal(hear(&talk, "\xff\xff{\"ret"), 0);
        assert_int_equal(hear(&talk, "urn\": 4711}\n"), 0);
        assert_int_equal(talk.protocol.state, AGENT_READY);
}

static void an_answer_with_another_number_or_type_is_no_answer(void **state)
{
        static const char *const others[] = { "\xff{\"return\": 4712}\n",
                                              "\xff{\"return\": \"4711\"}\n",
                                              "\xff{\"return\": 4711.0}\n",
                                              "\xff[4711]\n",
                                              "\xff\n",
                                              "\xff{\"error\": {}}\n",
                                              "\xff{\"return\": {\"id\": 4711}}\n" };

        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                _cleanup_(talk_clear) struct talk talk = TALK_INIT;

                agent_protocol_sync(&talk.protocol, 4711, &talk.sent);
                assert_int_equal(hear(&talk, others[i]), 0);
                assert_int_equal(talk.protocol.state, AGENT_SYNCING);
        }
}

static void no_command_is_sent_out_of_step(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        assert_int_equal(agent_protocol_command(&talk.protocol, "guest-ping", NULL, &talk.sent, NULL), -1);
        agent_protocol_sync(&talk.protocol, 1, &talk.sent);
        assert_int_equal(agent_protocol_command(&talk.protocol, "guest-ping", NULL, &talk.sent, NULL), -1);
}

static void a_reply_is_handed_out(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        get_ready(&talk);
        assert_int_equal(agent_protocol_command(&talk.protocol, "guest-info", NULL, &talk.sent, NULL), 0);
        assert_string_equal(talk.sent.buf, "{\"execute\":\"guest-info\"}\n");
        assert_int_equal(hear(&talk, "{\"return\": {\"vers"), 0);
        assert_int_equal(hear(&talk, "ion\": \"10\"}}\n"), 1);
        assert_string_equal(json_string_value(json_object_get(talk.reply, "version")), "10");
}

static void what_follows_the_syncs_answer_is_not_a_reply(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        agent_protocol_sync(&talk.protocol, 4711, &talk.sent);
        assert_int_equal(hear(&talk, "\xff{\"return\": 4711}\n{\"return\": \"forged\"}\n"), 0);
        assert_int_equal(talk.protocol.state, AGENT_READY);
        assert_int_equal(agent_protocol_next(&talk.protocol, &talk.reply, NULL), 0);
}

static void a_refusal_carries_the_guests_words_made_visible(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        get_ready(&talk);
        assert_int_equal(hear(&talk, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"\\u001b]0;x\\u0007\"}}\n"), -1);
        assert_string_equal(talk.err->message, "the guest agent refuses: \\x1b]0;x\\x07");
        assert_int_equal(talk.protocol.state, AGENT_READY);
}

static void nonsense_gets_out_of_step(void **state)
{
        static const char *const others[] = {
                "hello\n", "\n", "[]\n", "{\"return\": 1} x\n", "\xff{\"return\": 1}\n", "{\"a\":1,\"a\":2}\n"
        };

        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                _cleanup_(talk_clear) struct talk talk = TALK_INIT;

                get_ready(&talk);
                assert_int_equal(hear(&talk, others[i]), -1);
                assert_true(streq(talk.err->message, "the guest agent sent something that is not an answer") ||
                            strstr(talk.err->message, "is not valid JSON"));
                assert_int_equal(talk.protocol.state, AGENT_UNSYNCED);
        }
}

static void a_nul_byte_does_not_end_a_reply_early(void **state)
{
        static const char text[] = "{\"return\": 1}\0garbage\n";
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;

        get_ready(&talk);
        assert_int_equal(hear_bytes(&talk, text, sizeof(text) - 1), -1);
}

static void a_deep_reply_is_refused(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;
        _cleanup_(strbuf_clear) struct strbuf deep = STRBUF_INIT;

        get_ready(&talk);
        for (size_t i = 0; i < 100000; i++)
                strbuf_addc(&deep, '[');
        strbuf_addc(&deep, '\n');
        assert_int_equal(hear(&talk, deep.buf), -1);
        assert_int_equal(talk.protocol.state, AGENT_UNSYNCED);
}

static void an_endless_reply_ends_the_connection(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;
        _cleanup_(freep) char *block = xmalloc(65536);
        size_t total = 0;

        memset(block, 'x', 65536);
        get_ready(&talk);
        while (hear_bytes(&talk, block, 65536) == 0)
                total += 65536;
        assert_int_equal(total, AGENT_REPLY_LIMIT);
        assert_int_equal(talk.protocol.state, AGENT_CLOSED);
        assert_int_equal(hear(&talk, "x"), -1);
}

static void endless_noise_during_a_sync_ends_the_connection(void **state)
{
        _cleanup_(talk_clear) struct talk talk = TALK_INIT;
        _cleanup_(freep) char *block = xmalloc(65536);
        size_t total = 0;

        memset(block, '\xff', 65536);
        agent_protocol_sync(&talk.protocol, 4711, &talk.sent);
        while (hear_bytes(&talk, block, 65536) == 0)
                total += 65536;
        assert_int_equal(total, AGENT_SKIP_LIMIT);
        assert_int_equal(talk.protocol.state, AGENT_CLOSED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_sync_resets_the_agents_parser_and_sends_a_number),
                cmocka_unit_test(what_stands_before_the_answer_is_skipped),
                cmocka_unit_test(an_answer_with_another_number_or_type_is_no_answer),
                cmocka_unit_test(no_command_is_sent_out_of_step),
                cmocka_unit_test(a_reply_is_handed_out),
                cmocka_unit_test(what_follows_the_syncs_answer_is_not_a_reply),
                cmocka_unit_test(a_refusal_carries_the_guests_words_made_visible),
                cmocka_unit_test(nonsense_gets_out_of_step),
                cmocka_unit_test(a_nul_byte_does_not_end_a_reply_early),
                cmocka_unit_test(a_deep_reply_is_refused),
                cmocka_unit_test(an_endless_reply_ends_the_connection),
                cmocka_unit_test(endless_noise_during_a_sync_ends_the_connection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
