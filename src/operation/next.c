#include "operation/next.h"

#include <unistd.h>

#include "config/checkout.h"
#include "config/trust.h"
#include "lib/file.h"
#include "lib/text.h"
#include "operation/inventory.h"
#include "operation/starter.h"
#include "operation/target.h"
#include "vm/vm.h"

void next_clear(struct next *next)
{
        free(next->where);
        strv_clear(&next->commands);
        strv_clear(&next->reasons);
        *next = (struct next)NEXT_INIT;
}

/* `name` is " NAME", or "" where the command finds the VM by the current folder. */
static void add(struct next *next, const char *command, const char *name, const char *reason)
{
        strv_take(&next->commands, xasprintf("machine %s%s", command, name));
        strv_add(&next->reasons, reason);
}

/* --- a VM */

static void add_running(struct next *out, const char *name)
{
        add(out, "ssh", name, "open a shell in it");
        add(out, "claude", name, "open Claude Code in it");
        add(out, "down", name, "stop it");
}

static void say_state(struct next *out, const struct vm *vm, const struct vm_status *status, const char *name)
{
        _cleanup_(freep) char *text = vm_status_text(status);
        bool half = vm->record.intent != INTENT_NONE;

        if (vm_is_being_made(vm)) {
                out->where = xasprintf("VM '%s' is being made by another 'machine' command.", vm->name);
                add(out, "status", name, "show its state");
                return;
        }
        out->where = xasprintf("VM '%s' is %s%s.", vm->name, text,
                               vm->record.intent == INTENT_DESTROY ? ", and only half removed"
                               : half                              ? ", and only half set up"
                                                                   : "");
        if (vm->record.intent == INTENT_DESTROY)
                add(out, "destroy", name, "finish removing it");
        else if (half)
                add(out, "up", name, "finish setting it up");
        else if (status->state == VM_RUNNING || status->state == VM_PARKED)
                add_running(out, name);
        else if (status->state == VM_STOPPED || status->state == VM_ABSENT)
                add(out, "up", name, "start it, and bring it up to date");
        add(out, "status", name, "show its state, and how it differs from its configuration");
}

static void say_error(struct next *out, const struct error *error)
{
        _cleanup_(freep) char *text = error_placed_text(error);

        out->where = xasprintf("%s.", text);
        add(out, "doctor", "", "show what is wrong, and how to mend it");
}

/* --- in a checkout with a .machine.toml */

static void say_untrusted(struct next *out, const char *checkout, enum trust trust)
{
        out->where = xasprintf("'%s/" CHECKOUT_FILE "' %s.", checkout,
                               trust == TRUST_CHANGED ? "has changed since you trusted it" : "is not trusted yet");
        add(out, "up", "", "show it, ask whether you trust it, and make the VM");
        add(out, "trust", "", "show it and ask, and make nothing");
}

/* The VM of the checkout, or the one that the checkout would have. */
static int say_checkout(struct front *front, const char *checkout, struct next *out, struct error **err)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;
        struct front silent = { .events = front->events };
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        enum trust trust;

        if (checkout_tree_read(checkout, &tree, err) < 0 || checkout_tree_trust(&tree, &trust, err) < 0)
                return -1;
        if (trust != TRUST_GIVEN) {
                say_untrusted(out, checkout, trust);
                return 0;
        }
        if (target_existing(&silent, NULL, &target, err) < 0 || vm_open(&vm, target.name, err) < 0 ||
            vm_inspect(&vm, &status, err) < 0)
                return -1;
        target_warn(front, &target, "the VM is as it was made");
        if (vm.exists) {
                say_state(out, &vm, &status, "");
                return 0;
        }
        out->where = xasprintf("This checkout is project '%s', which has no VM yet.", target.name);
        add(out, "up", "", "make its VM, start it and fill it");
        add(out, "plan", "", "show what that would do");
        return 0;
}

/* --- anywhere else */

static void count_running(const struct inventory *inventory, struct strv *running)
{
        for (size_t i = 0; i < inventory->count; i++)
                if (inventory->items[i].vm.exists && inventory->items[i].status.state == VM_RUNNING)
                        strv_add(running, inventory->items[i].name);
}

static void say_inventory(const struct inventory *inventory, struct next *out)
{
        _cleanup_(strv_clear) struct strv running = STRV_INIT;
        _cleanup_(freep) char *names = NULL;
        _cleanup_(freep) char *first = NULL;

        count_running(inventory, &running);
        names = strv_join(&running, ", ");
        if (inventory->count == 0)
                out->where = xstrdup("There are no projects and no VMs yet.");
        else if (running.count == 0)
                out->where = xasprintf("No VM is running; there %s %zu project%s.", inventory->count == 1 ? "is" : "are",
                                       inventory->count, inventory->count == 1 ? "" : "s");
        else
                out->where = xasprintf("Running: %s.", names);
        if (inventory->count == 0) {
                add(out, "init", " --projects", "write a commented projects.toml, to list your projects in");
                add(out, "doctor", "", "check that this computer can run VMs");
                return;
        }
        first = xasprintf(" %s", running.count > 0 ? running.items[0] : inventory->items[0].name);
        if (running.count > 0)
                add_running(out, first);
        else
                add(out, "up", first, "make its VM, start it and fill it");
        add(out, "list", "", "show all projects and VMs");
}

/* What `machine init` would make a project of, this says too. */
static int say_elsewhere(struct front *front, const char *folder, struct next *out, struct error **err)
{
        _cleanup_(inventory_clear) struct inventory inventory = INVENTORY_INIT;
        _cleanup_(starter_clear) struct starter starter = STARTER_INIT;
        _cleanup_(freep) char *rest = NULL;
        int found;

        if (inventory_take(front, &inventory, err) < 0)
                return -1;
        found = starter_find(folder, &inventory.projects, &starter, err);
        if (found < 0)
                return -1;
        if (found > 0)
                add(out, "init", "", "make this a project: write its " CHECKOUT_FILE);
        say_inventory(&inventory, out);
        if (found > 0) {
                rest = TAKE_PTR(out->where);
                out->where =
                        xasprintf("This %s has no " CHECKOUT_FILE ". %s", starter.is_repository ? "checkout" : "folder", rest);
        }
        return 0;
}

int next_find(struct front *front, struct next *out, struct error **err)
{
        _cleanup_(error_freep) struct error *trouble = NULL;
        _cleanup_(freep) char *folder = getcwd(NULL, 0);
        _cleanup_(freep) char *checkout = folder ? checkout_find(folder) : NULL;

        if (!folder)
                return error_errno(err, ERROR_FAILED, "cannot tell the current folder");
        if (!checkout)
                return say_elsewhere(front, folder, out, err);
        out->here = true;
        if (say_checkout(front, checkout, out, &trouble) < 0)
                say_error(out, trouble);
        return 0;
}
