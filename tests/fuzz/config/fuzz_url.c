/*
 * Any bytes as a repo's URL. A URL that is allowed can't be an option, a helper's name or a second line, and what is made from
 * it can't be one either.
 */
#include "../fuzz.h"
#include "config/repo-url.h"

#include "config/project.h"

static void check_allowed(const char *url, const char *host)
{
        CHECK(*url != '-' && *url != '\0');
        for (const char *c = url; *c; c++)
                CHECK((unsigned char)*c > ' ' && *c != 0x7F && *c != '\\');
        CHECK(!starts_with(url, "ext::") && !starts_with(url, "file://"));
        CHECK(!strstr(url, "://") || !strchr("-%@:", strstr(url, "://")[3]));
        CHECK(*host != '\0' && *host != '-');
        CHECK(strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:") == strlen(host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *url = xstrndup((const char *)data, size);
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *host = NULL;
        _cleanup_(freep) char *name = repo_url_name(url);

        if (repo_url_check(url, &host, &error) == 0)
                check_allowed(url, host);
        else
                CHECK(error && error->kind == ERROR_CONFIG && !host);
        if (name)
                CHECK(*name != '\0' && *name != '.' && *name != '-' && !strpbrk(name, "/ \t\n'\"$`;&|<>()*?[]~#\\") &&
                      strlen(name) <= 100);
        return 0;
}
