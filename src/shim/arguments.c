#include "shim/arguments.h"

#include "lib/text.h"

#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

/* Lima's one network; after "hostfwd=" come the address and the port. */
static const char lima_network[] = "user,id=net0,net=192.168.5.0/24,dhcpstart=192.168.5.15,hostfwd=tcp:127.0.0.1:";
static const char lima_network_end[] = "-:22";

/* Returns an option's name, which QEMU takes after one hyphen or two; "" when it is not an option. */
static const char *option_name(const char *argument)
{
        if (*argument != '-')
                return "";
        argument++;
        return *argument == '-' ? argument + 1 : argument;
}

bool arguments_are_question(const char *const *arguments)
{
        for (const char *const *argument = arguments; *argument; argument++)
                if (streq(*argument, "help") || streq(option_name(*argument), "version"))
                        return true;
        return false;
}

static int parse_network(const char *network, uint16_t *ssh_port, struct error **err)
{
        const char *port = network + strlen(lima_network);
        int64_t number = 0;

        if (starts_with(network, lima_network) && ends_with(port, lima_network_end)) {
                _cleanup_(freep) char *digits = xstrndup(port, strlen(port) - strlen(lima_network_end));

                if (text_parse_int(digits, 1, UINT16_MAX, &number) == 0) {
                        *ssh_port = (uint16_t)number;
                        return 0;
                }
        }
        return error_set(err, ERROR_ENGINE, "this Lima gives QEMU a network that isn't known: '%s'", network);
}

/* Would this option bring the guest another network? */
static bool is_foreign(const char *option)
{
        return streq(option, "nic") || streq(option, "net") || streq(option, "readconfig");
}

/* Finds the path in "socket,id=…,logfile=PATH". NULL when there is none. `length`: up to the next option. */
static const char *find_log(const char *chardev, size_t *length)
{
        static const char option[] = ",logfile=";
        const char *found = strstr(chardev, option);

        if (!found)
                return NULL;
        found += strlen(option);
        *length = strcspn(found, ",");
        return found;
}

void arguments_logs(const char *const *arguments, struct strv *out)
{
        for (; *arguments; arguments++) {
                const char *path;
                size_t length;

                if (!streq(option_name(*arguments), "chardev") || !arguments[1])
                        continue;
                path = find_log(*++arguments, &length);
                if (path)
                        strv_take(out, xstrndup(path, length));
        }
}

/* Appends the value of -chardev. Returns how many logs it has: 1 or 0. */
static size_t add_chardev(const char *chardev, const int *log, struct strv *out)
{
        size_t length;
        const char *path = find_log(chardev, &length);

        if (path)
                strv_addf(out, "%.*s/dev/fd/%d%s", (int)(path - chardev), chardev, *log, path + length);
        else
                strv_add(out, chardev);
        return path != NULL;
}

/* Appends the value of -netdev. */
static int add_network(const char *network, bool again, int frames, struct strv *out, uint16_t *ssh_port, struct error **err)
{
        if (again || !network)
                return error_set(err, ERROR_ENGINE, "this Lima gives QEMU more than one network");
        if (parse_network(network, ssh_port, err) < 0)
                return -1;
        strv_addf(out, "stream,id=net0,server=off,addr.type=fd,addr.str=%d", frames);
        return 0;
}

int arguments_rewrite(const char *const *arguments, const struct arguments_wires *wires, struct strv *out, uint16_t *ssh_port,
                      struct error **err)
{
        bool network = false, sandbox = false;
        size_t logs = 0;

        for (const char *const *argument = arguments; *argument; argument++) {
                const char *option = option_name(*argument);

                if (is_foreign(option))
                        return error_set(err, ERROR_ENGINE, "QEMU's option '%s' would give the guest another network",
                                         *argument);
                sandbox = sandbox || streq(option, "sandbox");
                strv_add(out, *argument);
                if (streq(option, "chardev") && argument[1])
                        logs += add_chardev(*++argument, wires->logs + logs, out);
                if (!streq(option, "netdev"))
                        continue;
                if (add_network(*++argument, network, wires->frames, out, ssh_port, err) < 0)
                        return -1;
                network = true;
        }
        if (!network)
                return error_set(err, ERROR_ENGINE, "this Lima gives QEMU no network that could be replaced");
        if (!sandbox)
                strv_adds(out, "-sandbox", SANDBOX, NULL);
        return 0;
}
