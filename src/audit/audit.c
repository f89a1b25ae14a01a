#include "audit/audit.h"

#include <sodium.h>

#include "audit/lines.h"

/* Ports that no known service uses. */
#define STRANGER_LOWEST 40000
#define STRANGER_COUNT  20000

const char *audit_verdict_name(enum audit_verdict verdict)
{
        static const char *const names[] = {
                [AUDIT_HELD] = "held",       [AUDIT_CROSSED] = "crossed",
                [AUDIT_OPEN] = "open",       [AUDIT_UNAVAILABLE] = "unavailable",
                [AUDIT_UNKNOWN] = "unknown",
        };

        return names[verdict];
}

void audit_report_clear(struct audit_report *report)
{
        for (size_t i = 0; i < report->count; i++) {
                free(report->findings[i].detail);
                free(report->findings[i].hint);
        }
        free(report->findings);
        *report = (struct audit_report)AUDIT_REPORT_INIT;
}

size_t audit_failures(const struct audit_report *report)
{
        size_t failures = 0;

        for (size_t i = 0; i < report->count; i++)
                failures += report->findings[i].verdict == AUDIT_CROSSED || report->findings[i].verdict == AUDIT_UNKNOWN;
        return failures;
}

static void scene_clear(struct scene *scene)
{
        baits_clear(&scene->baits);
        probe_clear(&scene->probe);
}

/* Does the engine say beforehand that it can't hold this line? */
static bool is_weaker(const struct vm *vm, const char *id)
{
        _cleanup_(strv_clear) struct strv ids = STRV_INIT;

        engine_weaker_lines(vm->engine, vm->record.lan, &ids, NULL);
        return id && strv_contains(&ids, id);
}

static void measure(const struct scene *scene, const struct audit_line *line, struct audit_finding *out)
{
        _cleanup_(error_freep) struct error *error = NULL;
        const struct engine *whole = vm_whole_engine();

        out->line = line;
        if (line->measure(scene, out, &error) < 0) {
                out->verdict = AUDIT_UNKNOWN;
                set_string(&out->detail, error_text(error));
                set_string(&out->hint, xstrdup(error->hint));
        } else if (out->verdict == AUDIT_CROSSED && is_weaker(scene->vm, line->weaker)) {
                out->verdict = AUDIT_UNAVAILABLE;
                set_string(&out->hint, whole ? xasprintf("engine = \"%s\" holds it", whole->name) : NULL);
        }
}

int audit_run(const struct vm *vm, const struct vm *others, size_t other_count, struct audit_report *out, struct error **err)
{
        _cleanup_(scene_clear) struct scene scene = {
                .vm = vm,
                .others = others,
                .other_count = other_count,
                .stranger = (uint16_t)(STRANGER_LOWEST + randombytes_uniform(STRANGER_COUNT)),
        };
        _cleanup_(strv_clear) struct strv targets = STRV_INIT;

        if (baits_lay(&scene.baits, err) < 0 || vm->engine->processes(vm, &scene.processes, err) < 0)
                return -1;
        lines_targets(&scene, &targets);
        if (probe_run(vm, &targets, &scene.probe, err) < 0)
                return -1;
        for (const struct audit_line *line = audit_lines; line->id; line++) {
                out->findings = xreallocarray(out->findings, out->count + 1, sizeof(*out->findings));
                out->findings[out->count] = (struct audit_finding){ .verdict = AUDIT_UNKNOWN };
                measure(&scene, line, &out->findings[out->count++]);
        }
        return 0;
}
