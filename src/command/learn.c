#include "command/learn.h"

#include <arpa/inet.h>

#include "audit/audit.h"
#include "command/result.h"
#include "config/egress.h"
#include "lib/egress-rule.h"

/* The rule that would let this through; NULL = none would, or none is needed. Owned by the caller. */
static char *rule_for(const struct account_line *line)
{
        static const char *const by_rules[] = { "name", "port", "address", "sni", "host-header", "egress" };
        struct in_addr address;
        bool ours = line->reached;

        for (size_t i = 0; !ours && i < ARRAY_SIZE(by_rules); i++)
                ours = streq(line->reason, by_rules[i]);
        /* "_http._tcp.example.org" asks what serves a name, and nothing is reached by it. */
        if (!ours || (line->name && *line->name == '_'))
                return NULL;
        /* Of HTTP's Host with an address in it, where it went is what counts. */
        if (line->name && inet_pton(AF_INET, line->name, &address) != 1)
                return streq(line->protocol, "dns") || line->port == 80 || line->port == 443
                               ? xstrdup(line->name)
                               : xasprintf("%s:%jd", line->name, (intmax_t)line->port);
        if (!line->address || line->port == 0 || audit_tries(line->address))
                return NULL;
        return xasprintf("%s/32:%jd", line->address, (intmax_t)line->port);
}

/* The project's own rules as they are written, and in `known` all that they stand for. */
static void add_own(const struct target *target, const struct vm *vm, struct strv *rules, struct strv *known)
{
        if (!target->configured) {
                strv_add_all(rules, &vm->record.allow);
                return;
        }
        strv_add_all(rules, &target->project.allow);
        egress_rules(&target->project, &vm->record.clients, known);
}

/* Does `text`, where it is a rule, allow all that `wanted` does? */
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

                /* A name that no rule can have was nothing's but a guest's that wanted to see what happens. */
                if (text && egress_rule_parse(text, &rule, NULL) == 0 && !covers(rules, &rule) && !covers(known, &rule))
                        strv_take(rules, TAKE_PTR(text));
        }
        strv_sort(rules);
}

/* The programs that wanted what `rule` allows. */
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

static void print_rule(const struct watch *watch, const struct account *account, const char *rule)
{
        _cleanup_(strv_clear) struct strv programs = STRV_INIT;
        _cleanup_(freep) char *list = NULL;

        if (watch)
                add_programs(watch, account, rule, &programs);
        list = strv_join(&programs, ", ");
        printf("        \"%s\",%s%s%s\n", rule, programs.count > 0 ? " # " : "", list,
               programs.count > 0 ? ", says the guest" : "");
}

static json_t *programs_json(const struct watch *watch, const struct account *account, const struct strv *rules)
{
        json_t *all = json_object();

        for (size_t i = 0; i < rules->count; i++) {
                _cleanup_(strv_clear) struct strv programs = STRV_INIT;

                add_programs(watch, account, rules->items[i], &programs);
                if (programs.count > 0)
                        json_object_set_new(all, rules->items[i], json_strings(&programs));
        }
        return all;
}

void learn_print(struct context *context, const struct target *target, const struct vm *vm, const struct account *account,
                 const struct watch *watch)
{
        _cleanup_(strv_clear) struct strv rules = STRV_INIT;
        _cleanup_(strv_clear) struct strv known = STRV_INIT;

        add_own(target, vm, &rules, &known);
        add_missing(account, &known, &rules);
        if (context->mode == OUTPUT_JSON) {
                json_t *result = json_pack("{s:s, s:o}", "egress", "allow", "allow", json_strings(&rules));

                if (watch)
                        json_object_set_new(result, "programs", programs_json(watch, account, &rules));
                result_json(result);
                return;
        }
        puts("egress = \"allow\"\nallow = [");
        for (size_t i = 0; i < rules.count; i++)
                print_rule(watch, account, rules.items[i]);
        puts("]");
}
