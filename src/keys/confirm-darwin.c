#include "keys/confirm.h"

/* Cancel ends it with status 1. The question is an argument, never part of the script. Source: osascript(1), AppleScript's
 * "display dialog". */
bool confirm_system(const char *question, struct strv *argv)
{
        strv_adds(
                argv, "/usr/bin/osascript", "-e", "on run question", "-e",
                "display dialog (item 1 of question) with title \"machine\" buttons {\"Cancel\", \"Allow\"} default button \"Cancel\" "
                "cancel button \"Cancel\" with icon caution",
                "-e", "end run", "--", question, NULL);
        return true;
}
