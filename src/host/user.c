#include "host/user.h"

#include <pwd.h>
#include <unistd.h>

#include "lib/util.h"

#define NAME_MOST 31

char *user_for_guest(void)
{
        const struct passwd *entry = getpwuid(geteuid());
        const char *name = entry ? entry->pw_name : "";
        size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

        if (name[plain] || plain == 0 || plain > NAME_MOST || !strchr("abcdefghijklmnopqrstuvwxyz_", *name) ||
            streq(name, "root"))
                return xstrdup("dev");
        return xstrdup(name);
}
