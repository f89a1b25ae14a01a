/* A VM's files: opened, locked, saved, listed, forgotten. The engine here only says what the test tells it. */
#include "scratch.h"

#include "lib/deadline.h"
#include "vm/vm.h"

static enum vm_state told_state;
static bool told_to_fail;

static int tell(const struct vm *vm, struct vm_status *out, struct error **err)
{
        if (told_to_fail)
                return error_set(err, ERROR_ENGINE, "nobody answers");
        out->state = told_state;
        return 0;
}

static const struct engine told_engine = { .name = "told", .renames = true, .inspect = tell };
static const struct engine *const engines[] = { &told_engine, NULL };

/* Each test has its own state folder. */
static int setup(void **state)
{
        if (scratch_setup(state) < 0)
                return -1;
        told_state = VM_STOPPED;
        told_to_fail = false;
        vm_set_engines(engines);
        return setenv("XDG_STATE_HOME", *state, 1);
}

static void fill(struct vm *vm)
{
        struct vm_record *record = &vm->record;

        record->intent = INTENT_CREATE;
        record->name = xstrdup(vm->name);
        record->owner = xstrdup("projects.toml");
        record->engine = xstrdup("told");
        record->uuid = xstrdup("0b5f2c1e-0000-4000-8000-000000000001");
        record->user = xstrdup("me");
        record->shell = xstrdup("zsh");
        record->created = xstrdup("2026-01-02T03:04:05Z");
        record->cpus = 4;
        record->memory_bytes = record->disk_bytes = 1 << 30;
        vm->engine = &told_engine;
}

