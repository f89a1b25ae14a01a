#include "host/ssh_include.h"

#include <ctype.h>
#include <fnmatch.h>
#include <strings.h>

#include "host/paths.h"
#include "lib/file.h"
#include "lib/strv.h"

#define BLANK " \t\r\f"

/*
 * Splits one line into words as ssh does (argv_split of misc.c): quotes may stand anywhere in a word, a backslash escapes a
 * quote, a backslash and (outside quotes) a space, and a word that begins with # ends the line. An unclosed quote: no words.
 */
static void split(const char *line, struct strv *words)
{
        _cleanup_(strbuf_clear) struct strbuf word = STRBUF_INIT;

        for (;;) {
                char quote = 0;

                line += strspn(line, BLANK);
                if (!*line || *line == '#')
                        return;
                for (; *line && (quote || !strchr(BLANK, *line)); line++) {
                        bool escapes = *line == '\\' && line[1] && (strchr("'\"\\", line[1]) || (!quote && line[1] == ' '));

                        if (escapes)
                                strbuf_addc(&word, *++line);
                        else if (!quote && (*line == '"' || *line == '\''))
                                quote = *line;
                        else if (quote && *line == quote)
                                quote = 0;
                        else
                                strbuf_addc(&word, *line);
                }
                if (quote) {
                        strv_clear(words);
                        return;
                }
                strv_take(words, strbuf_take(&word));
        }
}

/* Moves *line past its keyword and an "=" after it. Returns the keyword, owned by the caller; "" for an empty line. */
static char *take_keyword(const char **line)
{
        const char *start = *line + strspn(*line, BLANK);
        size_t length = strcspn(start, BLANK "=");
        const char *rest = start + length;

        rest += strspn(rest, BLANK);
        if (*rest == '=')
                rest++;
        *line = rest;
        return xstrndup(start, length);
}

static char *absolute_pattern(const char *word, const char *ssh_folder)
{
        if (starts_with(word, "~/.ssh/"))
                return path_join(ssh_folder, word + strlen("~/.ssh/"));
        if (starts_with(word, "~/"))
                return paths_home(word + strlen("~/"));
        return *word == '/' ? xstrdup(word) : path_join(ssh_folder, word);
}

static bool names_file(const char *line, const char *ssh_folder, const char *file)
{
        _cleanup_(strv_clear) struct strv words = STRV_INIT;

        split(line, &words);
        for (size_t i = 0; i < words.count; i++) {
                _cleanup_(freep) char *pattern = absolute_pattern(words.items[i], ssh_folder);

                if (fnmatch(pattern, file, FNM_PATHNAME | FNM_PERIOD) == 0)
                        return true;
        }
        return false;
}

bool ssh_include_present(const char *text, size_t length, const char *ssh_folder, const char *file)
{
        const char *end = text + length;

        while (text < end) {
                const char *line_end = memchr(text, '\n', (size_t)(end - text));
                _cleanup_(freep) char *line = xstrndup(text, (size_t)((line_end ? line_end : end) - text));
                const char *arguments = line;
                _cleanup_(freep) char *keyword = take_keyword(&arguments);

                if (strcasecmp(keyword, "host") == 0 || strcasecmp(keyword, "match") == 0)
                        return false;
                if (strcasecmp(keyword, "include") == 0 && names_file(arguments, ssh_folder, file))
                        return true;
                text = line_end ? line_end + 1 : end;
        }
        return false;
}
