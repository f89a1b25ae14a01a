/*
 * machine-keys: all that a guest sees of this computer's ssh agent, for as long as one program (ssh) runs.
 *
 *         machine-keys --agent=SOCKET --socket=SOCKET --log=FILE [--key=SHA256:…]… [--comment=TEXT]… [--host=SHA256:…=NAME]…
 *                 [--confirm=NAME] -- PROGRAM [ARGUMENT]…
 *         machine-keys --walls
 *
 * It listens on --socket, which only we can reach, gives that to PROGRAM as SSH_AUTH_SOCK, passes on what the guest may ask of
 * the agent at --agent, and ends when PROGRAM ends, with its exit status. Without --key and --comment all keys may be used.
 * With --host log-ins are only to hosts with these keys, and the agent is not lent further. With --confirm the person at this
 * computer is asked before each log-in and signature, for the VM of that name (confirm.h). Each request except a list is in
 * the record at --log (record.h).
 *
 * It is two processes: this one (outer.h), and one that it starts from the same program with --inner, which reads what the
 * guest sends (inner.h) and is confined. With --walls it confines itself in the same way and prints as JSON which of the
 * limits this computer has.
 */
#include <sodium.h>
#include <stdio.h>

#include "keys/harden.h"
#include "keys/inner.h"
#include "keys/outer.h"

static bool take_value(const char *argument, const char *name, const char **out)
{
        if (!starts_with(argument, name))
                return false;
        *out = argument + strlen(name);
        return true;
}

/* Takes the options that the inner process needs as well. */
static bool take_rule(struct settings *settings, const char *argument)
{
        const char *value;

        if (take_value(argument, "--key=", &value))
                strv_add(&settings->selection.fingerprints, value);
        else if (take_value(argument, "--comment=", &value))
                strv_add(&settings->selection.comments, value);
        else if (take_value(argument, "--host=", &value))
                return key_hosts_add(&settings->hosts, value);
        else
                return take_value(argument, "--confirm=", &settings->confirm);
        return true;
}

static bool take_option(struct settings *settings, const char *argument)
{
        if (take_value(argument, "--agent=", &settings->agent) || take_value(argument, "--socket=", &settings->socket) ||
            take_value(argument, "--log=", &settings->log))
                return true;
        if (!take_rule(settings, argument))
                return false;
        strv_add(&settings->inner, argument);
        return true;
}

static void settings_clear(struct settings *settings)
{
        selection_clear(&settings->selection);
        key_hosts_clear(&settings->hosts);
        strv_clear(&settings->inner);
}

static int print_walls(void)
{
        _cleanup_(error_freep) struct error *error = NULL;
        struct keys_walls walls;

        if (keys_harden(&walls, &error) < 0) {
                fprintf(stderr, "machine: %s\n", error->message);
                return 1;
        }
        printf("{\"system_calls\":%s,\"landlock\":%d,\"scopes\":%s}\n", walls.system_calls ? "true" : "false", walls.landlock,
               walls.scopes ? "true" : "false");
        return 0;
}

static int run_outer(const struct settings *settings, const char *const *program)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *text = NULL;
        int status = outer_run(settings, program, &error);

        if (status >= 0)
                return status;
        text = error_text(error);
        fprintf(stderr, "machine: %s\n", text);
        return 1;
}

int main(int argc, char **argv)
{
        _cleanup_(settings_clear) struct settings settings = { .selection = SELECTION_INIT,
                                                               .hosts = KEY_HOSTS_INIT,
                                                               .inner = STRV_INIT };
        bool inner = argc > 1 && streq(argv[1], "--inner");
        int i = inner ? 2 : 1;

        if (argc == 2 && streq(argv[1], "--walls"))
                return print_walls();
        while (i < argc && take_option(&settings, argv[i]))
                i++;
        settings.selection.all = settings.selection.fingerprints.count == 0 && settings.selection.comments.count == 0;
        if (inner && i == argc && sodium_init() >= 0)
                return inner_run(&settings);
        if (inner || i + 1 >= argc || !streq(argv[i], "--") || !settings.agent || !settings.socket || !settings.log) {
                fputs("machine-keys is run by machine: machine-keys --agent=SOCKET --socket=SOCKET --log=FILE -- PROGRAM\n",
                      stderr);
                return 2;
        }
        return run_outer(&settings, (const char *const *)argv + i + 1);
}
