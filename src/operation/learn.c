#include "operation/learn.h"

#include <arpa/inet.h>

#include "audit/audit.h"
#include "config/egress.h"
#include "lib/egress-rule.h"
#include "vm/vm.h"

/* Returns the rule that would let this through; NULL = no rule would, or none is needed. Owned by the caller. */
static char *rule_for(const struct account_line *line)
{
        static const char *const by_rules[] = { "name", "port", "address", "sni", "host-header", "egress" };
        struct in_addr address;
        bool ours = line->reached;

        for (size_t i = 0; !ours && i < ARRAY_SIZE(by_rules); i++)
                ours = streq(line->reason, by_rules[i]);
        /* "_http._tcp.example.org" asks which host serves a name; nothing is reached under such a name. */
        if (!ours || (line->name && *line->name == '_'))
                return NULL;
        /* When HTTP's Host is an address, the address that was connected to counts. */
        if (line->name && inet_pton(AF_INET, line->name, &address) != 1)
                return streq(line->protocol, "dns") || line->port == 80 || line->port == 443
                               ? xstrdup(line->name)
                               : xasprintf("%s:%jd", line->name, (intmax_t)line->port);
        if (!line->address || line->port == 0 || audit_tries(line->address))
                return NULL;
        return xasprintf("%s/32:%jd", line->address, (intmax_t)line->port);
}

/* Adds the project's own rules as they are written, and to `known` all that they stand for. */
static void add_own(const struct target *target, const struct vm *vm, struct strv *rules, struct strv *known)
{
        if (!target->configured) {
                strv_add_all(rules, &vm->record.allow);
                return;
        }
        strv_add_all(rules, &target->project.allow);
        egress_rules(&target->project, &vm->record.clients, known);
}

/* Is `text` a rule that allows all that `wanted` does? */
static bool allows(const char *text, const struct egress_rule *wanted)
{
        struct egress_rule rule;

        if (*text == '@' || egress_rule_parse(text, &rule, NULL) < 0)
                return false;
        if (*wanted->name)
                return rule.port == wanted->port && egress_rule_names(&rule, wanted->name);
        return (rule.port == 0 || rule.port == wanted->port) && egress_rule_holds(&rule, wanted->address);
}

static bool covers(const struct strv *rules, const struct egress_rule *wanted)
{
        for (size_t i = 0; i < rules->count; i++)
                if (allows(rules->items[i], wanted))
                        return true;
        return false;
}

static void add_missing(const struct account *account, const struct strv *known, struct strv *rules)
{
        for (size_t i = 0; i < account->count; i++) {
                _cleanup_(freep) char *text = rule_for(&account->lines[i]);
                struct egress_rule rule;

                /* A name that no rule can have was only tried by the guest to see what happens. */
                if (text && egress_rule_parse(text, &rule, NULL) == 0 && !covers(rules, &rule) && !covers(known, &rule))
                        strv_take(rules, TAKE_PTR(text));
        }
        strv_sort(rules);
}

/* Adds the programs that wanted what `rule` allows. */
static void add_programs(const struct watch *watch, const struct account *account, const char *rule, struct strv *out)
{
        for (size_t i = 0; i < account->count; i++) {
                const struct account_line *line = &account->lines[i];
                _cleanup_(freep) char *text = rule_for(line);
                struct egress_rule wanted;

                if (text && egress_rule_parse(text, &wanted, NULL) == 0 && allows(rule, &wanted))
                        watch_programs(watch, line->name, line->address, line->port, out);
        }
        strv_sort(out);
}

void learned_clear(struct learned *learned)
{
        for (size_t i = 0; learned->programs && i < learned->rules.count; i++)
                strv_clear(&learned->programs[i]);
        free(learned->programs);
        strv_clear(&learned->rules);
        *learned = (struct learned)LEARNED_INIT;
}

void learn(const struct target *target, const struct vm *vm, const struct account *account, const struct watch *watch,
           struct learned *out)
{
        _cleanup_(strv_clear) struct strv known = STRV_INIT;

        add_own(target, vm, &out->rules, &known);
        add_missing(account, &known, &out->rules);
        if (!watch)
                return;
        out->programs = xcalloc(out->rules.count + 1, sizeof(*out->programs));
        for (size_t i = 0; i < out->rules.count; i++)
                add_programs(watch, account, out->rules.items[i], &out->programs[i]);
}
