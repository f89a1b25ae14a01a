#include "vm/account.h"

#include <poll.h>

#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/text.h"
#include "vm/rules.h"

#define FILE_MOST  (1 << 20)
#define WRITTEN_MS 2000 /* machine-net writes it in one go */
#define PAUSE_MS   50

void account_clear(struct account *account)
{
        for (size_t i = 0; i < account->count; i++) {
                struct account_line *line = &account->lines[i];

                free(line->protocol);
                free(line->name);
                free(line->address);
                free(line->reason);
        }
        free(account->lines);
        *account = (struct account)ACCOUNT_INIT;
}

static char *word_or_null(const char *word)
{
        return streq(word, "-") ? NULL : text_visible_dup(word);
}

static bool read_numbers(const struct strv *words, size_t from, int64_t *const *numbers, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (text_parse_int(words->items[from + i], 0, INT64_MAX, numbers[i]) < 0)
                        return false;
        return true;
}

static bool read_line(const struct strv *words, struct account_line *line)
{
        bool reached = words->count == 10 && streq(words->items[0], "reached");

        if (!reached && (words->count != 9 || !streq(words->items[0], "refused")))
                return false;
        line->reached = reached;
        if (!read_numbers(words, 4, (int64_t *const[]){ &line->port, &line->count }, 2) ||
            !read_numbers(words, words->count - 2, (int64_t *const[]){ &line->first, &line->last }, 2) ||
            (reached && !read_numbers(words, 6, (int64_t *const[]){ &line->sent, &line->received }, 2)))
                return false;
        line->protocol = text_visible_dup(words->items[1]);
        line->name = word_or_null(words->items[2]);
        line->address = word_or_null(words->items[3]);
        line->reason = reached ? NULL : text_visible_dup(words->items[6]);
        return true;
}

static void split(const char *line, size_t length, struct strv *words)
{
        const char *end = line + length;

        while (line < end) {
                size_t word = strcspn(line, " \n");

                strv_take(words, xstrndup(line, word));
                line += word + 1;
        }
}

static bool read_end(const char *text, int64_t *number)
{
        _cleanup_(freep) char *digits = *text ? xstrndup(text + strlen("end "), strcspn(text + strlen("end "), "\n")) : NULL;

        return digits && ends_with(text, "\n") && text_parse_int(digits, 0, INT64_MAX, number) == 0;
}

int account_parse(const char *text, struct account *out)
{
        account_clear(out);
        while (*text && !starts_with(text, "end ")) {
                size_t length = strcspn(text, "\n");
                _cleanup_(strv_clear) struct strv words = STRV_INIT;
                struct account_line line = { 0 };

                split(text, length, &words);
                if (text[length] == '\0' || !read_line(&words, &line))
                        return 0;
                out->lines = xreallocarray(out->lines, out->count + 1, sizeof(*out->lines));
                out->lines[out->count++] = line;
                text += length + 1;
        }
        return read_end(text, &out->rules);
}

int account_read(const struct vm *vm, struct account *out, struct error **err)
{
        _cleanup_(freep) char *path = rules_account_path(vm);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        account_clear(out);
        if (file_read(path, FILE_MOST, &text, &error) == 0)
                return account_parse(text.buf, out);
        if (error->kind == ERROR_NOT_FOUND)
                return 1;
        if (err)
                *err = TAKE_PTR(error);
        return -1;
}

int account_read_whole(const struct vm *vm, struct account *out, struct error **err)
{
        deadline limit = deadline_in(WRITTEN_MS);
        int found;

        while ((found = account_read(vm, out, err)) == 0 && !deadline_passed(limit))
                poll(NULL, 0, PAUSE_MS);
        if (found == 0)
                return error_set(err, ERROR_FAILED, "what VM '%s' reached and was refused can't be read", vm->name);
        return found < 0 ? -1 : 0;
}
