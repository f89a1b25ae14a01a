#include "guest/transcript.h"

#include "lib/file.h"
#include "lib/said.h"

#define KEPT_MOST (512 << 10)

void transcript_clear(struct transcript *transcript)
{
        strbuf_clear(&transcript->text);
        transcript->cut = false;
}

/* Drops the older half of what is too much, in whole lines. */
void transcript_add(struct transcript *transcript, const char *line)
{
        struct strbuf *text = &transcript->text;

        strbuf_addf(text, "%s\n", line);
        if (text->len <= KEPT_MOST)
                return;
        const char *half = strchr(text->buf + text->len / 2, '\n');

        strbuf_consume(text, half ? (size_t)(half + 1 - text->buf) : text->len);
        transcript->cut = true;
}

char *transcript_why(const struct transcript *transcript)
{
        return said_why(transcript->text.buf, transcript->text.len);
}

bool transcript_has_more(const struct transcript *transcript)
{
        const char *end = strchr(transcript->text.buf, '\n');

        return end && end[1] != '\0';
}

char *transcript_keep(const struct transcript *transcript, const struct vm *vm, const char *name)
{
        _cleanup_(freep) char *folder = path_join(vm->folder, "logs");
        _cleanup_(freep) char *path = xasprintf("%s/%s.log", folder, name);
        _cleanup_(freep) char *text =
                xasprintf("%s%s", transcript->cut ? "(The beginning was too long to be kept.)\n" : "", transcript->text.buf);

        if (file_make_folders(folder, 0700, NULL) < 0 || file_write_text(path, text, 0600, NULL) < 0)
                return NULL;
        return TAKE_PTR(path);
}
