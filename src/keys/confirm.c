#include "confirm.h"

#include "lib/process.h"

bool confirm_argv(const char *question, struct strv *argv)
{
        const char *set = getenv("SSH_ASKPASS");
        _cleanup_(freep) char *program = process_find(set && *set ? set : "ssh-askpass");

        if (!program)
                return (!set || !*set) && confirm_system(question, argv);
        strv_adds(argv, program, question, NULL);
        return true;
}
