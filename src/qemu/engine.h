/*
 * The engine's functions (vm/engine.h says what each does), one file each; engine.c has the table of them.
 */
#pragma once

#include "image/layer.h"
#include "vm/vm.h"

int engine_create(struct vm *vm, struct event_sink *events, struct error **err);
/* Finds what VMs of that record are made from: record->layer, or the base image, which is built when it is missing. `lock`
 * holds it, so that nobody removes it while a template is built on it. */
int create_find_base(const struct vm_record *record, struct event_sink *events, struct layer *out, struct lock *lock,
                     struct error **err);
int engine_inspect(const struct vm *vm, struct vm_status *out, struct error **err);
void engine_inspect_many(struct vm_inspection *const *items, size_t count);
int engine_resume(const struct vm *vm, struct error **err);
int engine_remove(struct vm *vm, struct error **err);
/*
 * A VM that another run started is waited for in the same way. If that fails it is left running, because there may be work in
 * it: only what was started here is ended again.
 */
int engine_start(struct vm *vm, struct event_sink *events, struct error **err);
int engine_stop(struct vm *vm, struct event_sink *events, struct error **err);
int engine_park(struct vm *vm, struct event_sink *events, struct error **err);
int engine_activity(const struct vm *vm, struct engine_activity *out, struct error **err);
int engine_kill(struct vm *vm, struct error **err);
int engine_processes(const struct vm *vm, struct engine_processes *out, struct error **err);
int engine_refused(const struct vm *vm, const char *address, uint16_t port, char **reason, struct error **err);
int engine_layers(const char *user, struct engine_layers *out, struct error **err);
int engine_remains(const struct vm *vm, struct vm_record *out, struct error **err);
int engine_fill_layer(const struct engine_filling *wanted, struct event_sink *events, char **key, struct error **err);
int engine_baked(const struct vm_record *record, struct error **err);
int engine_bake(const struct vm_record *record, bool force, struct event_sink *events, struct error **err);
int engine_snapshot(struct vm *vm, const struct engine_snapshot *wanted, struct event_sink *events, char **out,
                    struct error **err);
int engine_go_back(struct vm *vm, const char *key, struct event_sink *events, struct error **err);
int engine_drop_snapshot(const char *key, struct error **err);
int engine_remove_layer(const char *key, bool memory_only, engine_in_use_fn in_use, void *data, struct error **err);
