#include "host/agent.h"

#include <sodium.h>

#include "host/paths.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/unix-socket.h"

/* developer.1password.com/docs/ssh/get-started */
#ifdef __APPLE__
#define ONE_PASSWORD "Library/Group Containers/2BUA8C4S2C.com.1password/t/agent.sock"
#else
#define ONE_PASSWORD ".1password/agent.sock"
#endif
/* launchd's own naming of the folders in which it listens for others: launchd.plist(5), SecureSocketWithKey. */
#define LAUNCHD "/com.apple.launchd."

/* The file alone says little: it stays when the listener is gone. */
static bool listens(const char *path)
{
        _cleanup_(closep) int fd = unix_socket_connect(path);

        return fd >= 0;
}

const char *agent_choose(const char *set, const char *one_password)
{
        bool is_set = set && *set;

        if (is_set && !strstr(set, LAUNCHD))
                return set;
        if (one_password)
                return one_password;
        return is_set ? set : NULL;
}

static bool withheld;

void agent_withhold(void)
{
        withheld = true;
}

char *agent_socket(void)
{
        _cleanup_(freep) char *one_password = withheld ? NULL : paths_home(ONE_PASSWORD);

        if (withheld)
                return NULL;
        return xstrdup(agent_choose(getenv("SSH_AUTH_SOCK"), listens(one_password) ? one_password : NULL));
}

#define KEY_MOST (16 << 10)

/* sshd(8), AUTHORIZED_KEYS FILE FORMAT */
char *agent_fingerprint(const char *line)
{
        const char *key = strchr(line, ' ');
        unsigned char blob[KEY_MOST];
        size_t length;

        if (!key)
                return NULL;
        key++;
        if (sodium_base642bin(blob, sizeof(blob), key, strcspn(key, " \t\r\n"), NULL, &length, NULL,
                              sodium_base64_VARIANT_ORIGINAL) < 0 ||
            length < 16)
                return NULL;
        return hash_fingerprint(blob, length);
}

char *agent_key_option(const char *text, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(freep) char *mark = NULL;

        if (starts_with(text, "SHA256:"))
                return xasprintf("--key=%s", text);
        if (*text != '/' && !starts_with(text, "~/"))
                return xasprintf("--comment=%s", text);
        path = *text == '/' ? xstrdup(text) : paths_home(text + 2);
        if (file_read(path, KEY_MOST, &line, err) < 0) {
                error_set_kind(err, ERROR_CONFIG);
                return NULL;
        }
        mark = agent_fingerprint(line.buf);
        if (!mark) {
                error_set(err, ERROR_CONFIG, "'%s' is not a public key", path);
                error_hint(err, "name the file that ends in .pub");
                return NULL;
        }
        return xasprintf("--key=%s", mark);
}
