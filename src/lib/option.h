/*
 * Command-line options from one table, which also feeds the help, the man page check and the completions.
 * GNU style: -n VALUE, --name VALUE, --name=VALUE, bundled flags (-yq), "--" ends the options. Options and operands may be
 * mixed unless `stop_at_operand` is set, for commands that end with another command line. Then everything after the first
 * operand is an operand as it stands, except for a "--" right after the first operand, which is left out ("run NAME -- git log
 * -- f").
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_INTEGER, OPTION_TEXTS };

struct option {
        const char *name; /* without dashes; NULL ends the table */
        char letter;      /* 0 = none */
        enum option_type type;
        const char *value_name; /* "NAME", for all but OPTION_FLAG */
        const char *help;       /* one line, lower case, no full stop */
        size_t offset;          /* of a bool, const char *, int64_t or struct strv in the struct that is filled */
        int64_t low, high;      /* OPTION_INTEGER's range; both 0 = any number */
};

/* An option table's row: OPTION(struct up_options, dry_run, "dry-run", 0, OPTION_FLAG, NULL, "print what would happen") */
#define OPTION(structure, field, name_, letter_, type_, value_, help_)                                                         \
        {                                                                                                                      \
                .name = (name_), .letter = (letter_), .type = (type_), .value_name = (value_), .help = (help_),                \
                .offset = offsetof(structure, field)                                                                           \
        }

/*
 * Fills `target` and appends copies of the operands to `operands`. `argv` starts after the command's name.
 * `*dashes` (may be NULL) becomes the number of operands before "--", or -1 when there was none.
 * Mistakes are ERROR_USAGE with a suggestion. Text values are borrowed from argv. An option of OPTION_TEXTS may be given
 * several times: its values are copied, for option_clear() to free.
 */
int option_parse(const struct option *table, const char *const *argv, bool stop_at_operand, void *target, struct strv *operands,
                 ssize_t *dashes, struct error **err);
void option_clear(const struct option *table, void *target);
/* The rows as help text, aligned. */
void option_help(const struct option *table, struct strbuf *out);