static void make(const char *name)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        assert_int_equal(vm_open(&vm, name, NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        fill(&vm);
        assert_int_equal(vm_save(&vm, NULL), 0);
        assert_true(vm.exists);
}

static void a_vm_that_is_not_there_opens_without_a_record(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *folder = xasprintf("%s/machine/vms/blog", (const char *)*state);

        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_false(vm.exists);
        assert_null(vm.engine);
        assert_string_equal(vm.folder, folder);
        assert_false(file_exists(folder));
        assert_int_equal(vm_inspect(&vm, &status, NULL), 0);
        assert_int_equal(status.state, VM_ABSENT);
}

static void asking_for_one_that_must_be_there_says_how_to_make_it(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(vm_open_existing(&vm, "blog", &err), -1);
        assert_int_equal(err->kind, ERROR_NOT_FOUND);
        assert_string_equal(err->message, "no VM 'blog'");
        assert_string_equal(err->hint, "machine up blog");
        assert_null(vm.name);
}

static void a_saved_vm_is_opened_with_its_engine(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        make("blog");
        assert_int_equal(vm_open_existing(&vm, "blog", NULL), 0);
        assert_ptr_equal(vm.engine, &told_engine);
        assert_int_equal(vm.record.cpus, 4);
        assert_int_equal(scratch_mode(vm.folder), 0700);
        assert_int_equal(vm_inspect(&vm, &status, NULL), 0);
        assert_int_equal(status.state, VM_STOPPED);
}

static void an_engine_that_can_not_be_asked_is_an_error_and_no_guess(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        struct vm_status status = { .state = VM_RUNNING };
        _cleanup_(error_freep) struct error *err = NULL;

        make("blog");
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        told_to_fail = true;
        assert_int_equal(vm_inspect(&vm, &status, &err), -1);
        assert_int_equal(status.state, VM_RUNNING);
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_non_null(strstr(err->message, "'blog'"));
}

static void a_name_that_could_leave_the_folder_is_refused(void **state)
{
        static const char *const names[] = { "", "..", "../x", "a/b", "Blog", "-x", "a\nb" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(vm_clear) struct vm vm = VM_INIT;
                _cleanup_(error_freep) struct error *err = NULL;

                assert_int_equal(vm_open(&vm, names[i], &err), -1);
                assert_int_equal(err->kind, ERROR_USAGE);
                assert_null(strchr(err->message, '\n'));
        }
}

static char *in_folder(void **state, const char *name)
{
        return xasprintf("%s/machine/vms/blog/%s", (const char *)*state, name);
}

static void a_record_that_cant_be_read_is_taken_from_its_copy_and_restored(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(vm_clear) struct vm after = VM_INIT;
        _cleanup_(freep) char *path = in_folder(state, "vm.json");
        _cleanup_(freep) char *kept = in_folder(state, "vm.json.damaged");
        _cleanup_(freep) char *damaged = NULL;

        make("blog");
        scratch_write(path, "{ half");
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(vm.record.cpus, 4);
        assert_non_null(strstr(vm.damage, "vm.json"));
        /* Looking changes nothing. */
        assert_false(file_exists(kept));
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        assert_null(vm.damage);
        damaged = scratch_read(kept);
        assert_string_equal(damaged, "{ half");
        assert_int_equal(vm_open(&after, "blog", NULL), 0);
        assert_null(after.damage);
}

/* The copy may be from before the disk was finished. */
static void a_copy_never_says_that_a_disk_may_be_replaced(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *path = in_folder(state, "vm.json");

        make("blog");
        assert_int_equal(file_remove(path, NULL), 0);
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(vm.record.intent, INTENT_SETUP);
        told_state = VM_ABSENT;
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(vm.record.intent, INTENT_CREATE);
}

static void without_record_and_copy_it_is_an_error_and_not_an_absent_vm(void **state)
{
        static const char *const texts[] = { "{ half", "", NULL };
        _cleanup_(freep) char *path = in_folder(state, "vm.json");
        _cleanup_(freep) char *copy = in_folder(state, "vm.json.copy");
        _cleanup_(freep) char *disk = in_folder(state, "disk.qcow2");

        make("blog");
        scratch_write(disk, "work");
        assert_int_equal(file_remove(copy, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(vm_clear) struct vm vm = VM_INIT;
                _cleanup_(strv_clear) struct strv names = STRV_INIT;
                _cleanup_(error_freep) struct error *err = NULL;
                _cleanup_(freep) char *damage = NULL;

                assert_int_equal(file_remove(path, NULL), 0);
                if (texts[i])
                        scratch_write(path, texts[i]);
                assert_int_equal(vm_open(&vm, "blog", &err), -1);
                assert_non_null(strstr(err->message, "'blog'"));
                assert_string_equal(err->hint, "machine doctor --repair");
                assert_int_equal(vm_list(&names, NULL), 0);
                assert_int_equal(names.count, 1);
                assert_int_equal(vm_open_damaged(&vm, "blog", &damage, NULL), 1);
                assert_non_null(damage);
                assert_string_equal(vm.name, "blog");
        }
}

static void a_record_of_a_later_version_is_left_alone(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = in_folder(state, "vm.json");
        char *damage = NULL;

        make("blog");
        scratch_write(path, "{\"version\": 99}");
        assert_int_equal(vm_open(&vm, "blog", &err), -1);
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_null(strstr(err->hint, "repair"));
        assert_int_equal(vm_open_damaged(&vm, "blog", &damage, NULL), -1);
        assert_null(damage);
}

static void a_record_of_another_vm_is_refused(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *blog = xasprintf("%s/machine/vms/blog", (const char *)*state);
        _cleanup_(freep) char *shop = xasprintf("%s/machine/vms/shop", (const char *)*state);

        make("blog");
        assert_int_equal(file_rename(blog, shop, NULL), 0);
        assert_int_equal(vm_open(&vm, "shop", NULL), -1);
}

static void an_engine_that_this_program_lacks_is_named(void **state)
{
        static const struct engine *const none[] = { NULL };
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        make("blog");
        vm_set_engines(none);
        assert_int_equal(vm_open(&vm, "blog", &err), -1);
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_non_null(strstr(err->message, "'told'"));
}

static void an_intent_is_on_the_disk_before_the_call_returns(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(vm_clear) struct vm seen = VM_INIT;

        make("blog");
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        assert_int_equal(vm_intend(&vm, INTENT_DESTROY, NULL), 0);
        assert_int_equal(vm_open(&seen, "blog", NULL), 0);
        assert_int_equal(seen.record.intent, INTENT_DESTROY);
}

static void an_intent_that_could_not_be_written_is_not_held(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        make("blog");
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        set_string(&vm.record.user, NULL);
        assert_int_equal(vm_intend(&vm, INTENT_DESTROY, NULL), -1);
        assert_int_equal(vm.record.intent, INTENT_CREATE);
}

static void nothing_is_changed_without_the_lock(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        make("blog");
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(vm_save(&vm, NULL), -1);
        assert_int_equal(vm_intend(&vm, INTENT_NONE, NULL), -1);
        assert_int_equal(vm_forget(&vm, NULL), -1);
        assert_true(file_exists(vm.folder));
}

static void a_forgotten_vm_leaves_no_folder(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(vm_clear) struct vm after = VM_INIT;
        _cleanup_(freep) char *logs = NULL;

        make("blog");
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        logs = path_join(vm.folder, "logs/old");
        assert_int_equal(file_make_folders(logs, 0700, NULL), 0);
        assert_int_equal(vm_forget(&vm, NULL), 0);
        assert_false(file_exists(vm.folder));
        assert_false(vm.exists);
        assert_int_equal(vm_open(&after, "blog", NULL), 0);
        assert_false(after.exists);
}

static void a_folder_whose_record_was_not_written_yet_is_no_vm_and_can_be_forgotten(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *half = NULL;

        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        half = path_join(vm.folder, ".tmp-killed");
        assert_int_equal(file_make_folders(half, 0700, NULL), 0);
        assert_int_equal(vm_list(&names, NULL), 0);
        assert_int_equal(names.count, 0);
        assert_int_equal(vm_forget(&vm, NULL), 0);
        assert_false(file_exists(vm.folder));
        assert_int_equal(vm_forget(&vm, NULL), 0);
}

static void the_list_has_every_vm_with_a_record_in_order(void **state)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(freep) char *stray = xasprintf("%s/machine/vms/.tmp-abc", (const char *)*state);

        assert_int_equal(vm_list(&names, NULL), 0);
        assert_int_equal(names.count, 0);
        make("shop");
        make("blog");
        make("a-1");
        assert_int_equal(file_make_folders(stray, 0700, NULL), 0);
        assert_int_equal(vm_list(&names, NULL), 0);
        text = strv_join(&names, " ");
        assert_string_equal(text, "a-1 blog shop");
}

static void a_thousand_vms_are_listed_in_a_moment(void **state)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        int64_t started, took;

        for (int i = 0; i < 1000; i++) {
                _cleanup_(freep) char *folder = xasprintf("%s/machine/vms/vm-%d", (const char *)*state, i);
                _cleanup_(freep) char *record = path_join(folder, "vm.json");
                FILE *file;

                assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
                file = fopen(record, "we");
                assert_non_null(file);
                fclose(file);
        }
        started = now_ms();
        assert_int_equal(vm_list(&names, NULL), 0);
        took = now_ms() - started;
        print_message("1000 names in %lld ms\n", (long long)took);
        assert_int_equal(names.count, 1000);
        assert_true(took < 500);
}

