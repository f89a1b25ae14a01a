#include "term/json_line.h"

#include "lib/text.h"

json_t *json_line_text(const char *text)
{
        json_t *value = text ? json_string(text) : json_null();
        _cleanup_(freep) char *visible = value ? NULL : text_visible_dup(text);

        return value ? value : json_string(visible);
}

void json_line_print(const json_t *value)
{
        _cleanup_(freep) char *text = json_text(value);

        puts(text);
        fflush(stdout);
}
