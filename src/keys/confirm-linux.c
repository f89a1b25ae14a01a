#include "confirm.h"
#include "lib/process.h"

bool confirm_system(const char *question, struct strv *argv)
{
        _cleanup_(freep) char *zenity = process_find("zenity");
        _cleanup_(freep) char *kdialog = process_find("kdialog");

        if (zenity)
                strv_adds(argv, zenity, "--question", "--no-markup", "--title=machine", "--text", question, NULL);
        else if (kdialog)
                strv_adds(argv, kdialog, "--title", "machine", "--yesno", question, NULL);
        return zenity || kdialog;
}