/* A sink that makes the holder of the lock let go as soon as somebody reports that they wait for it. */
struct waiting {
        struct event_sink sink;
        struct vm *holder;
        char *note;
};

static void on_event(struct event_sink *sink, const struct event *event)
{
        struct waiting *waiting = (struct waiting *)sink;

        assert_int_equal(event->type, EVENT_NOTE);
        set_string(&waiting->note, xstrdup(event->text));
        waiting->holder->record.cpus = 16;
        assert_int_equal(vm_save(waiting->holder, NULL), 0);
        lock_release(&waiting->holder->lock);
}

static void who_waits_for_the_lock_says_so_and_sees_what_the_holder_wrote(void **state)
{
        _cleanup_(vm_clear) struct vm holder = VM_INIT;
        _cleanup_(vm_clear) struct vm waiter = VM_INIT;
        struct waiting waiting = { .sink.handle = on_event, .holder = &holder };

        make("blog");
        assert_int_equal(vm_open(&holder, "blog", NULL), 0);
        assert_int_equal(vm_lock(&holder, NULL, NULL), 0);
        assert_int_equal(vm_open(&waiter, "blog", NULL), 0);
        assert_int_equal(waiter.record.cpus, 4);
        assert_int_equal(vm_lock(&waiter, &waiting.sink, NULL), 0);
        assert_non_null(strstr(waiting.note, "'blog' is busy"));
        assert_int_equal(waiter.record.cpus, 16);
        free(waiting.note);
}

