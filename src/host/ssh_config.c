#include "host/ssh_config.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/paths.h"
#include "host/ssh_include.h"
#include "lib/file.h"
#include "lib/lock.h"
#include "lib/text.h"

#define CONFIG_LIMIT    (16 << 20)
#define LOCK_TIMEOUT_MS 30000
#define LINKS_MOST      40
/* ssh makes the socket under this name plus 17 bytes, and macOS allows 103. */
#define CONTROL_PATH_MOST 86
#define INCLUDE_LINE      "Include config.d/machine"
#define FIRST_LINE        "# Written by machine(1), and rewritten with every VM that comes or goes. Changes made here are lost.\n"

/* --- one Host block */

void ssh_config_path(struct strbuf *out, const char *path)
{
        strbuf_addc(out, '"');
        for (const char *c = path; *c; c++) {
                if (*c == '%')
                        strbuf_addc(out, '%');
                else if (*c == '"' || *c == '\\')
                        strbuf_addc(out, '\\');
                strbuf_addc(out, *c);
        }
        strbuf_addc(out, '"');
}

static void add_path(struct strbuf *out, const char *folder, const char *file)
{
        _cleanup_(freep) char *path = path_join(folder, file);

        ssh_config_path(out, path);
}

/* ProxyCommand is the only keyword with a value that runs to the end of the line and goes to the user's shell. */
static void add_proxy_command(struct strbuf *out, const struct ssh_host *host)
{
        _cleanup_(freep) char *line = text_shell_join(
                (const char *const[]){ host->program, "proxy", host->socket ? "--socket" : host->name, host->socket, NULL });

        strbuf_adds(out, "  ProxyCommand ");
        for (const char *c = line; *c; c++) {
                if (*c == '%')
                        strbuf_addc(out, '%');
                strbuf_addc(out, *c);
        }
        strbuf_adds(out, "\n  ProxyUseFdpass yes\n");
}

/*
 * When QEMU or the network ends, so does a connection through our socket, at once. A question each half minute would only keep
 * an idle guest from being parked, and wake one that is. Behind a TCP port of another program ssh has to ask: for two hours,
 * since a guest that is paused goes on later.
 */
static void add_keep_alive(struct strbuf *out, const struct ssh_host *host)
{
        strbuf_adds(out,
                    host->port > 0 ? "  ServerAliveInterval 30\n  ServerAliveCountMax 240\n" : "  ServerAliveInterval 0\n");
}

/*
 * ssh takes the first value that it meets, and the user's own "Host *" comes after us. So what must hold is written here even
 * where it is ssh's default.
 */
void ssh_config_block(const struct ssh_host *host, struct strbuf *out)
{
        static const char *const fixed[] = {
                "IdentitiesOnly yes",
                "PreferredAuthentications publickey",
                "GlobalKnownHostsFile /dev/null",
                "HostKeyAlgorithms ssh-ed25519",
                "StrictHostKeyChecking yes",
                "CheckHostIP no",
                "UpdateHostKeys no",
                "VerifyHostKeyDNS no",
                "AddKeysToAgent no",
                "ForwardX11 no",
        };
        _cleanup_(freep) char *alias = xasprintf("machine-%s", host->name);

        strbuf_addf(out, "Host %s\n", alias);
        /* Clients that don't know HostKeyAlias look for the key under HostName. A proxy needs no other. */
        strbuf_addf(out, "  HostName %s\n", host->port > 0 ? "127.0.0.1" : alias);
        strbuf_addf(out, "  HostKeyAlias %s\n", alias);
        strbuf_addf(out, "  User %s\n", host->user);
        strbuf_adds(out, "  IdentityFile ");
        add_path(out, host->folder, "id_ed25519");
        strbuf_adds(out, "\n  UserKnownHostsFile ");
        add_path(out, host->folder, "known_hosts");
        strbuf_addc(out, '\n');
        if (host->port > 0)
                strbuf_addf(out, "  Port %u\n", host->port);
        else
                add_proxy_command(out, host);
        strbuf_addf(out, "  ForwardAgent %s\n", host->forward_agent ? "yes" : "no");
        /* "ssh -A" counts more than ForwardAgent, and an editor may say it. Without an agent, ssh has none to forward. */
        if (!host->forward_agent)
                strbuf_adds(out, "  IdentityAgent none\n");
        for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
                strbuf_addf(out, "  %s\n", fixed[i]);
        add_keep_alive(out, host);
}

/* Quoting doesn't help against a line end, or against "${", which ssh replaces from the environment. */
static int check_expressible(const char *what, const char *text, struct error **err)
{
        _cleanup_(freep) char *shown = NULL;

        if (!strpbrk(text, "\n\r") && !strstr(text, "${"))
                return 0;
        shown = text_visible_dup(text);
        error_set(err, ERROR_FAILED, "%s '%s' can't be written into an ssh configuration", what, shown);
        return error_hint(err, "use a path without '${' and line ends");
}

