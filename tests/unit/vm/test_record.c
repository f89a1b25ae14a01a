/* vm.json: what is written is read back, and nothing that is wrong is taken for a record. */
#include "scratch.h"

#include "lib/json.h"
#include "vm/record.h"

static const char good[] =
        "{\"version\": 1, \"intent\": \"setup\", \"name\": \"blog\", \"owner\": \"projects.toml\", "
        "\"engine\": \"qemu\", \"uuid\": \"0b5f2c1e-0000-4000-8000-000000000001\", \"user\": \"me\", "
        "\"shell\": \"zsh\", \"created\": \"2026-01-02T03:04:05Z\", \"cpus\": 4, "
        "\"memory_bytes\": 4294967296, \"disk_bytes\": 32212254720, \"forward_agent\": false, "
        "\"lan\": true, \"cold\": true, \"ports\": [{\"host\": 8080, \"guest\": 80}], \"profiles\": [\"node\"], "
        "\"repos\": [\"https://example.org/blog.git\", \".\"], \"base\": null}";

static char *in_folder(void **state, const char *name)
{
        return path_join(*state, name);
}

static void write_record(void **state, const char *text)
{
        _cleanup_(freep) char *path = in_folder(state, "vm.json");

        scratch_write(path, text);
}

static void a_whole_record_is_read(void **state)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;

        write_record(state, good);
        assert_int_equal(vm_record_read(*state, &record, NULL), 0);
        assert_int_equal(record.intent, INTENT_SETUP);
        assert_string_equal(record.name, "blog");
        assert_int_equal(record.memory_bytes, 4294967296);
        assert_true(record.lan);
        assert_true(record.cold);
        assert_false(record.forward_agent);
        assert_int_equal(record.port_count, 1);
        assert_int_equal(record.ports[0].host, 8080);
        assert_int_equal(record.ports[0].guest, 80);
        assert_int_equal(record.profiles.count, 1);
        assert_string_equal(record.repos.items[1], ".");
        assert_null(record.base);
        assert_int_equal(record.lacks.count, 0);
}

static void what_was_written_is_read_back(void **state)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(vm_record_clear) struct vm_record again = VM_RECORD_INIT;
        _cleanup_(freep) char *path = in_folder(state, "vm.json");
        _cleanup_(freep) char *first = NULL;
        _cleanup_(freep) char *second = NULL;

        write_record(state, good);
        assert_int_equal(vm_record_read(*state, &record, NULL), 0);
        for (int intent = INTENT_NONE; intent <= INTENT_DESTROY; intent++) {
                record.intent = (enum vm_intent)intent;
                set_string(&record.base, intent % 2 ? xstrdup("0123abcd") : NULL);
                strv_add(&record.lacks, "base/uv_tool-2 uv: aider");
                assert_int_equal(vm_record_write(*state, &record, NULL), 0);
                set_string(&first, scratch_read(path));
                assert_int_equal(vm_record_read(*state, &again, NULL), 0);
                assert_int_equal(again.intent, intent);
                assert_true(strv_equal(&again.lacks, &record.lacks));
                assert_int_equal(vm_record_write(*state, &again, NULL), 0);
                set_string(&second, scratch_read(path));
                assert_string_equal(first, second);
        }
        assert_int_equal(scratch_mode(path), 0600);
}

static void a_missing_record_is_not_found(void **state)
{
        _cleanup_(freep) char *folder = in_folder(state, "nobody");
        _cleanup_(error_freep) struct error *err = NULL;
        struct vm_record record = VM_RECORD_INIT;

        assert_int_equal(vm_record_read(folder, &record, &err), -1);
        assert_int_equal(err->kind, ERROR_NOT_FOUND);
}

static void a_later_version_is_refused_with_a_hint(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        struct vm_record record = VM_RECORD_INIT;
        _cleanup_(freep) char *text = NULL;

        write_record(state, "{\"version\": 2, \"something\": \"else\"}");
        assert_int_equal(vm_record_read(*state, &record, &err), -1);
        text = error_text(err);
        assert_non_null(strstr(text, "version 2"));
        assert_non_null(strstr(err->hint, "version of machine"));
}

