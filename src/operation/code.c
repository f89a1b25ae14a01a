#include "operation/code.h"

#include "config/project.h"
#include "guest/repos.h"
#include "guest/setup.h"

/* In a VM that is being made all repos count: a run that was killed after the clone has recorded nothing. */
static void note_pending(struct vm *vm, const struct project *project, const struct repos_brought *brought)
{
        bool all = vm->record.intent == INTENT_SETUP && vm->record.setup.count == 0;

        for (size_t i = 0; i < project->repo_count; i++) {
                const char *name = project->repos[i].name;
                bool by_lock_files = !project->setup_given && !strv_contains(&brought->plain, name);
                bool wanted = by_lock_files || (project->setup_given && i == 0 && project->setup.count > 0);

                if (wanted && (all || strv_contains(&brought->names, name)) && !strv_contains(&vm->record.setup, name))
                        strv_add(&vm->record.setup, name);
        }
}

static int set_up(struct front *front, struct vm *vm, const struct project *project, size_t *failed, struct error **err)
{
        while (vm->record.setup.count > 0) {
                _cleanup_(error_freep) struct error *reason = NULL;
                _cleanup_(freep) char *text = NULL;

                if (setup_run(vm, vm->record.setup.items[0], &project->setup, front->events, &reason) < 0) {
                        text = error_text(reason);
                        event_warning(front->events, "%s%s%s", text, reason->hint ? "; " : "",
                                      reason->hint ? reason->hint : "");
                        (*failed)++;
                }
                strv_remove(&vm->record.setup, 0);
                if (vm_save(vm, err) < 0)
                        return -1;
        }
        return 0;
}

int code_bring(struct front *front, struct vm *vm, const struct target *target, size_t *failed, struct error **err)
{
        _cleanup_(repos_brought_clear) struct repos_brought brought = REPOS_BROUGHT_INIT;

        if (repos_fill(vm, &target->project, &brought, front->events, err) < 0)
                return -1;
        note_pending(vm, &target->project, &brought);
        if (vm->record.setup.count == 0)
                return 0;
        return vm_save(vm, err) < 0 ? -1 : set_up(front, vm, &target->project, failed, err);
}
