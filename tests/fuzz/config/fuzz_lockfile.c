/* Any bytes as machine.lock. What is accepted is written back as the same entries. */
#include "../fuzz.h"

#include "config/lockfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;
        _cleanup_(lockfile_clear) struct lockfile again = LOCKFILE_INIT;
        _cleanup_(strbuf_clear) struct strbuf first = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf second = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (lockfile_parse((const char *)data, size, "machine.lock", &lock, &error) < 0) {
                CHECK(error && error->kind == ERROR_CONFIG && error->file);
                return 0;
        }
        lockfile_text(&lock, &first);
        CHECK(lockfile_parse(first.buf, first.len, "machine.lock", &again, NULL) == 0);
        CHECK(again.count == lock.count);
        for (size_t i = 0; i < lock.count; i++) {
                const struct lock_entry *entry = &lock.entries[i];
                const char *value = lockfile_get(&again, entry->architecture, entry->section, entry->step, entry->name);

                CHECK(value && streq(value, entry->value));
        }
        lockfile_text(&again, &second);
        CHECK(streq(first.buf, second.buf));
        return 0;
}