/* Each member is removed, then given every wrong type. */
static void every_member_must_be_there_with_its_type(void **state)
{
        _cleanup_(json_decrefp) json_t *whole = json_parse(good, strlen(good), "the record", NULL);
        const char *const others[] = { "null", "true", "7", "1.5", "\"\"", "\"x\"", "[]", "[1]", "{}" };
        size_t refused = 0;
        const char *key;
        json_t *value;

        json_object_foreach (whole, key, value) {
                for (size_t i = 0; i <= ARRAY_SIZE(others); i++) {
                        _cleanup_(json_decrefp) json_t *broken = json_deep_copy(whole);
                        json_t *other = i > 0 ? json_loads(others[i - 1], JSON_DECODE_ANY, NULL) : NULL;
                        _cleanup_(vm_record_clear) struct vm_record record = { .cpus = 77 };
                        _cleanup_(error_freep) struct error *err = NULL;
                        _cleanup_(freep) char *text = NULL;
                        _cleanup_(freep) char *quoted = xasprintf("'%s'", key);
                        bool fits = other && json_typeof(other) == json_typeof(value);

                        /* Another test has values of the right type. `base` may be null, missing or a text. */
                        if (fits || (json_is_boolean(value) && json_is_boolean(other)) || streq(key, "base")) {
                                json_decref(other);
                                continue;
                        }
                        if (other)
                                json_object_set_new(broken, key, other);
                        else
                                json_object_del(broken, key);
                        text = json_text(broken);
                        write_record(state, text);
                        assert_int_equal(vm_record_read(*state, &record, &err), -1);
                        set_string(&text, error_text(err));
                        assert_non_null(strstr(text, quoted));
                        assert_int_equal(record.cpus, 77);
                        refused++;
                }
        }
        assert_true(refused > 17 * 6);
}

static void values_out_of_range_are_refused(void **state)
{
        static const struct {
                const char *key, *value;
        } wrong[] = {
                { "intent", "\"sleep\"" },
                { "intent", "\"\"" },
                { "name", "\"../etc\"" },
                { "name", "\"\"" },
                { "user", "\"\"" },
                { "base", "\"\"" },
                { "base", "7" },
                { "cpus", "0" },
                { "memory_bytes", "-1" },
                { "ports", "[{\"host\": 0, \"guest\": 80}]" },
                { "ports", "[{\"host\": 80, \"guest\": 65536}]" },
                { "ports", "[{\"host\": 80}]" },
                { "ports", "[80]" },
                { "profiles", "[\"node\", null]" },
                { "repos", "[[]]" },
                { "version", "0" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                _cleanup_(json_decrefp) json_t *broken = json_parse(good, strlen(good), "the record", NULL);
                _cleanup_(error_freep) struct error *err = NULL;
                struct vm_record record = VM_RECORD_INIT;
                _cleanup_(freep) char *text = NULL;

                print_message("%s: %s\n", wrong[i].key, wrong[i].value);
                json_object_set_new(broken, wrong[i].key, json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
                text = json_text(broken);
                write_record(state, text);
                assert_int_equal(vm_record_read(*state, &record, &err), -1);
                assert_non_null(strstr(err->message, "vm.json"));
        }
}

static void what_is_no_json_is_refused(void **state)
{
        static const char *const texts[] = { "", "{", "[]", "\"blog\"", "{\"version\": 1, \"version\": 1}", "{}garbage" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(error_freep) struct error *err = NULL;
                struct vm_record record = VM_RECORD_INIT;

                write_record(state, texts[i]);
                assert_int_equal(vm_record_read(*state, &record, &err), -1);
                assert_int_not_equal(err->kind, ERROR_NOT_FOUND);
        }
}

static void an_incomplete_record_is_not_written(void **state)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = in_folder(state, "vm.json");
        _cleanup_(freep) char *before = NULL;
        _cleanup_(freep) char *after = NULL;

        write_record(state, good);
        assert_int_equal(vm_record_read(*state, &record, NULL), 0);
        before = scratch_read(path);
        set_string(&record.uuid, NULL);
        assert_int_equal(vm_record_write(*state, &record, &err), -1);
        assert_non_null(strstr(err->message, "'blog'"));
        after = scratch_read(path);
        assert_string_equal(before, after);
}

static void a_text_that_is_not_utf8_is_an_error_and_no_crash(void **state)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        write_record(state, good);
        assert_int_equal(vm_record_read(*state, &record, NULL), 0);
        set_string(&record.owner, xstrdup("/srv/caf\xe9"));
        assert_int_equal(vm_record_write(*state, &record, &err), -1);
        assert_non_null(strstr(err->cause->message, "UTF-8"));
        set_string(&record.owner, xstrdup("/srv"));
        strv_add(&record.repos, "\xff");
        assert_int_equal(vm_record_write(*state, &record, NULL), -1);
}

