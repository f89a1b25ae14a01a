#include "lima/home.h"

#include <sys/un.h>

#include "host/keys.h"
#include "host/paths.h"
#include "lib/file.h"

#define KEY_LIMIT (64 << 10)
/* The longest of the sockets that ssh and Lima make in an instance's folder. Source: Lima's filenames.LongestSock. */
#define LONGEST_SOCKET "/ssh.sock.1234567890123456"
/* The longest time to wait for another process, which may be downloading an image. */
#define LOCK_TIMEOUT_MS (10 * 60 * 1000)

char *home_folder(void)
{
        _cleanup_(freep) char *folder = paths_state("lima");
        char *real = realpath(folder, NULL);

        return real ? real : TAKE_PTR(folder);
}

char *home_instance(const char *vm)
{
        _cleanup_(strbuf_clear) struct strbuf name = STRBUF_INIT;

        while (*vm) {
                size_t hyphens = strspn(vm, "-");

                if (hyphens > 1) {
                        strbuf_addf(&name, ".%zu.", hyphens);
                        vm += hyphens;
                } else {
                        strbuf_addc(&name, *vm++);
                }
        }
        return strbuf_take(&name);
}

char *home_instance_folder(const char *vm)
{
        _cleanup_(freep) char *home = home_folder();
        _cleanup_(freep) char *instance = home_instance(vm);

        return path_join(home, instance);
}

int home_check(const char *vm, struct error **err)
{
        static const size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof(LONGEST_SOCKET);
        _cleanup_(freep) char *folder = home_instance_folder(vm);

        if (strlen(folder) <= most)
                return 0;
        error_set(err, ERROR_ENGINE, "'%s' is too long for the sockets that Lima makes in it (%zu bytes, at most %zu)", folder,
                  strlen(folder), most);
        return error_hint(err, "set XDG_STATE_HOME to a folder with a shorter path");
}

/* Lima mixes these into every instance whenever it reads one: mounts and forwarded ports could come in through them. */
static int refuse_settings(const char *config, struct error **err)
{
        static const char *const names[] = { "base.yaml", "default.yaml", "override.yaml" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = path_join(config, names[i]);
                _cleanup_(freep) char *aside = NULL;

                if (!file_exists(path))
                        continue;
                aside = file_aside_command(path);
                error_set(err, ERROR_ENGINE, "'%s' would change every VM that Lima runs for us", path);
                return error_hint(err, "%s", aside);
        }
        return 0;
}

int home_prepare(struct lock *lock, struct error **err)
{
        _cleanup_(freep) char *home = home_folder();
        _cleanup_(freep) char *config = path_join(home, "_config");
        _cleanup_(freep) char *path = paths_state("lima.lock");

        if (file_make_private_folder(home, err) < 0 || lock_acquire(lock, path, LOCK_EXCLUSIVE, LOCK_TIMEOUT_MS, err) < 0 ||
            refuse_settings(config, err) < 0)
                return -1;
        return keys_ensure_pair(config, "user", "lima", err);
}

char *home_key(struct error **err)
{
        _cleanup_(freep) char *home = home_folder();
        _cleanup_(freep) char *path = path_join(home, "_config/user.pub");
        _cleanup_(strbuf_clear) struct strbuf key = STRBUF_INIT;

        if (file_read(path, KEY_LIMIT, &key, err) < 0)
                return NULL;
        strbuf_trim_end(&key);
        if (key.len == 0 || strpbrk(key.buf, "\n'")) {
                error_set(err, ERROR_ENGINE, "'%s' is not a public key", path);
                return NULL;
        }
        return strbuf_take(&key);
}
