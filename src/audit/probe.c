#include "audit/probe.h"

#include "guest/script.h"
#include "host/agent.h"
#include "lib/text.h"

#define TIMEOUT_MS   120000
#define FIELDS_MOST  4
#define RECORDS_MOST 20000
#define FIELD_MOST   4096

static const char *const result_names[] = {
        [PROBE_UNREACHABLE] = "unreachable",
        [PROBE_REFUSED] = "refused",
        [PROBE_SILENT] = "silent",
        [PROBE_CONNECTED] = "connected",
};

const char *probe_result_name(enum probe_result result)
{
        return result_names[result];
}

void probe_clear(struct probe *probe)
{
        for (size_t i = 0; i < probe->mount_count; i++) {
                free(probe->mounts[i].type);
                free(probe->mounts[i].source);
                free(probe->mounts[i].point);
        }
        for (size_t i = 0; i < probe->connect_count; i++)
                free(probe->connects[i].address);
        for (size_t i = 0; i < probe->agent_count; i++)
                free(probe->agents[i].path);
        free(probe->mounts);
        free(probe->connects);
        free(probe->agents);
        strv_clear(&probe->gateways);
        strv_clear(&probe->neighbours);
        strv_clear(&probe->lent);
        *probe = (struct probe)PROBE_INIT;
}

/* --- a function for each record; `fields` are what follows its name */

static int add_mount(struct probe *probe, char *const *fields)
{
        probe->mounts = xreallocarray(probe->mounts, probe->mount_count + 1, sizeof(*probe->mounts));
        probe->mounts[probe->mount_count++] = (struct probe_mount){
                .type = xstrdup(fields[0]),
                .source = xstrdup(fields[1]),
                .point = xstrdup(fields[2]),
        };
        return 0;
}

static int add_gateway(struct probe *probe, char *const *fields)
{
        strv_add(&probe->gateways, fields[0]);
        return 0;
}

static int add_neighbour(struct probe *probe, char *const *fields)
{
        strv_add(&probe->neighbours, fields[0]);
        return 0;
}

static int add_connect(struct probe *probe, char *const *fields)
{
        int64_t port;
        size_t result = 0;

        while (result < ARRAY_SIZE(result_names) && !streq(fields[2], result_names[result]))
                result++;
        if (result == ARRAY_SIZE(result_names) || text_parse_int(fields[1], 1, UINT16_MAX, &port) < 0)
                return -1;
        probe->connects = xreallocarray(probe->connects, probe->connect_count + 1, sizeof(*probe->connects));
        probe->connects[probe->connect_count++] = (struct probe_connect){
                .address = xstrdup(fields[0]),
                .port = (uint16_t)port,
                .result = (enum probe_result)result,
        };
        return 0;
}

static int add_agent(struct probe *probe, char *const *fields)
{
        int64_t keys;

        if (text_parse_int(fields[1], 0, UINT32_MAX, &keys) < 0)
                return -1;
        probe->agents = xreallocarray(probe->agents, probe->agent_count + 1, sizeof(*probe->agents));
        probe->agents[probe->agent_count++] = (struct probe_agent){ .path = xstrdup(fields[0]), .keys = keys };
        return 0;
}

static int add_lent(struct probe *probe, char *const *fields)
{
        /* As in the file of a public key, which begins with the kind of key. */
        _cleanup_(freep) char *line = xasprintf("key %s", fields[0]);
        char *fingerprint = agent_fingerprint(line);

        if (!fingerprint)
                return -1;
        strv_take(&probe->lent, fingerprint);
        return 0;
}

static int read_signature(const char *text, enum probe_signature *out)
{
        if (!streq(text, "signed") && !streq(text, "refused"))
                return -1;
        *out = streq(text, "signed") ? PROBE_SIGNED : PROBE_NOT_SIGNED;
        return 0;
}

static int add_hidden(struct probe *probe, char *const *fields)
{
        return read_signature(fields[0], &probe->hidden);
}

static int add_stranger(struct probe *probe, char *const *fields)
{
        return read_signature(fields[0], &probe->stranger);
}

static const struct record {
        const char *name;
        size_t fields;
        int (*add)(struct probe *probe, char *const *fields); /* NULL = the end */
} records[] = {
        { "mount", 3, add_mount },     { "gateway", 1, add_gateway },   { "neighbour", 1, add_neighbour },
        { "connect", 3, add_connect }, { "agent", 2, add_agent },       { "lent", 1, add_lent },
        { "hidden", 1, add_hidden },   { "stranger", 1, add_stranger }, { "end", 0, NULL },
};

static const struct record *find_record(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(records); i++)
                if (streq(records[i].name, name))
                        return &records[i];
        return NULL;
}

static void split(const char *line, size_t length, struct strv *out)
{
        while (out->count <= FIELDS_MOST) {
                const char *tab = memchr(line, '\t', length);
                size_t field = tab ? (size_t)(tab - line) : length;
                _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;

                text_visible(&shown, line, field < FIELD_MOST ? field : FIELD_MOST);
                strv_add(out, shown.buf);
                if (!tab)
                        return;
                line += field + 1;
                length -= field + 1;
        }
}

static int malformed(size_t number, struct error **err)
{
        return error_set(err, ERROR_STEP, "record %zu of the guest's report is not well-formed", number);
}

int probe_parse(const char *report, size_t length, struct probe *out, struct error **err)
{
        for (size_t number = 1; length > 0 && number <= RECORDS_MOST; number++) {
                const char *newline = memchr(report, '\n', length);
                _cleanup_(strv_clear) struct strv fields = STRV_INIT;
                const struct record *record;

                if (!newline)
                        break;
                split(report, (size_t)(newline - report), &fields);
                record = find_record(fields.items[0]);
                if (!record || fields.count != record->fields + 1)
                        return malformed(number, err);
                length -= (size_t)(newline - report) + 1;
                report = newline + 1;
                if (!record->add)
                        return length == 0 ? 0 : malformed(number + 1, err);
                if (record->add(out, fields.items + 1) < 0)
                        return malformed(number, err);
        }
        return error_set(err, ERROR_STEP, "the guest's report is incomplete");
}

int probe_lent(const struct vm *vm, const char *hidden, bool stranger, struct probe *out, struct error **err)
{
        const struct session session = { .vm = vm, .forward_agent = true };
        _cleanup_(strbuf_clear) struct strbuf report = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_adds(&args, hidden ? hidden : "-", stranger ? "try" : "-", NULL);
        if (script_run(&session, "audit-agent.sh", &args, NULL, TIMEOUT_MS, NULL, NULL, &report, err) < 0)
                return -1;
        return probe_parse(report.buf, report.len, out, err);
}

int probe_run(const struct vm *vm, const struct strv *targets, struct probe *out, struct error **err)
{
        const struct session session = { .vm = vm };
        _cleanup_(strbuf_clear) struct strbuf report = STRBUF_INIT;

        if (script_run(&session, "audit.sh", targets, NULL, TIMEOUT_MS, NULL, NULL, &report, err) < 0)
                return -1;
        return probe_parse(report.buf, report.len, out, err);
}
