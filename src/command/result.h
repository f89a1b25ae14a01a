/*
 * Results. The last line of a command that changed a VM is a sentence for people (stderr) or {"event": "result", …} for
 * programs (stdout).
 */
#pragma once

#include "command/command.h"
#include "lib/json.h"
#include "term/table.h"

struct result {
        const char *name;  /* of the VM */
        const char *state; /* as in `list --json` */
        const char *how;   /* "created", "restored", "started", "running"; NULL = not said */
        int64_t started;   /* now_ms() at the beginning; 0 = no time is given */
};

/* Ends the progress tree and prints the last line. `format` is the sentence. */
void result_print(struct context *context, const struct result *result, const char *format, ...) _printf_(3, 4);
/* One JSON value on a line of stdout. Takes `value` over. */
void result_json(json_t *value);
/* Prints a list as one JSON value or as a table. An empty list that isn't JSON is the sentence `nothing`, on stderr. Takes
 * `array` over. */
void result_list(struct context *context, json_t *array, const struct table *table, const char *nothing, ...) _printf_(4, 5);
