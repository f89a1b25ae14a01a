#include "net/rules.h"

#include "lib/text.h"

#define PORT_HTTP  80
#define PORT_HTTPS 443

static const char *const modes[] = { [RULES_OPEN] = "open", [RULES_ALLOW] = "allow", [RULES_NONE] = "none" };

static bool is_line(const char *line, size_t length, const char *word)
{
        return length == strlen(word) && memcmp(line, word, length) == 0;
}

static bool parse_mode(const char *line, size_t length, enum rules_mode *mode)
{
        for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
                if (is_line(line, length, modes[i])) {
                        *mode = (enum rules_mode)i;
                        return true;
                }
        return false;
}

/* 1 = the end was reached, 0 = a rule, -1 = neither. */
static int parse_line(const char *line, size_t length, struct rules *rules)
{
        _cleanup_(freep) char *text = xstrndup(line, length);

        if (streq(text, "end") || (starts_with(text, "end ") && text_parse_int(text + 4, 1, INT64_MAX, &rules->number) == 0))
                return 1;
        if (rules->count == RULES_MOST || egress_rule_parse(text, &rules->items[rules->count], NULL) < 0)
                return -1;
        rules->count++;
        return 0;
}

bool rules_parse(const char *text, struct rules *out)
{
        _cleanup_(freep) struct rules *rules = xcalloc(1, sizeof(*rules));
        size_t length = strcspn(text, "\n");
        int status = 0;

        if (!parse_mode(text, length, &rules->mode))
                return false;
        while (status == 0 && text[length] == '\n') {
                text += length + 1;
                length = strcspn(text, "\n");
                status = text[length] == '\n' ? parse_line(text, length, rules) : -1;
        }
        if (status != 1)
                return false;
        *out = *rules;
        return true;
}

bool rules_name(const struct rules *rules, const char *name)
{
        for (size_t i = 0; i < rules->count; i++)
                if (egress_rule_names(&rules->items[i], name))
                        return true;
        return false;
}

static bool is_web(uint16_t port)
{
        return port == PORT_HTTP || port == PORT_HTTPS;
}

bool rules_reach_name(const struct rules *rules, const char *name, uint8_t protocol, uint16_t port, bool *inspect)
{
        /* UDP shows no name on these ports. */
        if (is_web(port) && protocol != IPPROTO_TCP)
                return false;
        *inspect = is_web(port);
        for (size_t i = 0; i < rules->count; i++) {
                const struct egress_rule *rule = &rules->items[i];

                if ((rule->port == port || (rule->port == 0 && is_web(port))) && egress_rule_names(rule, name))
                        return true;
        }
        return false;
}

bool rules_reach_address(const struct rules *rules, struct in_addr address, uint16_t port)
{
        for (size_t i = 0; i < rules->count; i++)
                if ((rules->items[i].port == 0 || rules->items[i].port == port) && egress_rule_holds(&rules->items[i], address))
                        return true;
        return false;
}
