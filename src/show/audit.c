#include "show/audit.h"

json_t *show_audit_lines(void)
{
        json_t *array = json_array();

        for (const struct audit_line *line = audit_lines; line->id; line++)
                json_array_append_new(array, json_pack("{s:s, s:s}", "id", line->id, "line", line->text));
        return array;
}

json_t *show_audit(const struct audit_report *report)
{
        json_t *array = json_array();

        for (size_t i = 0; i < report->count; i++) {
                const struct audit_finding *finding = &report->findings[i];

                json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:s?}", "id", finding->line->id, "line",
                                                       finding->line->text, "verdict", audit_verdict_name(finding->verdict),
                                                       "detail", finding->detail, "hint", finding->hint));
        }
        return array;
}
