#include "config/park.h"

#include "lib/text.h"

#define LEAST_S 60 /* a guest that is only thinking */

const char *const park_wakes[] = { WAKE_LOCAL, WAKE_ANY, NULL };

int park_check(const char *text, struct error **err)
{
        int64_t seconds;

        if (streq(text, PARK_NEVER) || (text_parse_duration(text, &seconds) == 0 && seconds >= LEAST_S))
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' is not a time of a minute or more", text);
        return error_hint(err, "write \"90s\", \"30m\", \"2h\" or \"never\"");
}
