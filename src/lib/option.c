#include "lib/option.h"

#include <inttypes.h>

#include "lib/text.h"

/* One command line being read. */
struct parser {
        const struct option *table;
        const char *const *next; /* the word after the one being read */
        void *target;
};

static const struct option *find_name(const struct option *table, const char *name, size_t length)
{
        for (; table->name; table++)
                if (strlen(table->name) == length && memcmp(table->name, name, length) == 0)
                        return table;
        return NULL;
}

static const struct option *find_letter(const struct option *table, char letter)
{
        for (; table->name; table++)
                if (table->letter == letter)
                        return table;
        return NULL;
}

static int unknown_name(const struct option *table, const char *name, size_t length, struct error **err)
{
        _cleanup_(freep) char *word = xstrndup(name, length);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        const char *nearest;

        for (; table->name; table++)
                strv_add(&names, table->name);
        nearest = text_suggest(word, strv_argv(&names));
        /* Too different for a typo, but maybe the beginning of an option. */
        for (size_t i = 0; !nearest && length > 0 && i < names.count; i++)
                if (starts_with(names.items[i], word))
                        nearest = names.items[i];
        error_set(err, ERROR_USAGE, "unknown option '--%s'", word);
        return nearest ? error_hint(err, "did you mean '--%s'?", nearest) : -1;
}

static int store(const struct option *option, const char *value, void *target, struct error **err)
{
        char *field = (char *)target + option->offset;
        bool limited = option->low != 0 || option->high != 0;
        int64_t low = limited ? option->low : INT64_MIN;
        int64_t high = limited ? option->high : INT64_MAX;
        int64_t number;

        switch (option->type) {
        case OPTION_FLAG:
                *(bool *)(void *)field = true;
                return 0;
        case OPTION_TEXT:
                *(const char **)(void *)field = value;
                return 0;
        case OPTION_TEXTS:
                strv_add((struct strv *)(void *)field, value);
                return 0;
        case OPTION_INTEGER:
                if (text_parse_int(value, low, high, &number) == 0) {
                        *(int64_t *)(void *)field = number;
                        return 0;
                }
                if (!limited)
                        return error_set(err, ERROR_USAGE, "option '--%s' wants a whole number, not '%s'", option->name, value);
                return error_set(err, ERROR_USAGE,
                                 "option '--%s' wants a whole number from %" PRId64 " to %" PRId64 ", not '%s'", option->name,
                                 low, high, value);
        }
        return -1;
}

/* Stores the option's value: `attached`, or the next word if that is NULL. */
static int take_value(struct parser *parser, const struct option *option, const char *attached, struct error **err)
{
        if (attached)
                return store(option, attached, parser->target, err);
        if (!*parser->next)
                return error_set(err, ERROR_USAGE, "option '--%s' needs a value: %s", option->name, option->value_name);
        return store(option, *parser->next++, parser->target, err);
}

static int parse_long(struct parser *parser, const char *word, struct error **err)
{
        const char *equals = strchr(word, '=');
        size_t length = equals ? (size_t)(equals - word) : strlen(word);
        const struct option *option = find_name(parser->table, word, length);

        if (!option)
                return unknown_name(parser->table, word, length, err);
        if (option->type != OPTION_FLAG)
                return take_value(parser, option, equals ? equals + 1 : NULL, err);
        if (equals)
                return error_set(err, ERROR_USAGE, "option '--%s' takes no value", option->name);
        return store(option, NULL, parser->target, err);
}

static int parse_letters(struct parser *parser, const char *letters, struct error **err)
{
        for (; *letters; letters++) {
                const struct option *option = find_letter(parser->table, *letters);

                if (!option) {
                        error_set(err, ERROR_USAGE, "unknown option '-%c'", *letters);
                        option = find_name(parser->table, letters, strlen(letters));
                        return option ? error_hint(err, "did you mean '--%s'?", option->name) : -1;
                }
                if (option->type != OPTION_FLAG)
                        return take_value(parser, option, letters[1] != '\0' ? letters + 1 : NULL, err);
                if (store(option, NULL, parser->target, err) < 0)
                        return -1;
        }
        return 0;
}

int option_parse(const struct option *table, const char *const *argv, bool stop_at_operand, void *target, struct strv *operands,
                 ssize_t *dashes, struct error **err)
{
        struct parser parser = { .table = table, .next = argv, .target = target };
        size_t before = operands->count;
        ssize_t at_dashes = -1;
        bool reading = true;

        while (*parser.next) {
                const char *word = *parser.next++;

                if (reading && streq(word, "--")) {
                        at_dashes = (ssize_t)(operands->count - before);
                        reading = false;
                } else if (reading && starts_with(word, "--")) {
                        if (parse_long(&parser, word + 2, err) < 0)
                                return -1;
                } else if (reading && word[0] == '-' && word[1] != '\0') {
                        if (parse_letters(&parser, word + 1, err) < 0)
                                return -1;
                } else {
                        strv_add(operands, word);
                        if (!reading || !stop_at_operand)
                                continue;
                        /* The rest is another command line, except for a "--" that sets it off. */
                        reading = false;
                        if (*parser.next && streq(*parser.next, "--")) {
                                at_dashes = (ssize_t)(operands->count - before);
                                parser.next++;
                        }
                }
        }
        if (dashes)
                *dashes = at_dashes;
        return 0;
}

void option_clear(const struct option *table, void *target)
{
        for (; table->name; table++)
                if (table->type == OPTION_TEXTS)
                        strv_clear((struct strv *)(void *)((char *)target + table->offset));
}

/* "-n, --name NAME". Owned by the caller. */
static char *left_column(const struct option *option)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (option->letter)
                strbuf_addf(&text, "-%c, ", option->letter);
        else
                strbuf_adds(&text, "    ");
        strbuf_addf(&text, "--%s", option->name);
        if (option->type != OPTION_FLAG)
                strbuf_addf(&text, " %s", option->value_name);
        return strbuf_take(&text);
}

void option_help(const struct option *table, struct strbuf *out)
{
        _cleanup_(strv_clear) struct strv left = STRV_INIT;
        size_t width = 0;

        for (const struct option *option = table; option->name; option++) {
                strv_take(&left, left_column(option));
                if (strlen(left.items[left.count - 1]) > width)
                        width = strlen(left.items[left.count - 1]);
        }
        for (size_t i = 0; i < left.count; i++)
                strbuf_addf(out, "  %-*s  %s\n", (int)width, left.items[i], table[i].help);
}
