#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest/session.h"
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/text.h"

#define SSHD             "/usr/sbin/sshd"
#define PRIVILEGE_FOLDER "/run/sshd"
#define START_TIMEOUT_MS 10000

const char *fixture_missing(void)
{
        static const char *const programs[] = { "ssh", "ssh-keygen", "ssh-agent", "ssh-add", "git" };

        for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
                _cleanup_(freep) char *found = process_find(programs[i]);

                if (!found)
                        return programs[i];
        }
        if (access(SSHD, X_OK) < 0)
                return SSHD;
        /* sshd as root needs the folder of its privilege separation. Distributions make it when the service starts. */
        if (geteuid() == 0 && mkdir(PRIVILEGE_FOLDER, 0755) < 0 && errno != EEXIST)
                return PRIVILEGE_FOLDER;
        return NULL;
}

/* `error` is a pointer to the error, because the call that sets it may be the first argument. */
static void must(int status, struct error *const *error)
{
        if (status < 0) {
                _cleanup_(freep) char *text = error_text(*error);

                fail_msg("%s", text);
        }
}

static char *run_script(const char *folder, const char *const *overrides, const char *script)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        const char *const argv[] = { "sh", "-euc", script, NULL };

        process_environment(&environment, overrides);
        must(process_check(&(struct process_spec){ .argv = argv, .folder = folder, .environment = strv_argv(&environment) },
                           &out, &error),
             &error);
        strbuf_trim_end(&out);
        return strbuf_take(&out);
}

char *fixture_run(struct fixture *fixture, const char *name, const char *script)
{
        _cleanup_(freep) char *folder = path_join(fixture->folder, name);

        return run_script(folder, (const char *const[]){ NULL }, script);
}

void fixture_do(struct fixture *fixture, const char *name, const char *script)
{
        free(fixture_run(fixture, name, script));
}

static void write_file(const struct fixture *fixture, const char *name, const char *text)
{
        _cleanup_(freep) char *path = path_join(fixture->folder, name);
        _cleanup_(error_freep) struct error *error = NULL;

        must(file_write_text(path, text, 0600, &error), &error);
}

/* The guest's sshd accepts id_guest, the forge's the key in the agent. Both run commands in the given home. */
static void write_sshd_config(const struct fixture *fixture, const char *name, const char *home, const char *key)
{
        _cleanup_(freep) char *file = xasprintf("sshd_%s", name);
        _cleanup_(freep) char *text = xasprintf("HostKey %s/key_%s\n"
                                                "AuthorizedKeysFile %s/%s.pub\n"
                                                "SetEnv HOME=%s/%s\n"
                                                "ForceCommand cd \"$HOME\" && eval \"${SSH_ORIGINAL_COMMAND:-exec sh}\"\n"
                                                "PidFile none\n"
                                                "UsePAM no\n"
                                                "StrictModes no\n"
                                                "PermitRootLogin yes\n"
                                                "PasswordAuthentication no\n"
                                                "PrintMotd no\n"
                                                "PrintLastLog no\n",
                                                fixture->folder, name, fixture->folder, key, fixture->folder, home);

        write_file(fixture, file, text);
}

static void write_ssh_config(const struct fixture *fixture)
{
        const struct passwd *user = getpwuid(geteuid());
        _cleanup_(freep) char *text = xasprintf("Host machine-test\n"
                                                "  User %s\n"
                                                "  IdentityFile %s/id_guest\n"
                                                "  IdentitiesOnly yes\n"
                                                "  UserKnownHostsFile %s/known_hosts_guest\n"
                                                "  StrictHostKeyChecking yes\n"
                                                "  ProxyCommand " SSHD " -i -f %s/sshd_guest -E %s/sshd.log\n"
                                                "  ControlMaster auto\n"
                                                "  ControlPath %s/master\n"
                                                "  ControlPersist 60\n"
                                                "  LogLevel ERROR\n",
                                                user ? user->pw_name : "root", fixture->folder, fixture->folder,
                                                fixture->folder, fixture->folder, fixture->folder);

        write_file(fixture, "vm/ssh_config", text);
}

static void collect(struct event_sink *sink, const struct event *event)
{
        struct fixture *fixture = (struct fixture *)(void *)sink;

        if (event->text)
                strbuf_addf(&fixture->told, "%s\n", event->text);
}

static void make_environment(const struct fixture *fixture)
{
        _cleanup_(freep) char *home = path_join(fixture->folder, "host");
        _cleanup_(freep) char *ssh = path_join(home, ".ssh");

        setenv("HOME", home, 1);
        setenv("MACHINE_SSH_DIR", ssh, 1);
        setenv("MACHINE_DATA_DIR", fixture->data, 1);
        setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
        setenv("GIT_AUTHOR_NAME", "A", 1);
        setenv("GIT_AUTHOR_EMAIL", "a@example.org", 1);
        setenv("GIT_COMMITTER_NAME", "A", 1);
        setenv("GIT_COMMITTER_EMAIL", "a@example.org", 1);
        unsetenv("GIT_DIR");
        unsetenv("XDG_CONFIG_HOME");
        unsetenv("SSH_AUTH_SOCK");
}

