#include "guest/branch.h"

#include "guest/folder.h"
#include "guest/script.h"
#include "lib/text.h"

#define SCRIPT      "race.sh"
#define TIMEOUT_MS  (10 * 60 * 1000) /* for a work tree with many files, on a busy computer */
#define NUMBERS     3
#define SHA1_HEX    40
#define SHA256_HEX  64
#define ID_ALPHABET "0123456789abcdef"

bool branch_is_id(const char *text)
{
        size_t length = strlen(text);

        return (length == SHA1_HEX || length == SHA256_HEX) && strspn(text, ID_ALPHABET) == length;
}

int branch_parse_diff(const char *text, struct branch_diff *out)
{
        _cleanup_(strv_clear) struct strv words = STRV_INIT;
        int64_t numbers[NUMBERS];

        strv_split(&words, text, " ");
        if (words.count != NUMBERS)
                return -1;
        for (size_t i = 0; i < NUMBERS; i++)
                if (text_parse_int(words.items[i], 0, INT64_MAX, &numbers[i]) < 0)
                        return -1;
        *out = (struct branch_diff){ .files = numbers[0], .added = numbers[1], .removed = numbers[2] };
        return 0;
}

/* Runs the script with this verb and up to two more arguments (NULL = none). `out` is what it printed, trimmed. */
static int run(const struct session *session, const char *verb, const char *first, const char *second, struct strbuf *out,
               struct error **err)
{
        _cleanup_(freep) char *folder = folder_first(session->vm);
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_adds(&args, verb, folder, NULL);
        if (first)
                strv_add(&args, first);
        if (second)
                strv_add(&args, second);
        if (script_run(session, SCRIPT, &args, NULL, TIMEOUT_MS, NULL, NULL, out, err) < 0)
                return -1;
        strbuf_trim_end(out);
        return 0;
}

static int refuse_answer(const struct vm *vm, const char *answer, struct error **err)
{
        _cleanup_(freep) char *shown = text_visible_dup(answer);

        return error_set(err, ERROR_STEP, "VM '%s' did not say what is in its repo: '%s'", vm->name, shown);
}

int branch_tree(const struct vm *vm, char **tree, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        if (run(&(struct session){ .vm = vm }, "tree", NULL, NULL, &out, err) < 0)
                return -1;
        if (!branch_is_id(out.buf))
                return refuse_answer(vm, out.buf, err);
        *tree = strbuf_take(&out);
        return 0;
}

int branch_compare(const struct vm *vm, const char *tree, struct branch_diff *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (run(&(struct session){ .vm = vm }, "diff", tree, NULL, &text, err) < 0)
                return error_wrap(err, "cannot see what has changed in VM '%s'", vm->name);
        return branch_parse_diff(text.buf, out) < 0 ? refuse_answer(vm, text.buf, err) : 0;
}

/* A commit may have to be signed, with the agent. */
int branch_save(const struct vm *vm, const char *branch, char **tip, struct error **err)
{
        _cleanup_(freep) char *message = xasprintf("What was not committed in %s", vm->name);
        const struct session session = { .vm = vm, .forward_agent = vm->record.forward_agent };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        if (run(&session, "save", branch, message, &out, err) < 0) {
                error_wrap(err, "cannot commit what is not committed in VM '%s'", vm->name);
                return error_hint(err, "machine ssh %s", vm->name);
        }
        if (out.len > 0 && !branch_is_id(out.buf))
                return refuse_answer(vm, out.buf, err);
        set_string(tip, out.len > 0 ? strbuf_take(&out) : NULL);
        return 0;
}

int branch_refs(const struct vm *vm, struct strv *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (run(&(struct session){ .vm = vm }, "refs", NULL, NULL, &text, err) < 0)
                return -1;
        strv_split(out, text.buf, "\n");
        return 0;
}
