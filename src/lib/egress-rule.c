#include "lib/egress-rule.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/text.h"

static bool read_name(const char *text, size_t length, char *out)
{
        if (length > 0 && text[length - 1] == '.')
                length--;
        if (length == 0 || length > EGRESS_NAME_MOST)
                return false;
        for (size_t i = 0; i < length; i++) {
                char c = text[i];

                if (c >= 'A' && c <= 'Z')
                        c = (char)(c - 'A' + 'a');
                if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                      (c == '.' && i > 0 && out[i - 1] != '.')))
                        return false;
                out[i] = c;
        }
        out[length] = '\0';
        return true;
}

bool egress_name(const char *text, size_t length, char out[static EGRESS_NAME_MOST + 1])
{
        bool read = read_name(text, length, out);

        if (!read)
                *out = '\0';
        return read;
}

void egress_name_set(char out[static EGRESS_NAME_MOST + 1], const char *name)
{
        snprintf(out, EGRESS_NAME_MOST + 1, "%s", name);
}

static int refuse(const char *text, const char *why, struct error **err)
{
        _cleanup_(freep) char *shown = text_visible_dup(text);

        error_set(err, ERROR_CONFIG, "'%s' is not a rule: %s", shown, why);
        return error_hint(err, "write \"api.example.org\", \"*.example.org\", \"example.org:22\" or \"10.1.2.3/32:5432\"");
}

/* 1 = a network, 0 = not an address, -1 = it begins like an address but isn't a valid one. */
static int parse_network(const char *text, struct egress_rule *out)
{
        const char *slash = strchr(text, '/');
        _cleanup_(freep) char *address = slash ? xstrndup(text, (size_t)(slash - text)) : xstrdup(text);
        int64_t bits = 32;

        if (inet_pton(AF_INET, address, &out->address) != 1)
                return slash ? -1 : 0;
        if (slash && text_parse_int(slash + 1, 0, 32, &bits) < 0)
                return -1;
        out->mask.s_addr = bits == 0 ? 0 : htonl(~UINT32_C(0) << (32 - bits));
        return (out->address.s_addr & ~out->mask.s_addr) == 0 ? 1 : -1;
}

/* True when the last label shows that the name is meant as an address. */
static bool ends_in_number(const char *name)
{
        const char *dot = strrchr(name, '.');
        const char *last = dot ? dot + 1 : name;

        return *last >= '0' && *last <= '9';
}

static int parse_place(const char *place, const char *text, struct egress_rule *out, struct error **err)
{
        int network = parse_network(place, out);

        if (network < 0)
                return refuse(text, "this isn't the first address of a network", err);
        if (network > 0)
                return 0;
        out->below = starts_with(place, "*.");
        if (out->below)
                place += 2;
        if (strchr(place, '*'))
                return refuse(text, "'*' stands for all names below one: \"*.example.org\"", err);
        if (!egress_name(place, strlen(place), out->name))
                return refuse(text, "a name has letters, digits, hyphens, underscores and dots", err);
        if (ends_in_number(out->name))
                return refuse(text, "it is neither a name nor an IPv4 address", err);
        return 0;
}

int egress_rule_parse(const char *text, struct egress_rule *out, struct error **err)
{
        const char *colon = strrchr(text, ':');
        _cleanup_(freep) char *place = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
        int64_t port = 0;

        *out = (struct egress_rule){ 0 };
        if (strstr(text, "://") || strchr(text, ' '))
                return refuse(text, "it is a name or an address, not a URL", err);
        if (colon && text_parse_int(colon + 1, 1, UINT16_MAX, &port) < 0)
                return refuse(text, "after the colon there must be a port, 1 to 65535", err);
        out->port = (uint16_t)port;
        return parse_place(place, text, out, err);
}

bool egress_rule_names(const struct egress_rule *rule, const char *name)
{
        size_t length = strlen(name);
        size_t wanted = strlen(rule->name);

        if (wanted == 0)
                return false;
        if (!rule->below)
                return streq(rule->name, name);
        return length > wanted + 1 && name[length - wanted - 1] == '.' && streq(name + length - wanted, rule->name);
}

bool egress_rule_holds(const struct egress_rule *rule, struct in_addr address)
{
        return *rule->name == '\0' && (address.s_addr & rule->mask.s_addr) == rule->address.s_addr;
}