struct fixture *fixture_new(void)
{
        struct fixture *fixture = xcalloc(1, sizeof(*fixture));
        char folder[] = "/tmp/machine-guest-XXXXXX";
        _cleanup_(freep) char *script = NULL;

        assert_non_null(mkdtemp(folder));
        *fixture = (struct fixture){ .events = { .handle = collect }, .told = STRBUF_INIT, .vm = VM_INIT };
        fixture->folder = xstrdup(folder);
        fixture->guest = path_join(folder, "guest");
        fixture->data = path_join(folder, "data");
        fixture->vm.name = xstrdup("test");
        fixture->vm.folder = path_join(folder, "vm");
        fixture->vm.exists = true;
        script = xasprintf(
                "mkdir -p vm guest/.ssh host/.ssh forge data/guest\n"
                "ln -s '%s/guest/session' data/guest/session\n"
                "ln -s '%s/share/known_hosts' data/known_hosts\n"
                "for key in key_guest id_guest key_forge id_forge; do\n"
                "        ssh-keygen -q -t ed25519 -N '' -C '' -f $key\n"
                "done\n"
                "echo \"machine-test $(cat key_guest.pub)\" >known_hosts_guest\n"
                "printf '[user]\\nname = G\\nemail = g@example.org\\n[init]\\ndefaultBranch = main\\n' >guest/.gitconfig\n"
                "printf '[init]\\ndefaultBranch = main\\n' >host/.gitconfig\n",
                SOURCE_FOLDER, SOURCE_FOLDER);
        fixture_do(fixture, "", script);
        write_sshd_config(fixture, "guest", "guest", "id_guest");
        write_ssh_config(fixture);
        make_environment(fixture);
        return fixture;
}

static void stop(pid_t pid)
{
        if (pid > 0) {
                kill(pid, SIGTERM);
                process_wait(pid, START_TIMEOUT_MS, NULL, NULL);
        }
}

void fixture_free(struct fixture *fixture)
{
        _cleanup_(error_freep) struct error *error = NULL;

        session_close(&fixture->vm);
        stop(fixture->forge);
        stop(fixture->agent);
        must(file_remove(fixture->folder, &error), &error);
        strbuf_clear(&fixture->told);
        vm_clear(&fixture->vm);
        free(fixture->folder);
        free(fixture->guest);
        free(fixture->data);
        free(fixture);
}

/* A port on which nobody listens at the moment. */
static uint16_t free_port(void)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        _cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
        return ntohs(address.sin_port);
}

static bool connects(uint16_t port)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons(port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        _cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

void fixture_start_forge(struct fixture *fixture)
{
        _cleanup_(freep) char *socket_path = path_join(fixture->folder, "agent");
        _cleanup_(freep) char *config = path_join(fixture->folder, "sshd_forge");
        _cleanup_(freep) char *log = path_join(fixture->folder, "forge.log");
        _cleanup_(freep) char *port = NULL;
        const char *const agent[] = { "ssh-agent", "-D", "-a", socket_path, NULL };
        _cleanup_(error_freep) struct error *error = NULL;
        deadline limit = deadline_in(START_TIMEOUT_MS);

        must(process_spawn(&(struct process_spec){ .argv = agent }, &fixture->agent, &error), &error);
        setenv("SSH_AUTH_SOCK", socket_path, 1);
        fixture->forge_port = free_port();
        port = xasprintf("%u", (unsigned)fixture->forge_port);
        write_sshd_config(fixture, "forge", "forge", "id_forge");
        must(process_spawn(
                     &(struct process_spec){
                             .argv = (const char *const[]){ SSHD, "-D", "-f", config, "-E", log, "-p", port, "-o",
                                                            "ListenAddress=127.0.0.1", NULL },
                     },
                     &fixture->forge, &error),
             &error);
        /* Neither of them says when it is ready. */
        while (access(socket_path, F_OK) < 0 || !connects(fixture->forge_port)) {
                assert_false(deadline_passed(limit));
                poll(NULL, 0, 20);
        }
        fixture_do(fixture, "", "ssh-add -q id_forge");
}

struct project fixture_project(const struct fixture *fixture, const char *const *urls)
{
        struct project project = PROJECT_INIT;

        project.name = xstrdup("test");
        project.file = xstrdup("projects.toml");
        project.forward_agent = true;
        project.lan = true;
        project.egress = xstrdup("open");
        for (; *urls; urls++) {
                struct project_repo *repo;

                project.repos = xreallocarray(project.repos, project.repo_count + 1, sizeof(*project.repos));
                repo = &project.repos[project.repo_count++];
                *repo = (struct project_repo){ .url = xstrdup(*urls), .line = (unsigned)project.repo_count, .column = 1 };
                if (streq(*urls, ".")) {
                        repo->name = xstrdup("here");
                        project.checkout = path_join(fixture->folder, "here");
                } else {
                        repo->name = path_base(*urls);
                        if (ends_with(repo->name, ".git"))
                                repo->name[strlen(repo->name) - 4] = '\0';
                }
        }
        return project;
}
