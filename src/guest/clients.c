#include "guest/clients.h"

#include "config/egress.h"
#include "guest/script.h"
#include "lib/egress-rule.h"
#include "lib/text.h"

#define TIMEOUT_MS (10 * 60 * 1000) /* for every client, and every index that they use, once */
#define MOST       64               /* rules from one guest */

/* Returns the rule in "@PRESET RULE", or NULL when the line is not of this form. */
static const char *rule_of(const char *line)
{
        for (size_t i = 0; egress_clients[i]; i++) {
                size_t length = strlen(egress_clients[i]);
                struct egress_rule rule;

                if (starts_with(line, egress_clients[i]) && line[length] == ' ')
                        return egress_rule_parse(line + length + 1, &rule, NULL) == 0 && !rule.below ? line + length + 1 : NULL;
        }
        return NULL;
}

int clients_read(const char *text, struct strv *out, struct error **err)
{
        while (*text) {
                size_t length = strcspn(text, "\n");
                _cleanup_(freep) char *line = xstrndup(text, length);

                text += length + (text[length] == '\n');
                if (strv_contains(out, line))
                        continue;
                if (!rule_of(line) || out->count >= MOST) {
                        _cleanup_(freep) char *visible = text_visible_dup(line);

                        return error_set(err, ERROR_STEP, "the guest's package clients use '%s', which %s", visible,
                                         out->count >= MOST ? "is one too many" : "is not a host");
                }
                strv_take(out, TAKE_PTR(line));
        }
        strv_sort(out);
        return 0;
}

int clients_ask(const struct vm *vm, struct strv *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (script_run(&(struct session){ .vm = vm }, "clients.sh", NULL, NULL, TIMEOUT_MS, NULL, NULL, &text, err) < 0)
                return error_wrap(err, "cannot ask the package clients of VM '%s' which hosts they use", vm->name);
        return clients_read(text.buf, out, err);
}
