#include "host/agent.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "host/paths.h"
#include "lib/os.h"

/* developer.1password.com/docs/ssh/get-started */
#ifdef __APPLE__
#define ONE_PASSWORD "Library/Group Containers/2BUA8C4S2C.com.1password/t/agent.sock"
#else
#define ONE_PASSWORD ".1password/agent.sock"
#endif
/* launchd's own naming of the folders in which it listens for others: launchd.plist(5), SecureSocketWithKey. */
#define LAUNCHD "/com.apple.launchd."

/* The file alone says little: it stays when who listened is gone. */
static bool listens(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = -1;

        if (strlen(path) >= sizeof(address.sun_path))
                return false;
        memcpy(address.sun_path, path, strlen(path));
        fd = os_socket(AF_UNIX, SOCK_STREAM);
        return fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) == 0;
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

char *agent_socket(void)
{
        _cleanup_(freep) char *one_password = paths_home(ONE_PASSWORD);

        return xstrdup(agent_choose(getenv("SSH_AUTH_SOCK"), listens(one_password) ? one_password : NULL));
}
