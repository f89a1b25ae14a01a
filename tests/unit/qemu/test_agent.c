/* A guest's agent that lies, dawdles or babbles costs us the time limit and nothing more. */
#include "scratch.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu/agent.h"

/* The guest's side of the channel. It answers each line that it gets with the next of `answers`, then it stays silent. */
struct guest {
        pthread_t thread;
        char *path;
        int in, out;
        const char *const *answers;
};

static void *play_guest(void *data)
{
        struct guest *guest = data;
        char byte;

        for (const char *const *answer = guest->answers; *answer; answer++) {
                struct strbuf text = STRBUF_INIT;
                struct strbuf line = STRBUF_INIT;
                const char *number;

                while (read(guest->in, &byte, 1) == 1 && byte != '\n')
                        strbuf_addc(&line, byte);
                number = strstr(line.buf, "\"id\":");
                /* "@" is replaced by the number that the sync asks for. */
                for (const char *c = *answer; *c; c++) {
                        if (*c == '@' && number)
                                strbuf_add(&text, number + 5, strspn(number + 5, "0123456789"));
                        else
                                strbuf_addc(&text, *c);
                }
                if (write(guest->out, text.buf, text.len) < 0)
                        break;
                strbuf_clear(&text);
                strbuf_clear(&line);
        }
        return NULL;
}

static int open_pipe(char *path)
{
        int fd;

        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
        /* As QEMU opens it: the pipe is never without a reader or a writer. */
        fd = open(path, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        free(path);
        return fd;
}

static void guest_start(struct guest *guest, void **state, const char *const *answers)
{
        guest->path = path_join(*state, "agent");
        guest->answers = answers;
        guest->in = open_pipe(agent_pipe_in(guest->path));
        guest->out = open_pipe(agent_pipe_out(guest->path));
        assert_int_equal(pthread_create(&guest->thread, NULL, play_guest, guest), 0);
}

static void guest_end(struct guest *guest)
{
        pthread_join(guest->thread, NULL);
        close(guest->in);
        close(guest->out);
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

static void what_an_earlier_caller_left_is_not_taken_for_an_answer(void **state)
{
        static const char *const answers[] = { "\xff{\"return\": @}\n", "{\"return\": 3}\n", NULL };
        _cleanup_(json_decrefp) json_t *reply = NULL;
        struct agent *agent = NULL;
        struct guest guest;

        guest_start(&guest, state, answers);
        assert_int_equal(write(guest.out, "{\"return\": 1}\n", 14), 14);
        assert_int_equal(agent_connect(guest.path, deadline_in(5000), &agent, NULL), 0);
        assert_int_equal(agent_call(agent, "guest-get-time", NULL, deadline_in(5000), &reply, NULL), 0);
        assert_int_equal(json_integer_value(reply), 3);
        agent_free(agent);
        guest_end(&guest);
}

static void one_caller_at_a_time_has_the_agent(void **state)
{
        static const char *const answers[] = { NULL };
        _cleanup_(error_freep) struct error *err = NULL;
        struct agent *first = NULL;
        struct agent *second = NULL;
        struct guest guest;

        guest_start(&guest, state, answers);
        assert_int_equal(agent_connect(guest.path, deadline_in(5000), &first, NULL), 0);
        assert_int_equal(agent_connect(guest.path, deadline_in(150), &second, &err), -1);
        agent_free(first);
        assert_int_equal(agent_connect(guest.path, deadline_in(5000), &second, NULL), 0);
        agent_free(second);
        guest_end(&guest);
}

static void a_missing_pipe_is_said_and_another_file_is_not_used(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = path_join(*state, "none");
        _cleanup_(freep) char *in = agent_pipe_in(path);
        struct agent *agent = NULL;

        assert_int_equal(agent_connect(path, deadline_in(150), &agent, &err), -1);
        assert_int_equal(err->kind, ERROR_NOT_FOUND);
        assert_int_equal(file_write_text(in, "", 0600, NULL), 0);
        assert_int_equal(agent_connect(path, deadline_in(150), &agent, &err), -1);
        assert_non_null(strstr(err->message, "is not a pipe"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_honest_agent_is_asked_and_answers),
                cmocka_unit_test(a_silent_agent_costs_its_time_limit),
                cmocka_unit_test(after_a_missed_answer_the_late_one_is_not_taken_for_the_next),
                cmocka_unit_test(an_agent_that_guesses_the_number_is_not_believed),
                cmocka_unit_test(what_an_earlier_caller_left_is_not_taken_for_an_answer),
                cmocka_unit_test(one_caller_at_a_time_has_the_agent),
                cmocka_unit_test(a_missing_pipe_is_said_and_another_file_is_not_used),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
