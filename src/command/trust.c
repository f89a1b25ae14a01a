#include <unistd.h>

#include "command/command.h"
#include "command/result.h"
#include "command/trust-prompt.h"
#include "config/checkout.h"
#include "config/project.h"
#include "config/trust.h"
#include "lib/file.h"
#include "lib/text.h"

struct trust_options {
        struct common_options common;
        bool yes, revoke;
};

static const struct option options[] = {
        OPTION(struct trust_options, yes, "yes", 'y', OPTION_FLAG, NULL, "don't show the file and don't ask"),
        OPTION(struct trust_options, revoke, "revoke", 0, OPTION_FLAG, NULL, "withdraw the trust"),
        COMMON_OPTIONS(struct trust_options),
        { 0 },
};

static char *find_checkout(const char *given, struct error **err)
{
        _cleanup_(freep) char *folder = given ? realpath(given, NULL) : getcwd(NULL, 0);
        char *checkout;

        if (!folder) {
                error_errno(err, ERROR_FAILED, "cannot find '%s'", given ? given : ".");
                return NULL;
        }
        checkout = checkout_find(folder);
        if (!checkout) {
                _cleanup_(freep) char *file = path_join(folder, CHECKOUT_FILE);
                _cleanup_(freep) char *command = text_shell_join((const char *const[]){ "touch", file, NULL });

                error_set(err, ERROR_NOT_FOUND, "no " CHECKOUT_FILE " in '%s' or above", folder);
                error_hint(err, "an empty file will do: %s", command);
        }
        return checkout;
}

static int give(struct context *context, const char *checkout, bool yes, struct error **err)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;

        return checkout_tree_read(checkout, &tree, err) < 0 ? -1 : trust_prompt_give(context, &tree, yes, err);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct trust_options *given = invocation->options;
        _cleanup_(freep) char *checkout = find_checkout(invocation_name(invocation), err);
        _cleanup_(freep) char *file = NULL;

        if (!checkout)
                return -1;
        if (!given->revoke)
                return give(context, checkout, given->yes, err);
        file = path_join(checkout, CHECKOUT_FILE);
        if (trust_withdraw(file, err) < 0)
                return -1;
        event_note(context->front.events, "'%s' is not trusted any more", file);
        return 0;
}

const struct command command_trust = {
        .name = "trust",
        .operands = "[FOLDER]",
        .summary = "trust a checkout's .machine.toml",
        .text = "Shows the file, with the provision.toml and profiles/ beside it, and asks. The files are trusted as they are now:\n"
                "after a change the question comes again.",
        .options = options,
        .options_size = sizeof(struct trust_options),
        .operands_most = 1,
        .run = run,
};
