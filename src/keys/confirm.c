#include "keys/confirm.h"

#include "lib/process.h"

static bool ask_by(const char *program, const char *question, struct strv *argv)
{
        _cleanup_(freep) char *path = process_find(program);

        if (path)
                strv_adds(argv, path, question, NULL);
        return path != NULL;
}

bool confirm_argv(const char *question, struct strv *argv)
{
        const char *set = getenv("SSH_ASKPASS");

        if (set && *set)
                return ask_by(set, question, argv);
        return confirm_system(question, argv) || ask_by("ssh-askpass", question, argv);
}
