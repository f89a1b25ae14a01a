#include "keys/question.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys/confirm.h"
#include "keys/patience.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/text.h"

#define END_MS 2000

static void end_question(struct question *question, bool yes)
{
        loop_remove(question->loop, TAKE_PTR(question->source));
        loop_remove(question->loop, TAKE_PTR(question->timer));
        close(question->process_fd);
        patience_end(question->held, yes);
        question->open = false;
}

/* Ends the program by SIGTERM, or by SIGKILL when it doesn't end. */
static void end_program(const struct question *question)
{
        os_process_signal(question->process_fd, SIGTERM);
        if (process_wait(question->child, END_MS, NULL, NULL) != 0)
                return;
        os_process_signal(question->process_fd, SIGKILL);
        process_wait(question->child, END_MS, NULL, NULL);
}

void question_withdraw(struct question *question)
{
        if (!question->open)
                return;
        end_program(question);
        end_question(question, false);
}

static void on_end(struct loop *loop _unused_, int fd _unused_, short revents _unused_, void *data)
{
        struct question *question = data;
        int status = 0;
        bool yes;

        if (waitpid(question->child, &status, WNOHANG) == 0)
                return;
        yes = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        end_question(question, yes);
        question->on_answer(question->number, yes ? ANSWER_YES : ANSWER_NO, question->data);
}

static void on_late(struct loop *loop _unused_, void *data)
{
        struct question *question = data;

        question->timer = NULL;
        question_withdraw(question);
        question->on_answer(question->number, ANSWER_NOBODY, question->data);
}

/*
 * The guest's words are in the middle, so that the question stands at the end whatever they are. Some programs take a text for
 * markup (Qt, by its first tag) or for one with escapes (kdialog), so the characters that make these are replaced.
 */
static char *whole_text(const struct question *question, const char *text)
{
        _cleanup_(freep) char *visible = text_visible_dup(text);

        for (char *c = visible; *c; c++)
                if (strchr("<>&\\", *c))
                        *c = '?';
        return xasprintf("VM '%s' %s. Allow it?", question->vm, visible);
}

static enum answer start(struct question *question, const char *text)
{
        _cleanup_(freep) char *whole = whole_text(question, text);
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (!confirm_argv(whole, &argv))
                return ANSWER_NO_PROGRAM;
        process_environment(&environment, (const char *const[]){ "SSH_ASKPASS_PROMPT=confirm", NULL });
        if (process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                  .environment = strv_argv(&environment),
                                                  .new_session = true },
                          &question->child, NULL) < 0)
                return ANSWER_NO_PROGRAM;
        question->process_fd = os_process_fd(question->child);
        if (question->process_fd >= 0)
                return ANSWER_YES;
        kill(question->child, SIGKILL);
        process_wait(question->child, END_MS, NULL, NULL);
        return ANSWER_FAILED;
}

void question_ask(struct question *question, uint32_t number, const char *text)
{
        enum answer answer = question->open ? ANSWER_OPEN : patience_begin(question->patience, &question->held);

        if (answer == ANSWER_YES) {
                answer = start(question, text);
                if (answer != ANSWER_YES)
                        patience_end(question->held, false);
        }
        if (answer != ANSWER_YES) {
                question->on_answer(number, answer, question->data);
                return;
        }
        question->open = true;
        question->number = number;
        question->source = loop_add_fd(question->loop, question->process_fd, POLLIN, on_end, question);
        question->timer = loop_add_timer(question->loop, QUESTION_MS, on_late, question);
}
