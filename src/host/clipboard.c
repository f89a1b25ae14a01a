#include "host/clipboard.h"

#include <sys/wait.h>

#include "lib/process.h"
#include "lib/text.h"

/* An owner of the clipboard that doesn't answer would be waited for without end. */
#define TIMEOUT_MS 10000

#ifdef __APPLE__
#define ON_MAC true
#else
#define ON_MAC false
#endif

struct reader {
        bool mac;
        const char *display; /* the variable that says whether such a clipboard is there; NULL = it always is */
        const char *hint;    /* how the program is installed */
        const char *argv[6];
};

/* wl-paste(1), xclip(1), and pngpaste's own help. In this order: where there is Wayland, X11's clipboard is its copy. */
static const struct reader readers[] = {
        { false, "WAYLAND_DISPLAY", "apt install wl-clipboard", { "wl-paste", "--no-newline", "--type", "image/png" } },
        { false, "DISPLAY", "apt install xclip", { "xclip", "-selection", "clipboard", "-target", "image/png", "-out" } },
        { true, NULL, "brew install pngpaste", { "pngpaste", "-" } },
};

static bool is_set(const char *variable)
{
        const char *value = getenv(variable);

        return value && *value;
}

/* The first program that is there, for a clipboard that is. */
static const struct reader *choose(struct error **err)
{
        const struct reader *missing = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
                const struct reader *reader = &readers[i];
                _cleanup_(freep) char *found = process_find(reader->argv[0]);

                if (reader->mac != ON_MAC || (reader->display && !is_set(reader->display)))
                        continue;
                if (found)
                        return reader;
                if (!missing)
                        missing = reader;
        }
        if (!missing) {
                error_set(err, ERROR_FAILED, "there is no clipboard here: neither WAYLAND_DISPLAY nor DISPLAY is set");
                error_hint(err, "run it in a terminal of your desktop");
        } else {
                error_set(err, ERROR_FAILED, "'%s', which reads the clipboard, is not installed", missing->argv[0]);
                error_hint(err, "%s", missing->hint);
        }
        return NULL;
}

static int no_image(const struct reader *reader, const struct process_result *result, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        process_quote(&said, &result->err);
        error_set(err, ERROR_NOT_FOUND, "the clipboard has no image%s%s%s%s", said.len > 0 ? ": '" : "",
                  said.len > 0 ? reader->argv[0] : "", said.len > 0 ? "' says: " : "", said.buf);
        return error_hint(err, "copy an image, or take a screenshot to the clipboard, and try again");
}

/* RFC 2083, 3.1 */
static bool is_png(const struct strbuf *image)
{
        static const char signature[] = "\x89PNG\r\n\x1a\n";

        return image->len > strlen(signature) && memcmp(image->buf, signature, strlen(signature)) == 0;
}

int clipboard_image(struct strbuf *out, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        const struct reader *reader = choose(err);
        const char *argv[ARRAY_SIZE(reader->argv) + 1] = { NULL };

        if (!reader)
                return -1;
        memcpy(argv, reader->argv, sizeof(reader->argv));
        if (process_run(&(struct process_spec){ .argv = argv,
                                                .timeout_ms = TIMEOUT_MS,
                                                .output_limit = CLIPBOARD_IMAGE_MOST,
                                                .tell_limits = true },
                        &result, err) < 0)
                return error_wrap(err, "cannot read the clipboard");
        if (result.late)
                return error_set(err, ERROR_FAILED, "'%s' has not given the image within %d seconds", argv[0],
                                 TIMEOUT_MS / 1000);
        if (result.out_cut > 0)
                return error_set(err, ERROR_FAILED, "the image in the clipboard has more than %d MiB",
                                 CLIPBOARD_IMAGE_MOST >> 20);
        if (result.status != 0 || result.out.len == 0)
                return no_image(reader, &result, err);
        if (!is_png(&result.out))
                return error_set(err, ERROR_FAILED, "what '%s' gave is not a PNG image", argv[0]);
        strbuf_add(out, result.out.buf, result.out.len);
        return 0;
}
