/*
 * The last line of a command that changed a VM: a sentence for people (stderr), {"event": "result", …} for programs (stdout).
 */
#pragma once

#include "command/command.h"
#include "lib/json.h"

struct result {
        const char *name;  /* of the VM */
        const char *state; /* as in `list --json` */
        const char *how;   /* "created", "started", "running"; NULL = not said */
        int64_t started;   /* now_ms() at the beginning; 0 = no time is given */
};

/* `format` is the sentence. The progress tree is ended first. */
void result_print(struct context *context, const struct result *result, const char *format, ...) _printf_(3, 4);
/* One JSON value on a line of stdout. Takes `value` over. */
void result_json(json_t *value);