static int check_host(const struct ssh_host *host, struct error **err)
{
        if (check_expressible("the VM's folder", host->folder, err) < 0 ||
            check_expressible("the program", host->program, err) < 0)
                return -1;
        if (!*host->user || strpbrk(host->user, " \t\r\n\"'#\\%"))
                return error_set(err, ERROR_FAILED, "the user name of VM '%s' can't be written into an ssh configuration",
                                 host->name);
        return 0;
}

/* If the path is too long, each session has a connection of its own: slower, but otherwise the same. */
static void add_control(struct strbuf *out, const char *path)
{
        _cleanup_(freep) char *folder = path_folder(path);
        _cleanup_(freep) char *name = path_base(path);

        if (strlen(path) > CONTROL_PATH_MOST) {
                strbuf_adds(out, "  ControlPath none\n");
                return;
        }
        strbuf_adds(out, "  ControlMaster auto\n"
                         "  ControlPersist 10m\n"
                         "  ControlPath ");
        add_path(out, folder, name);
        strbuf_addc(out, '\n');
}

int ssh_config_write_own(const struct ssh_host *host, const char *control_path, struct error **err)
{
        _cleanup_(freep) char *path = path_join(host->folder, "ssh_config");
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf before = STRBUF_INIT;

        if (check_host(host, err) < 0 || check_expressible("the control socket", control_path, err) < 0)
                return error_wrap(err, "cannot write '%s'", path);
        ssh_config_block(host, &text);
        strbuf_adds(&text, "  BatchMode yes\n"
                           "  LogLevel ERROR\n");
        add_control(&text, control_path);
        /*
         * The connection never leaves this computer, and the key exchange that resists quantum computers costs an emulated
         * guest a quarter second.
         */
        strbuf_adds(&text, "  KexAlgorithms ^curve25519-sha256\n");
        if (file_read(path, CONFIG_LIMIT, &before, NULL) == 0 && streq(before.buf, text.buf))
                return 0;
        return file_write(path, text.buf, text.len, 0600, err);
}

/* --- ~/.ssh/config.d/machine */

/* The name in "Host machine-NAME" if `line` is that, else NULL. Owned by the caller. */
static char *block_name(const char *line, size_t length)
{
        static const char start[] = "Host machine-";

        if (length < strlen(start) || strncmp(line, start, strlen(start)) != 0)
                return NULL;
        return xstrndup(line + strlen(start), length - strlen(start));
}

/* Splits our file into blocks; what comes before the first is the comment. */
static void split_blocks(const char *text, struct strv *names, struct strv *blocks)
{
        _cleanup_(strbuf_clear) struct strbuf block = STRBUF_INIT;

        while (*text) {
                size_t length = strcspn(text, "\n");
                size_t whole = length + (text[length] == '\n');
                char *name = block_name(text, length);

                if (name) {
                        if (names->count > 0)
                                strv_take(blocks, strbuf_take(&block));
                        strv_take(names, name);
                }
                if (names->count > 0)
                        strbuf_add(&block, text, whole);
                text += whole;
        }
        if (names->count > 0)
                strv_take(blocks, strbuf_take(&block));
}

/*
 * `before` with the block of `name` replaced by `block` (NULL: removed), the others unchanged and in the order of their names.
 */
static char *replace_block(const char *before, const char *name, const char *block)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(strv_clear) struct strv blocks = STRV_INIT;
        bool placed = !block;

        split_blocks(before, &names, &blocks);
        strbuf_adds(&out, FIRST_LINE);
        for (size_t i = 0; i < names.count; i++) {
                int order = strcmp(names.items[i], name);

                if (!placed && order >= 0) {
                        strbuf_adds(&out, block);
                        placed = true;
                }
                if (order != 0)
                        strbuf_adds(&out, blocks.items[i]);
        }
        if (!placed)
                strbuf_adds(&out, block);
        return strbuf_take(&out);
}

/* Reads our file; a missing one is empty. A file that somebody else wrote under this name must not be replaced. */
static int read_ours(const char *path, struct strbuf *out, struct error **err)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *aside = NULL;

        if (file_read(path, CONFIG_LIMIT, out, &error) < 0) {
                if (error->kind == ERROR_NOT_FOUND)
                        return 0;
                if (err)
                        *err = TAKE_PTR(error);
                return -1;
        }
        if (out->len == 0 || starts_with(out->buf, "# Written by machine(1)"))
                return 0;
        error_set(err, ERROR_FAILED, "'%s' was not written by machine, so it is left alone", path);
        aside = file_aside_command(path);
        return error_hint(err, "%s", aside);
}

static int update_ours(const char *path, const char *name, const char *block, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf before = STRBUF_INIT;
        _cleanup_(freep) char *after = NULL;

        if (read_ours(path, &before, err) < 0)
                return -1;
        after = replace_block(before.buf, name, block);
        if (streq(after, before.buf))
                return 0;
        return file_write_text(path, after, 0600, err);
}

/* --- ~/.ssh/config */