static void locking_again_is_no_deadlock(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
}

static void a_waiter_does_not_bring_back_what_was_forgotten(void **state)
{
        _cleanup_(vm_clear) struct vm holder = VM_INIT;
        _cleanup_(vm_clear) struct vm waiter = VM_INIT;

        make("blog");
        assert_int_equal(vm_open(&waiter, "blog", NULL), 0);
        assert_true(waiter.exists);
        assert_int_equal(vm_open(&holder, "blog", NULL), 0);
        assert_int_equal(vm_lock(&holder, NULL, NULL), 0);
        assert_int_equal(vm_forget(&holder, NULL), 0);
        vm_clear(&holder);
        assert_int_equal(vm_lock(&waiter, NULL, NULL), 0);
        assert_false(waiter.exists);
        assert_null(waiter.engine);
}

static void states_have_the_names_of_the_list(void **state)
{
        assert_string_equal(vm_state_name(VM_ABSENT), "absent");
        assert_string_equal(vm_state_name(VM_STOPPED), "stopped");
        assert_string_equal(vm_state_name(VM_RUNNING), "running");
        assert_string_equal(vm_state_name(VM_PARKED), "parked");
        assert_string_equal(vm_state_name(VM_BROKEN), "broken");
        assert_string_equal(vm_state_name(VM_PAUSED), "paused");
        assert_string_equal(vm_state_name(VM_UNRESPONSIVE), "unresponsive");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, scratch_teardown)

/* --- another name */

static void open_locked(struct vm *vm, const char *name)
{
        assert_int_equal(vm_open(vm, name, NULL), 0);
        assert_int_equal(vm_lock(vm, NULL, NULL), 0);
}

static void a_renamed_vm_has_its_folder_its_lock_and_its_former_name(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(vm_clear) struct vm place = VM_INIT;
        _cleanup_(vm_clear) struct vm again = VM_INIT;
        _cleanup_(vm_clear) struct vm old = VM_INIT;
        _cleanup_(freep) char *folder = xasprintf("%s/machine/vms/weblog", (const char *)*state);

        make("blog");
        open_locked(&vm, "blog");
        open_locked(&place, "weblog");
        assert_int_equal(vm_rename(&vm, &place, NULL), 0);
        assert_string_equal(vm.name, "weblog");
        assert_string_equal(vm.folder, folder);
        assert_string_equal(vm.record.name, "weblog");
        assert_string_equal(vm.record.former, "blog");
        assert_null(vm.record.becomes);
        assert_int_equal(vm_save(&vm, NULL), 0);
        assert_int_equal(vm_open(&again, "weblog", NULL), 0);
        assert_true(again.exists);
        assert_string_equal(again.record.former, "blog");
        /* Nobody waits for the old name. */
        open_locked(&old, "blog");
        assert_false(old.exists);
}