static void a_folder_that_is_gone_is_an_error(void **state)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(freep) char *folder = in_folder(state, "gone");

        write_record(state, good);
        assert_int_equal(vm_record_read(*state, &record, NULL), 0);
        assert_int_equal(vm_record_write(folder, &record, NULL), -1);
}

static void those_that_the_project_names_come_first(void **state)
{
        struct vm_record record = VM_RECORD_INIT;

        assert_int_equal(vm_record_keys(&record)->count, 0);
        strv_add(&record.needed_keys, "SHA256:needed");
        assert_string_equal(vm_record_keys(&record)->items[0], "SHA256:needed");
        strv_add(&record.keys, "SHA256:named");
        assert_string_equal(vm_record_keys(&record)->items[0], "SHA256:named");
        vm_record_clear(&record);
}

/* The two are compared as they are written: every field is there. */
static void a_copy_has_all_that_the_record_has(void **state)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(vm_record_clear) struct vm_record copy = VM_RECORD_INIT;
        _cleanup_(freep) char *path = in_folder(state, "vm.json");
        _cleanup_(freep) char *first = NULL;
        _cleanup_(freep) char *second = NULL;

        write_record(state, good);
        assert_int_equal(vm_record_read(*state, &record, NULL), 0);
        set_string(&record.base, xstrdup("0123abcd"));
        set_string(&record.park_after, xstrdup("2h"));
        assert_int_equal(vm_record_write(*state, &record, NULL), 0);
        first = scratch_read(path);
        vm_record_copy(&record, &copy);
        vm_record_clear(&record);
        assert_int_equal(vm_record_write(*state, &copy, NULL), 0);
        second = scratch_read(path);
        assert_string_equal(first, second);
}

static void a_vm_is_parked_after_its_time_or_never(void **state)
{
        struct vm_record record = VM_RECORD_INIT;

        assert_int_equal(vm_record_park_ms(&record), 30 * 60 * 1000);
        record.park_after = (char *)"90s";
        assert_int_equal(vm_record_park_ms(&record), 90000);
        record.park_after = (char *)"never";
        assert_int_equal(vm_record_park_ms(&record), -1);
        record.park_after = (char *)"nonsense";
        assert_int_equal(vm_record_park_ms(&record), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(those_that_the_project_names_come_first),
                cmocka_unit_test(a_whole_record_is_read),
                cmocka_unit_test(what_was_written_is_read_back),
                cmocka_unit_test(a_copy_has_all_that_the_record_has),
                cmocka_unit_test(a_vm_is_parked_after_its_time_or_never),
                cmocka_unit_test(a_missing_record_is_not_found),
                cmocka_unit_test(a_later_version_is_refused_with_a_hint),
                cmocka_unit_test(every_member_must_be_there_with_its_type),
                cmocka_unit_test(values_out_of_range_are_refused),
                cmocka_unit_test(what_is_no_json_is_refused),
                cmocka_unit_test(an_incomplete_record_is_not_written),
                cmocka_unit_test(a_text_that_is_not_utf8_is_an_error_and_no_crash),
                cmocka_unit_test(a_folder_that_is_gone_is_an_error),
        };

        return cmocka_run_group_tests_name("vm/record", tests, scratch_setup, scratch_teardown);
}
