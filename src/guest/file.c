#include "guest/file.h"

#include <inttypes.h>

#include "guest/script.h"
#include "lib/text.h"

#define TIMEOUT_MS 60000
/* As guest/session/file.sh writes them */
#define HEADER  "machine-file: "
#define REFUSED "machine-file refused: "

/* The text after `word` at the beginning of a line, up to the end of that line; *rest (may be NULL) becomes where the next line
 * begins. Owned by the caller; NULL = there is none. */
static char *find_line(const struct strbuf *said, const char *word, size_t *rest)
{
        for (const char *line = said->buf; line; line = strchr(line, '\n')) {
                const char *end;

                line += *line == '\n';
                end = strchr(line, '\n');
                if (!starts_with(line, word) || !end)
                        continue;
                if (rest)
                        *rest = (size_t)(end + 1 - said->buf);
                return xstrndup(line + strlen(word), (size_t)(end - line) - strlen(word));
        }
        return NULL;
}

/* Runs the script, and returns what follows its header, which is the line that begins with HEADER. */
static int run(const struct vm *vm, const struct strv *args, const struct strbuf *input, struct process_result *result,
               char **header, size_t *rest, struct error **err)
{
        const struct session session = { .vm = vm };
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;
        _cleanup_(freep) char *refused = NULL, *visible = NULL;

        if (script_command("file.sh", args, &remote, err) < 0 ||
            session_take(&session, remote.buf,
                         &(struct process_spec){ .input = input ? input->buf : "",
                                                 .input_length = input ? input->len : 0,
                                                 .new_session = true,
                                                 .timeout_ms = TIMEOUT_MS },
                         result, err) < 0)
                return -1;
        refused = find_line(&result->err, REFUSED, NULL);
        if (refused) {
                visible = text_visible_dup(refused);
                return error_set(err, ERROR_NOT_FOUND, "in VM '%s' %s", vm->name, visible);
        }
        if (result->status != 0)
                return session_failed(&session, result, err);
        *header = find_line(&result->out, HEADER, rest);
        return *header ? 0 : error_set(err, ERROR_STEP, "VM '%s' gave no answer about the file", vm->name);
}

int file_in_guest_read(const struct vm *vm, const char *folder, const char *path, int64_t offset, int64_t limit,
                       struct strbuf *out, int64_t *size, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;
        _cleanup_(freep) char *header = NULL;
        size_t rest = 0, length;

        strv_adds(&args, "read", folder, path, NULL);
        strv_addf(&args, "%" PRId64, offset);
        strv_addf(&args, "%" PRId64, limit);
        if (run(vm, &args, NULL, &result, &header, &rest, err) < 0)
                return -1;
        length = result.out.len - rest;
        if (text_parse_int(header, 0, INT64_MAX, size) < 0 || (int64_t)length > limit)
                return error_set(err, ERROR_STEP, "VM '%s' gave a wrong answer about the file", vm->name);
        strbuf_add(out, result.out.buf + rest, length);
        return 0;
}

int file_in_guest_write(const struct vm *vm, const char *folder, const char *path, const struct strbuf *content, bool *created,
                        struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;
        _cleanup_(freep) char *header = NULL;

        strv_adds(&args, "write", folder, path, NULL);
        strv_addf(&args, "%zu", content->len);
        if (run(vm, &args, content, &result, &header, NULL, err) < 0)
                return -1;
        *created = streq_ptr(header, "created");
        return 0;
}
