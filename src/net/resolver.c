#include "net/resolver.h"

#include <arpa/inet.h>

#include "lib/file.h"

#define MOST  (64 << 10) /* bytes of the file */
#define BLANK " \t"

static bool parse_line(const char *line, size_t length, struct in_addr *address)
{
        static const char word[] = "nameserver";
        _cleanup_(freep) char *text = xstrndup(line, length);
        char *value = text + sizeof(word) - 1;

        if (!starts_with(text, word) || strspn(value, BLANK) == 0)
                return false;
        value += strspn(value, BLANK);
        value[strcspn(value, BLANK "\r")] = '\0';
        return inet_pton(AF_INET, value, address) == 1;
}

struct in_addr resolver_parse(const char *text)
{
        struct in_addr address = { .s_addr = INADDR_ANY };

        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (parse_line(line, strcspn(line, "\n"), &address))
                        return address;
        return (struct in_addr){ .s_addr = INADDR_ANY };
}

bool resolver_look(struct resolver *resolver, struct in_addr *address)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        struct stat status = { 0 };

        if (stat(RESOLVER_PATH, &status) == 0 && status.st_ino == resolver->file &&
            status.st_mtim.tv_sec == resolver->changed.tv_sec && status.st_mtim.tv_nsec == resolver->changed.tv_nsec)
                return false;
        resolver->file = status.st_ino;
        resolver->changed = status.st_mtim;
        (void)file_read(RESOLVER_PATH, MOST, &text, NULL);
        *address = resolver_parse(text.buf ? text.buf : "");
        return true;
}
