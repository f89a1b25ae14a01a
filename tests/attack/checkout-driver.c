/*
 * Does with a checkout what `machine up` and `machine destroy` do, by the same functions and over ssh. The test stands in for
 * the guest: checkout-driver COMMAND VM-FOLDER CHECKOUT
 *
 *         push      brings the checkout in, as `up` does
 *         work      says what work the guest holds, as `destroy` does first
 *         withdraw  takes the remote "machine" out of the checkout, as `destroy` does at the end
 *
 * Notes go to standard error. The exit status is the error's.
 */
#include <sodium.h>

#include "guest/repos.h"

static void print_event(struct event_sink *sink, const struct event *event)
{
        (void)sink;
        if (event->text)
                fprintf(stderr, "%s\n", event->text);
}

static int push(struct vm *vm, char *checkout, struct error **err)
{
        _cleanup_(repos_brought_clear) struct repos_brought brought = REPOS_BROUGHT_INIT;
        struct event_sink events = { .handle = print_event };
        struct project_repo repo = { .url = (char[]){ "." }, .name = vm->name };
        const struct project project = { .name = vm->name,
                                         .checkout = checkout,
                                         .repos = &repo,
                                         .repo_count = 1,
                                         .lan = true,
                                         .egress = (char[]){ "open" } };

        return repos_fill(vm, &project, &brought, &events, err);
}

static int run(struct vm *vm, const char *command, char *checkout, struct error **err)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(freep) char *text = NULL;

        if (streq(command, "push"))
                return push(vm, checkout, err);
        if (streq(command, "withdraw"))
                return repos_withdraw(vm, checkout, err);
        if (repos_find_work(vm, checkout, &work, err) < 0)
                return -1;
        text = work_text(&work);
        printf("%s\n", text ? text : "none");
        return 0;
}

int main(int argc, char **argv)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *text = NULL;
        struct vm vm = VM_INIT;

        if (argc != 4 || sodium_init() < 0)
                return 2;
        vm.name = (char[]){ "notes" };
        vm.folder = argv[2];
        vm.exists = true;
        /* Its own shell runs the scripts if it is this one, else sh does: both are in each line that it gets. */
        vm.record.shell = (char[]){ "bash" };
        if (run(&vm, argv[1], argv[3], &error) == 0)
                return 0;
        text = error_text(error);
        fprintf(stderr, "%s\n", text);
        return error_exit_status(error);
}
