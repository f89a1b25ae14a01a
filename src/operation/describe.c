#include "operation/describe.h"

#include <sodium.h>
#include <time.h>

#include "config/egress.h"
#include "config/key-hosts.h"
#include "host/user.h"
#include "lib/text.h"

static char *random_uuid(void)
{
        unsigned char bytes[16];

        randombytes_buf(bytes, sizeof bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40; /* RFC 9562: version 4 */
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        return xasprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2],
                         bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9], bytes[10], bytes[11], bytes[12],
                         bytes[13], bytes[14], bytes[15]);
}

void describe_sizes(struct vm_record *record, const struct project *project, const struct engine *engine)
{
        record->cpus = project->cpus;
        record->memory_bytes = project->memory_bytes;
        if (engine->grows_disk && project->disk_bytes > record->disk_bytes)
                record->disk_bytes = project->disk_bytes;
}

void describe_rules(struct vm_record *record, const struct project *project)
{
        strv_clear(&record->allow);
        egress_rules(project, &record->clients, &record->allow);
}

void describe_changes(struct vm_record *record, const struct project *project)
{
        strv_clear(&record->repos);
        for (size_t i = 0; i < project->repo_count; i++)
                strv_add(&record->repos, project->repos[i].url);
        free(record->ports);
        record->ports = NULL;
        record->port_count = 0;
        if (project->port_count > 0)
                record->ports = xcalloc(project->port_count, sizeof *record->ports);
        for (size_t i = 0; i < project->port_count; i++)
                record->ports[record->port_count++] =
                        (struct vm_port){ .host = project->ports[i].host, .guest = project->ports[i].guest };
        record->lan = project->lan;
        record->forward_agent = project->forward_agent;
        record->confirm = project->confirm;
        strv_clear(&record->keys);
        strv_add_all(&record->keys, &project->keys);
        strv_clear(&record->key_hosts);
        key_hosts_expand(project, &record->key_hosts);
        set_string(&record->egress, xstrdup(project->egress));
        set_string(&record->park_after, xstrdup(project->park_after));
        set_string(&record->wake_on, xstrdup(project->wake_on));
        describe_rules(record, project);
}

void describe_needs(struct vm_record *record, const struct commits *commits)
{
        strv_clear(&record->needed_keys);
        strv_add_all(&record->needed_keys, &commits->keys);
}

void describe_record(struct vm_record *record, const struct project *project, const char *name, const char *engine)
{
        _cleanup_(strv_clear) struct strv clients = STRV_INIT;

        vm_record_clear(record);
        record->name = xstrdup(name);
        record->owner = xstrdup(project->checkout ? project->checkout : "projects.toml");
        record->engine = xstrdup(engine);
        record->uuid = random_uuid();
        record->user = user_for_guest();
        record->shell = xstrdup(project->shell);
        record->created = text_format_time(time(NULL));
        record->cpus = project->cpus;
        record->memory_bytes = project->memory_bytes;
        record->disk_bytes = project->disk_bytes;
        record->cold = project->cold;
        record->image = xstrdup(project->image);
        record->image_digest = xstrdup(project->image_digest);
        egress_unanswered(project, &record->clients, &clients);
        record->ask_clients = clients.count > 0;
        strv_add_all(&record->profiles, &project->profiles);
        describe_changes(record, project);
}

void describe_fork(struct vm_record *record, const struct vm_record *from, const char *name)
{
        vm_record_copy(from, record);
        record->intent = INTENT_CREATE;
        set_string(&record->name, xstrdup(name));
        set_string(&record->becomes, NULL);
        set_string(&record->former, NULL);
        set_string(&record->owner, xstrdup(PROJECTS_OWNER));
        set_string(&record->fork_of, xstrdup(from->name));
        set_string(&record->checkout, xstrdup(vm_record_checkout(from)));
        record->race = false;
        set_string(&record->uuid, random_uuid());
        set_string(&record->created, text_format_time(time(NULL)));
        set_string(&record->next_base, NULL);
        record->next_anew = false;
        free(record->ports);
        record->ports = NULL;
        record->port_count = 0;
}
