/* The lines about a session that lends the ssh agent, measured with such a session. */
#include "audit/lines.h"
#include "host/agent.h"
#include "lib/process.h"

#define LIST_TIMEOUT_MS 10000

/* The keys of this computer's agent: those that a guest may see, and the first of the others. */
struct own_keys {
        size_t count;
        struct strv allowed; /* fingerprints */
        char *hidden;        /* in base64; NULL = there is none */
};

#define OWN_KEYS_INIT                                                                                                          \
        {                                                                                                                      \
                .allowed = STRV_INIT                                                                                           \
        }
static void own_keys_clear(struct own_keys *keys)
{
        strv_clear(&keys->allowed);
        free(keys->hidden);
}

static bool is_allowed(const struct vm_record *record, const char *fingerprint, const char *comment)
{
        _cleanup_(freep) char *key = xasprintf("--key=%s", fingerprint);
        _cleanup_(freep) char *named = xasprintf("--comment=%s", comment);

        for (size_t i = 0; i < vm_record_keys(record)->count; i++) {
                _cleanup_(freep) char *option = agent_key_option(vm_record_keys(record)->items[i], NULL);

                if (option && (streq(option, key) || streq(option, named)))
                        return true;
        }
        return vm_record_keys(record)->count == 0;
}

/* "TYPE BASE64 COMMENT" */
static void add_key(const struct vm_record *record, const char *line, struct own_keys *out)
{
        _cleanup_(freep) char *fingerprint = agent_fingerprint(line);
        const char *key = strchr(line, ' ');
        const char *comment = key ? strchr(key + 1, ' ') : NULL;

        if (!fingerprint || !key)
                return;
        out->count++;
        if (is_allowed(record, fingerprint, comment ? comment + 1 : ""))
                strv_add(&out->allowed, fingerprint);
        else if (!out->hidden)
                out->hidden = xstrndup(key + 1, strcspn(key + 1, " "));
}

/* Lists the agent's keys. ssh-add ends with 1 when it has none. */
static int list_own(const struct vm_record *record, const char *agent, struct own_keys *out, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;
        _cleanup_(freep) char *variable = xasprintf("SSH_AUTH_SOCK=%s", agent);
        const char *const argv[] = { "ssh-add", "-L", NULL };
        char *save = NULL;

        process_environment(&environment, (const char *const[]){ variable, NULL });
        if (process_run(&(struct process_spec){ .argv = argv,
                                                .environment = strv_argv(&environment),
                                                .timeout_ms = LIST_TIMEOUT_MS },
                        &result, err) < 0)
                return -1;
        if (result.status != 0 || result.out.len == 0)
                return 0;
        for (char *line = strtok_r(result.out.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                add_key(record, line, out);
        return 0;
}

static size_t count_strangers(const struct probe *probe, const struct own_keys *own)
{
        size_t strangers = 0;

        for (size_t i = 0; i < probe->lent.count; i++)
                strangers += !strv_contains(&own->allowed, probe->lent.items[i]);
        return strangers;
}

/* Returns why there is nothing to measure; NULL = there is something. */
static const char *nothing_lent(const struct scene *scene, const char *agent)
{
        if (!scene->vm->record.forward_agent)
                return "the project lends no agent";
        return agent ? NULL : "this computer has no ssh agent to lend";
}

int measure_lent_keys(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        _cleanup_(own_keys_clear) struct own_keys own = OWN_KEYS_INIT;
        _cleanup_(probe_clear) struct probe probe = PROBE_INIT;
        _cleanup_(freep) char *agent = agent_socket();
        const char *nothing = nothing_lent(scene, agent);
        size_t strangers;

        if (nothing)
                return audit_say(out, AUDIT_HELD, "%s", nothing);
        if (list_own(&scene->vm->record, agent, &own, err) < 0 || probe_lent(scene->vm, own.hidden, false, &probe, err) < 0)
                return -1;
        strangers = count_strangers(&probe, &own);
        if (strangers > 0)
                return audit_say(out, AUDIT_CROSSED, "%zu keys are shown that the guest is not lent", strangers);
        if (probe.hidden == PROBE_SIGNED)
                return audit_say(out, AUDIT_CROSSED, "the agent signs with a key that the guest is not lent");
        if (vm_record_keys(&scene->vm->record)->count == 0)
                return audit_say(out, AUDIT_OPEN, "neither 'keys' nor ssh's configuration names any keys, so all %zu are lent",
                                 probe.lent.count);
        return audit_say(out, AUDIT_HELD, "%zu of the agent's %zu keys are shown%s", probe.lent.count, own.count,
                         probe.hidden == PROBE_NOT_SIGNED ? ", a signature by another is refused" : "");
}

int measure_key_hosts(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        _cleanup_(probe_clear) struct probe probe = PROBE_INIT;
        _cleanup_(freep) char *agent = agent_socket();
        const char *nothing = nothing_lent(scene, agent);
        _cleanup_(freep) char *hosts = NULL;

        if (nothing)
                return audit_say(out, AUDIT_HELD, "%s", nothing);
        /* Don't have a log-in signed only to see that it would be. */
        if (scene->vm->record.key_hosts.count == 0)
                return audit_say(out, AUDIT_OPEN, "'key_hosts' names no hosts, so a key logs in everywhere");
        if (probe_lent(scene->vm, NULL, true, &probe, err) < 0)
                return -1;
        hosts = strv_join(&scene->vm->record.key_hosts, ", ");
        if (probe.stranger == PROBE_SIGNED)
                return audit_say(out, AUDIT_CROSSED, "a log-in to a host other than %s is signed", hosts);
        return audit_say(out, AUDIT_HELD, "%s, to hosts other than %s",
                         probe.stranger == PROBE_NOT_SIGNED ? "log-ins are refused, with a forged proof and without"
                                                            : "no key is shown for log-ins",
                         hosts);
}
