/* A guest's agent that lies, dawdles or babbles costs us the time limit and nothing more. */
#include "scratch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qemu/agent.h"

/* The guest's side of the channel. It answers each line that it gets with the next of `answers`, then it stays silent. */
struct guest {
        pthread_t thread;
        char *path;
        int listener;
        const char *const *answers;
};

static void *play_guest(void *data)
{
        struct guest *guest = data;
        int fd = accept4(guest->listener, NULL, NULL, SOCK_CLOEXEC);
        char byte;

        for (const char *const *answer = guest->answers; *answer; answer++) {
                struct strbuf text = STRBUF_INIT;
                struct strbuf line = STRBUF_INIT;
                const char *number;

                while (read(fd, &byte, 1) == 1 && byte != '\n')
                        strbuf_addc(&line, byte);
                number = strstr(line.buf, "\"id\":");
                /* "@" is replaced by the number that the sync asks for. */
                for (const char *c = *answer; *c; c++) {
                        if (*c == '@' && number)
                                strbuf_add(&text, number + 5, strspn(number + 5, "0123456789"));
                        else
                                strbuf_addc(&text, *c);
                }
                if (write(fd, text.buf, text.len) < 0)
                        break;
                strbuf_clear(&text);
                strbuf_clear(&line);
        }
        while (read(fd, &byte, 1) > 0)
                ;
        close(fd);
        return NULL;
}

static void guest_start(struct guest *guest, void **state, const char *const *answers)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        guest->path = path_join(*state, "agent.sock");
        guest->answers = answers;
        unlink(guest->path);
        memcpy(address.sun_path, guest->path, strlen(guest->path));
        guest->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(guest->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(guest->listener, 1), 0);
        assert_int_equal(pthread_create(&guest->thread, NULL, play_guest, guest), 0);
}

static void guest_end(struct guest *guest)
{
        pthread_join(guest->thread, NULL);
        close(guest->listener);
        free(guest->path);
}

static void an_honest_agent_is_asked_and_answers(void **state)
{
        static const char *const answers[] = { "old noise\n\xff{\"return\": @}\n", "{\"return\": {\"version\": \"10\"}}\n",
                                               NULL };
        _cleanup_(json_decrefp) json_t *reply = NULL;
        struct agent *agent = NULL;
        struct guest guest;

        guest_start(&guest, state, answers);
        assert_int_equal(agent_connect(guest.path, deadline_in(5000), &agent, NULL), 0);
        assert_int_equal(agent_call(agent, "guest-info", NULL, deadline_in(5000), &reply, NULL), 0);
        assert_string_equal(json_string_value(json_object_get(reply, "version")), "10");
        agent_free(agent);
        guest_end(&guest);
}

static void a_silent_agent_costs_its_time_limit(void **state)
{
        static const char *const answers[] = { NULL };
        _cleanup_(error_freep) struct error *err = NULL;
        struct agent *agent = NULL;
        struct guest guest;
        int64_t begun = now_ms();

        guest_start(&guest, state, answers);
        assert_int_equal(agent_connect(guest.path, deadline_in(5000), &agent, NULL), 0);
        assert_int_equal(agent_call(agent, "guest-ping", NULL, deadline_in(150), NULL, &err), -1);
        assert_string_equal(err->message, "the guest agent did not answer in time");
        assert_in_range(now_ms() - begun, 140, 3000);
        agent_free(agent);
        guest_end(&guest);
}

static void after_a_missed_answer_the_late_one_is_not_taken_for_the_next(void **state)
{
        static const char *const answers[] = { "\xff{\"return\": @}\n", "{\"return\": ", "1}\n\xff{\"return\": @}\n",
                                               "{\"return\": 2}\n", NULL };
        _cleanup_(json_decrefp) json_t *reply = NULL;
        struct agent *agent = NULL;
        struct guest guest;

        guest_start(&guest, state, answers);
        assert_int_equal(agent_connect(guest.path, deadline_in(5000), &agent, NULL), 0);
        assert_int_equal(agent_call(agent, "first", NULL, deadline_in(150), NULL, NULL), -1);
        assert_int_equal(agent_call(agent, "second", NULL, deadline_in(5000), &reply, NULL), 0);
        assert_int_equal(json_integer_value(reply), 2);
        agent_free(agent);
        guest_end(&guest);
}

static void an_agent_that_guesses_the_number_is_not_believed(void **state)
{
        static const char *const answers[] = { "\xff{\"return\": 1}\n\xff{\"return\": {}}\n{\"return\": @}\n", NULL };
        struct agent *agent = NULL;
        struct guest guest;

        guest_start(&guest, state, answers);
        assert_int_equal(agent_connect(guest.path, deadline_in(5000), &agent, NULL), 0);
        assert_int_equal(agent_call(agent, "guest-ping", NULL, deadline_in(150), NULL, NULL), -1);
        agent_free(agent);
        guest_end(&guest);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_honest_agent_is_asked_and_answers),
                cmocka_unit_test(a_silent_agent_costs_its_time_limit),
                cmocka_unit_test(after_a_missed_answer_the_late_one_is_not_taken_for_the_next),
                cmocka_unit_test(an_agent_that_guesses_the_number_is_not_believed),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
