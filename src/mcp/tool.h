/*
 * What the MCP server offers: each tool is a row of one table (tools.c), from which the list for clients and the check of
 * arguments are made. A tool runs in a process of its own (worker.h), by its function here.
 *
 * No tool removes a VM, grants anything, shows a secret, or changes rules or configuration, and none lends the ssh agent. Each
 * of them is about VMs that the person who started the server has named, never about this computer.
 */
#pragma once

#include "lib/json.h"
#include "operation/front.h"

enum parameter_type { PARAMETER_TEXT, PARAMETER_TEXTS, PARAMETER_INTEGER, PARAMETER_FLAG };

struct parameter {
        const char *name; /* NULL ends the list */
        enum parameter_type type;
        bool required;
        int64_t low, high, standard; /* of PARAMETER_INTEGER; of a text, `high` is how many bytes it may have */
        const char *text;            /* for a model */
};

/* One call of a tool: what it is asked, and what it found. */
struct task {
        struct front *front;
        const struct strv *vms;  /* those that may be used */
        const char *vm;          /* the one that this is about; NULL for a tool that is about all of them */
        const json_t *arguments; /* checked, with the standard values of those that were left out */
        json_t *found;           /* an object that fits `output`; owned by the task */
        struct strbuf text;      /* the same for a model to read; empty = it reads the object */
};

#define TASK_INIT                                                                                                              \
        {                                                                                                                      \
                .text = STRBUF_INIT                                                                                            \
        }
void task_clear(struct task *task);
/* An argument that was checked; NULL when an optional one was left out. Borrowed. */
const char *task_text(const struct task *task, const char *name);
int64_t task_integer(const struct task *task, const char *name);
bool task_flag(const struct task *task, const char *name);

struct tool {
        const char *name, *title;
        const char *text;                   /* for a model: what it does, and when to use it */
        const struct parameter *parameters; /* beside `vm`; NULL = none */
        const char *output;                 /* JSON Schema of task.found, without its frame: "\"name\": {\"type\": …}, …" */
        int (*run)(struct task *task, struct error **err);
        bool about_all;                                    /* it takes no `vm` */
        bool reads_only, destroys, idempotent, open_world; /* the annotations of the specification */
};

extern const struct tool tools[];
extern const size_t tool_count;
const struct tool *tool_find(const char *name);
/* The names of all tools, with ", " between them. Owned by the caller. */
char *tool_names(void);
/* The tool as `tools/list` shows it, for these VMs. */
json_t *tool_json(const struct tool *tool, const struct strv *vms);
/*
 * Checks the arguments of a call, adds the standard values, and the VM when there is only one to choose from. Mistakes are
 * ERROR_USAGE, for the model to read.
 */
int tool_check(const struct tool *tool, const struct strv *vms, json_t *arguments, struct error **err);

int tool_list(struct task *task, struct error **err);
int tool_status(struct task *task, struct error **err);
int tool_up(struct task *task, struct error **err);
int tool_logs(struct task *task, struct error **err);
int tool_egress(struct task *task, struct error **err);
int tool_run(struct task *task, struct error **err);
int tool_diff(struct task *task, struct error **err);
int tool_read_file(struct task *task, struct error **err);
int tool_write_file(struct task *task, struct error **err);
