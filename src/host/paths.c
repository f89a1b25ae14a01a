#include "host/paths.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/os.h"
#include "lib/text.h"

/* sun_path has 108 bytes on Linux and 104 on the Mac; ssh adds a random suffix of its own while it makes a socket. */
#define SOCKET_PATH_MOST 100

static char *home_folder(void)
{
        const char *home = getenv("HOME");
        const struct passwd *entry;

        if (home && *home == '/')
                return xstrdup(home);
        entry = getpwuid(getuid());
        return xstrdup(entry && entry->pw_dir && *entry->pw_dir == '/' ? entry->pw_dir : "/");
}

char *paths_home(const char *name)
{
        _cleanup_(freep) char *home = home_folder();

        return name ? path_join(home, name) : TAKE_PTR(home);
}

char *paths_ssh(const char *name)
{
        const char *set = getenv("MACHINE_SSH_DIR");
        _cleanup_(freep) char *folder = set && *set ? xstrdup(set) : paths_home(".ssh");

        return name ? path_join(folder, name) : TAKE_PTR(folder);
}

/* The specification says that a relative path in one of these variables must be ignored. */
static char *below_xdg(const char *variable, const char *fallback, const char *name)
{
        const char *set = getenv(variable);
        _cleanup_(freep) char *base = set && *set == '/' ? xstrdup(set) : paths_home(fallback);
        _cleanup_(freep) char *folder = path_join(base, "machine");

        return name ? path_join(folder, name) : TAKE_PTR(folder);
}

char *paths_config(const char *name)
{
        const char *set = getenv("MACHINE_CONFIG_DIR");

        if (set && *set)
                return name ? path_join(set, name) : xstrdup(set);
        return below_xdg("XDG_CONFIG_HOME", ".config", name);
}

char *paths_state(const char *name)
{
        return below_xdg("XDG_STATE_HOME", ".local/state", name);
}

char *paths_data(const char *name)
{
        return below_xdg("XDG_DATA_HOME", ".local/share", name);
}

char *paths_cache(const char *name)
{
        return below_xdg("XDG_CACHE_HOME", ".cache", name);
}

static char *runtime_folder(void)
{
        const char *set = getenv("XDG_RUNTIME_DIR");

        return set && *set == '/' && file_is_folder(set) ? path_join(set, "machine")
                                                         : xasprintf("/tmp/machine-%lu", (unsigned long)getuid());
}

void paths_set_ours(void)
{
        _cleanup_(strv_clear) struct strv folders = STRV_INIT;

        strv_take(&folders, paths_config(NULL));
        strv_take(&folders, paths_state(NULL));
        strv_take(&folders, paths_data(NULL));
        strv_take(&folders, paths_cache(NULL));
        strv_take(&folders, paths_ssh("config.d"));
        strv_take(&folders, runtime_folder());
        file_set_ours(&folders);
}

char *paths_runtime(struct error **err)
{
        _cleanup_(freep) char *folder = runtime_folder();

        if (file_make_private_folder(folder, err) < 0) {
                error_wrap(err, "cannot use '%s' for sockets", folder);
                return NULL;
        }
        return TAKE_PTR(folder);
}

char *paths_socket(const char *vm, const char *name, struct error **err)
{
        _cleanup_(freep) char *runtime = paths_runtime(err);
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(freep) char *path = NULL;

        if (!runtime)
                return NULL;
        folder = path_join(runtime, vm);
        path = path_join(folder, name);
        if (strlen(path) > SOCKET_PATH_MOST) {
                error_set(err, ERROR_FAILED, "'%s' is too long for a socket's path (%zu bytes, at most %d)", path, strlen(path),
                          SOCKET_PATH_MOST);
                error_hint(err, "set XDG_RUNTIME_DIR to a folder with a shorter path");
                return NULL;
        }
        if (file_make_private_folder(folder, err) < 0)
                return NULL;
        return TAKE_PTR(path);
}

/* The program's folder joined with `relative`, for a program that was started from anywhere but its installed place. */
static char *beside_program(const char *relative)
{
        _cleanup_(freep) char *program = os_program_path(NULL);
        _cleanup_(freep) char *folder = NULL;

        if (!program)
                return NULL;
        folder = path_folder(program);
        return path_join(folder, relative);
}

/* The first of the candidates (owned; NULL ones are passed over) that exists, or NULL. */
static char *first_there(char **candidates, size_t count, bool runnable)
{
        char *found = NULL;

        for (size_t i = 0; i < count; i++) {
                _cleanup_(freep) char *candidate = candidates[i];

                if (!found && candidate && access(candidate, runnable ? X_OK : F_OK) == 0 &&
                    (!runnable || !file_is_folder(candidate)))
                        found = TAKE_PTR(candidate);
        }
        return found;
}

/* A build tree and an unpacked archive use what lies beside the program, so that they never mix with an installed version. */
char *paths_shipped(const char *name, struct error **err)
{
        const char *set = getenv("MACHINE_DATA_DIR");
        _cleanup_(freep) char *relative = xasprintf("../share/machine/%s", name);
        char *candidates[] = {
                set && *set ? path_join(set, name) : beside_program(relative),
                set && *set ? NULL : path_join(MACHINE_DATA_FOLDER, name),
        };
        char *found = first_there(candidates, ARRAY_SIZE(candidates), false);

        if (found)
                return found;
        error_set(err, ERROR_FAILED, "'%s' is missing from '%s'", name, set && *set ? set : MACHINE_DATA_FOLDER);
        error_hint(err, "reinstall machine, or set MACHINE_DATA_DIR to the folder that has it");
        return NULL;
}

char *paths_helper(const char *name, struct error **err)
{
        const char *set = getenv("MACHINE_LIBEXEC_DIR");
        _cleanup_(freep) char *relocated = xasprintf("../" MACHINE_LIBEXEC_NAME "/machine/%s", name);
        /* src/command/machine and src/net/machine-net in the build tree. */
        _cleanup_(freep) char *built =
                xasprintf("../%s/%s", starts_with(name, "machine-") ? name + strlen("machine-") : name, name);
        char *candidates[] = {
                set && *set ? path_join(set, name) : beside_program(relocated),
                set && *set ? NULL : beside_program(name), /* for a helper that starts another */
                set && *set ? NULL : beside_program(built),
                set && *set ? NULL : path_join(MACHINE_LIBEXEC_FOLDER, name),
        };
        char *found = first_there(candidates, ARRAY_SIZE(candidates), true);

        if (found)
                return found;
        error_set(err, ERROR_FAILED, "the helper program '%s' is missing from '%s'", name,
                  set && *set ? set : MACHINE_LIBEXEC_FOLDER);
        error_hint(err, "reinstall machine, or set MACHINE_LIBEXEC_DIR to the folder that has it");
        return NULL;
}