/* As a process leaves it that is killed before or after the one step. */
static void a_rename_that_was_interrupted_leaves_one_of_the_names(void **state)
{
        _cleanup_(freep) char *from = xasprintf("%s/machine/vms/blog", (const char *)*state);
        _cleanup_(freep) char *to = xasprintf("%s/machine/vms/weblog", (const char *)*state);

        make("blog");
        for (int renamed = 0; renamed < 2; renamed++) {
                _cleanup_(vm_clear) struct vm vm = VM_INIT;
                _cleanup_(vm_clear) struct vm other = VM_INIT;

                if (renamed) {
                        assert_int_equal(rename(from, to), 0);
                } else {
                        open_locked(&vm, "blog");
                        vm.record.becomes = xstrdup("weblog");
                        assert_int_equal(vm_save(&vm, NULL), 0);
                        vm_clear(&vm);
                }
                assert_int_equal(vm_open(&vm, renamed ? "weblog" : "blog", NULL), 0);
                assert_int_equal(vm_open(&other, renamed ? "blog" : "weblog", NULL), 0);
                assert_true(vm.exists && !other.exists);
                assert_string_equal(vm.record.name, renamed ? "weblog" : "blog");
                assert_null(vm.record.becomes);
                if (renamed)
                        assert_string_equal(vm.record.former, "blog");
                else
                        assert_null(vm.record.former);
        }
}

static void a_folder_that_merely_lies_elsewhere_is_still_another_vms(void **state)
{
        _cleanup_(freep) char *from = xasprintf("%s/machine/vms/blog", (const char *)*state);
        _cleanup_(freep) char *to = xasprintf("%s/machine/vms/shop", (const char *)*state);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        make("blog");
        open_locked(&vm, "blog");
        vm.record.becomes = xstrdup("weblog");
        assert_int_equal(vm_save(&vm, NULL), 0);
        vm_clear(&vm);
        assert_int_equal(rename(from, to), 0);
        assert_int_equal(vm_open(&vm, "shop", &err), -1);
        assert_non_null(strstr(err->message, "belongs to another VM, 'blog'"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_vm_that_is_not_there_opens_without_a_record),
                TEST(a_renamed_vm_has_its_folder_its_lock_and_its_former_name),
                TEST(a_rename_that_was_interrupted_leaves_one_of_the_names),
                TEST(a_folder_that_merely_lies_elsewhere_is_still_another_vms),
                TEST(asking_for_one_that_must_be_there_says_how_to_make_it),
                TEST(a_saved_vm_is_opened_with_its_engine),
                TEST(an_engine_that_can_not_be_asked_is_an_error_and_no_guess),
                TEST(a_name_that_could_leave_the_folder_is_refused),
                TEST(a_record_that_cant_be_read_is_taken_from_its_copy_and_restored),
                TEST(a_copy_never_says_that_a_disk_may_be_replaced),
                TEST(without_record_and_copy_it_is_an_error_and_not_an_absent_vm),
                TEST(a_record_of_a_later_version_is_left_alone),
                TEST(a_record_of_another_vm_is_refused),
                TEST(an_engine_that_this_program_lacks_is_named),
                TEST(an_intent_is_on_the_disk_before_the_call_returns),
                TEST(an_intent_that_could_not_be_written_is_not_held),
                TEST(nothing_is_changed_without_the_lock),
                TEST(a_forgotten_vm_leaves_no_folder),
                TEST(a_folder_whose_record_was_not_written_yet_is_no_vm_and_can_be_forgotten),
                TEST(the_list_has_every_vm_with_a_record_in_order),
                TEST(a_thousand_vms_are_listed_in_a_moment),
                TEST(who_waits_for_the_lock_says_so_and_sees_what_the_holder_wrote),
                TEST(locking_again_is_no_deadlock),
                TEST(a_waiter_does_not_bring_back_what_was_forgotten),
                TEST(states_have_the_names_of_the_list),
        };

        return cmocka_run_group_tests_name("vm/vm", tests, NULL, NULL);
}
