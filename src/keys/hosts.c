#include "keys/hosts.h"

void key_hosts_clear(struct key_hosts *hosts)
{
        strv_clear(&hosts->fingerprints);
        strv_clear(&hosts->names);
}

bool key_hosts_add(struct key_hosts *hosts, const char *text)
{
        /* A fingerprint can have '=' only at its end, and ours have none. */
        size_t length = strcspn(text, "=");

        if (length == 0 || text[length] == '\0' || text[length + 1] == '\0')
                return false;
        strv_take(&hosts->fingerprints, xstrndup(text, length));
        strv_add(&hosts->names, text + length + 1);
        return true;
}

void binds_clear(struct binds *binds)
{
        for (size_t i = 0; i < binds->count; i++)
                free(binds->items[i].host);
        *binds = (struct binds){ 0 };
}

static void refuse(struct request *request, const char *reason)
{
        request->kind = REQUEST_REFUSED;
        request->reason = reason;
}

static void judge_bind(struct binds *binds, struct request *request)
{
        if (request->forwarding)
                refuse(request, "the agent is not lent further");
        else if (!request->proven)
                refuse(request, "nothing proves that host: no signature by its key");
        else if (binds->count >= BINDS_MOST)
                refuse(request, "too many hosts on one connection");
        else {
                memcpy(binds->items[binds->count].id, request->id, request->id_length);
                binds->items[binds->count].id_length = request->id_length;
                binds->items[binds->count++].host = xstrdup(request->host);
        }
}

/* Returns the host that has signed this id; NULL = none has. */
static const char *host_of(const struct binds *binds, const struct request *request)
{
        for (size_t i = 0; i < binds->count; i++)
                if (binds->items[i].id_length == request->id_length &&
                    memcmp(binds->items[i].id, request->id, request->id_length) == 0)
                        return binds->items[i].host;
        return NULL;
}

static const char *name_of(const struct key_hosts *hosts, const char *fingerprint)
{
        for (size_t i = 0; i < hosts->fingerprints.count; i++)
                if (streq(hosts->fingerprints.items[i], fingerprint))
                        return hosts->names.items[i];
        return NULL;
}

static void judge_login(const struct key_hosts *hosts, const struct binds *binds, struct request *request)
{
        const char *host = host_of(binds, request);
        const char *name = host ? name_of(hosts, host) : NULL;

        if (!host)
                refuse(request, "no host is known for that session");
        else if (request->host && !streq(request->host, host))
                refuse(request, "it names another host than the one that signed");
        else if (!name)
                refuse(request, "not one of its hosts");
        else
                set_string(&request->name, xstrdup(name));
        if (host)
                set_string(&request->host, xstrdup(host));
}

void key_hosts_judge(const struct key_hosts *hosts, struct binds *binds, struct request *request)
{
        if (hosts->fingerprints.count == 0)
                return;
        if (request->kind == REQUEST_BIND)
                judge_bind(binds, request);
        else if (request->kind == REQUEST_LOGIN)
                judge_login(hosts, binds, request);
}
