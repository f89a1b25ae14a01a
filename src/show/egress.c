#include "show/egress.h"

#include "lib/text.h"

/* --- shown */

json_t *show_account_line(const struct account_line *line)
{
        _cleanup_(freep) char *first = text_format_time(line->first);
        _cleanup_(freep) char *last = text_format_time(line->last);

        return json_pack("{s:s, s:s, s:s?, s:s?, s:I, s:I, s:I, s:I, s:s?, s:s, s:s}", "verdict",
                         line->reached ? "reached" : "refused", "protocol", line->protocol, "name", line->name, "address",
                         line->address, "port", (json_int_t)line->port, "count", (json_int_t)line->count, "sent",
                         (json_int_t)line->sent, "received", (json_int_t)line->received, "reason", line->reason, "first", first,
                         "last", last);
}

static json_t *programs_json(const struct learned *learned)
{
        json_t *all = json_object();

        for (size_t i = 0; i < learned->rules.count; i++)
                if (learned->programs[i].count > 0)
                        json_object_set_new(all, learned->rules.items[i], json_strings(&learned->programs[i]));
        return all;
}

json_t *show_learned(const struct learned *learned)
{
        json_t *result = json_pack("{s:s, s:o}", "egress", "allow", "allow", json_strings(&learned->rules));

        if (learned->programs)
                json_object_set_new(result, "programs", programs_json(learned));
        return result;
}
