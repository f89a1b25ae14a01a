#include "keys/confirm.h"
#include "lib/process.h"

/*
 * zenity focuses its yes unless --default-cancel is given. kdialog has no such option, but with --warningyesno the default is
 * no (with --yesno: yes). Sources: zenity(1), "Question options"; KMessageBox::warningTwoActions(), with Notify|Dangerous as
 * its default options.
 */
bool confirm_system(const char *question, struct strv *argv)
{
        _cleanup_(freep) char *zenity = process_find("zenity");
        _cleanup_(freep) char *kdialog = zenity ? NULL : process_find("kdialog");

        if (zenity)
                strv_adds(argv, zenity, "--question", "--default-cancel", "--no-markup", "--title=machine", "--ok-label=Allow",
                          "--cancel-label=Refuse", "--text", question, NULL);
        else if (kdialog)
                strv_adds(argv, kdialog, "--title", "machine", "--warningyesno", question, "--yes-label", "Allow", "--no-label",
                          "Refuse", NULL);
        return zenity || kdialog;
}
