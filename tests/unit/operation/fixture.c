#include "fixture.h"

#include "operation/describe.h"

struct fake fake;

static int call(const char *name, struct error **err)
{
        size_t length = strlen(fake.calls);

        assert_true(length + strlen(name) + 2 < sizeof(fake.calls));
        snprintf(fake.calls + length, sizeof(fake.calls) - length, "%s%s", length > 0 ? " " : "", name);
        if (!fake.fails)
                return 0;
        error_set(err, ERROR_ENGINE, "it can't %s", name);
        return error_passes(err, fake.passes);
}

static int fake_inspect(const struct vm *vm, struct vm_status *out, struct error **err)
{
        if (fake.fails)
                return error_set(err, ERROR_ENGINE, "nobody answers");
        out->state = fake.state;
        if (fake.state == VM_PAUSED) {
                out->reason = xstrdup("the host's disk is full (/there)");
                out->hint = xstrdup("make room there");
                out->waits = true;
        }
        return 0;
}

static int fake_resume(const struct vm *vm, struct error **err)
{
        if (fake.state == VM_PAUSED && fake.room)
                fake.state = VM_RUNNING;
        return fake.state == VM_PAUSED ? error_set(err, ERROR_ENGINE, "VM '%s' is paused", vm->name) : 0;
}

static int fake_start(struct vm *vm, struct event_sink *events, struct error **err)
{
        if (call("start", err) < 0)
                return -1;
        fake.state = VM_RUNNING;
        return 0;
}

static int fake_stop(struct vm *vm, struct event_sink *events, struct error **err)
{
        if (call("stop", err) < 0)
                return -1;
        fake.state = VM_STOPPED;
        return 0;
}

static int fake_kill(struct vm *vm, struct error **err)
{
        if (call("kill", err) < 0)
                return -1;
        fake.state = VM_STOPPED;
        return 0;
}

static int fake_remove(struct vm *vm, struct error **err)
{
        if (call("remove", err) < 0)
                return -1;
        fake.state = VM_ABSENT;
        return 0;
}

const struct engine fake_engine = {
        .name = "fake",
        .renames = true,
        .inspect = fake_inspect,
        .resume = fake_resume,
        .start = fake_start,
        .stop = fake_stop,
        .kill = fake_kill,
        .remove = fake_remove,
};

static void hear(struct event_sink *sink, const struct event *event)
{
        size_t length = strlen(fake.warnings);

        if (event->type == EVENT_WARNING)
                snprintf(fake.warnings + length, sizeof(fake.warnings) - length, "%s\n", event->text);
}

static struct event_sink sink = { .handle = hear };
struct front front = { .events = &sink };

static const char *folder;

int fixture_setup(void **state)
{
        static const struct engine *const engines[] = { &fake_engine, NULL };
        static const char *const places[] = { "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME",
                                              "HOME",           "MACHINE_SSH_DIR" };

        if (scratch_setup(state) < 0)
                return -1;
        folder = *state;
        fake = (struct fake){ .state = VM_STOPPED };
        front.ask_trust = NULL;
        vm_set_engines(engines);
        project_set_engines((const char *const[]){ "fake", NULL });
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                _cleanup_(freep) char *path = path_join(folder, places[i]);

                if (mkdir(path, 0700) < 0 || setenv(places[i], path, 1) < 0)
                        return -1;
        }
        return setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
}

int fixture_teardown(void **state)
{
        return scratch_teardown(state);
}

char *fixture_write(const char *inner, const char *name, const char *text)
{
        _cleanup_(freep) char *parent = path_join(folder, inner);
        char *path = path_join(parent, name);

        assert_int_equal(file_make_folders(parent, 0700, NULL), 0);
        scratch_write(path, text);
        return path;
}

void fixture_projects(const char *text)
{
        free(fixture_write("XDG_CONFIG_HOME/machine", "projects.toml", text));
}

void fixture_vm(const char *name, const char *owner, enum vm_intent intent)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        assert_int_equal(project_default(&project, name, NULL, NULL), 0);
        assert_int_equal(vm_open(&vm, name, NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        describe_record(&vm.record, &project, name, "fake");
        if (owner)
                set_string(&vm.record.owner, xstrdup(owner));
        vm.engine = &fake_engine;
        assert_int_equal(vm_intend(&vm, intent, NULL), 0);
}