/* Where a chain of symlinks ends, whether or not a file is there. Owned by the caller, NULL with an error. */
static char *follow_links(const char *path, struct error **err)
{
        _cleanup_(freep) char *at = xstrdup(path);

        for (int i = 0; i < LINKS_MOST; i++) {
                _cleanup_(freep) char *folder = path_folder(at);
                struct stat status;
                char *target;
                ssize_t length;

                if (lstat(at, &status) < 0 || !S_ISLNK(status.st_mode))
                        return TAKE_PTR(at);
                target = xcalloc((size_t)status.st_size + 2, 1);
                length = readlink(at, target, (size_t)status.st_size + 1);
                if (length < 0 || length > status.st_size) {
                        free(target);
                        error_errno(err, ERROR_FAILED, "cannot read the symlink '%s'", at);
                        return NULL;
                }
                set_string(&at, *target == '/' ? xstrdup(target) : path_join(folder, target));
                free(target);
        }
        error_set(err, ERROR_FAILED, "'%s' is a symlink that leads nowhere", path);
        return NULL;
}

static int add_include(const char *target, const struct strbuf *before, mode_t mode, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf after = STRBUF_INIT;
        const char *line_end = memchr(before->buf, '\n', before->len);
        bool crlf = line_end && line_end > before->buf && line_end[-1] == '\r';

        strbuf_adds(&after, crlf ? INCLUDE_LINE "\r\n" : INCLUDE_LINE "\n");
        strbuf_add(&after, before->buf, before->len);
        return file_write(target, after.buf, after.len, mode, err);
}

/* May we replace this file? A rename only needs rights to the folder, so those to the file are checked here. */
static int check_replaceable(const char *target, const struct stat *status, struct error **err)
{
        if (!S_ISREG(status->st_mode))
                return error_set(err, ERROR_FAILED, "'%s' is not a regular file", target);
        if (status->st_uid != geteuid())
                return error_set(err, ERROR_FAILED, "'%s' belongs to another user", target);
        if (!(status->st_mode & S_IWUSR))
                return error_set(err, ERROR_FAILED, "'%s' is read-only", target);
        return 0;
}

static int update_users(const char *folder, const char *config, const char *ours, struct error **err)
{
        _cleanup_(freep) char *target = follow_links(config, err);
        _cleanup_(strbuf_clear) struct strbuf before = STRBUF_INIT;
        struct stat status;

        if (!target)
                return -1;
        if (stat(target, &status) < 0) {
                if (errno != ENOENT)
                        return error_errno(err, ERROR_FAILED, "cannot examine '%s'", target);
                return add_include(target, &before, 0600, err);
        }
        if (!S_ISREG(status.st_mode))
                return error_set(err, ERROR_FAILED, "'%s' is not a regular file", target);
        if (file_read(target, CONFIG_LIMIT, &before, err) < 0)
                return -1;
        if (ssh_include_present(before.buf, before.len, folder, ours))
                return 0;
        if (check_replaceable(target, &status, err) < 0)
                return -1;
        return add_include(target, &before, status.st_mode & 07777, err);
}

/* --- both, under a lock */

/*
 * The lock's name begins with a dot, so that the "Include config.d/" followed by *, which many configurations have, passes it
 * over.
 */
static int take_lock(const char *folder, struct lock *lock, struct error **err)
{
        _cleanup_(freep) char *path = path_join(folder, ".machine.lock");

        return lock_acquire(lock, path, LOCK_EXCLUSIVE, LOCK_TIMEOUT_MS, err);
}

int ssh_config_publish(const struct ssh_host *host, struct error **err)
{
        _cleanup_(freep) char *folder = paths_ssh(NULL);
        _cleanup_(freep) char *config = path_join(folder, "config");
        _cleanup_(freep) char *included = path_join(folder, "config.d");
        _cleanup_(freep) char *ours = path_join(included, "machine");
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(strbuf_clear) struct strbuf block = STRBUF_INIT;

        if (check_host(host, err) < 0)
                return -1;
        ssh_config_block(host, &block);
        if (file_make_folders(included, 0700, err) < 0 || take_lock(included, &lock, err) < 0 ||
            update_ours(ours, host->name, block.buf, err) < 0)
                return error_wrap(err, "cannot tell ssh about VM '%s'", host->name);
        if (update_users(folder, config, ours, err) < 0) {
                error_wrap(err, "cannot add a line to '%s'", config);
                return error_hint(err, "make this the first line of '%s': " INCLUDE_LINE, config);
        }
        return 0;
}

int ssh_config_withdraw(const char *name, struct error **err)
{
        _cleanup_(freep) char *folder = paths_ssh(NULL);
        _cleanup_(freep) char *included = path_join(folder, "config.d");
        _cleanup_(freep) char *ours = path_join(included, "machine");
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        if (!file_exists(ours))
                return 0;
        if (take_lock(included, &lock, err) < 0 || update_ours(ours, name, NULL, err) < 0)
                return error_wrap(err, "cannot take VM '%s' out of the ssh configuration", name);
        return 0;
}
