/* The work of a guest is saved whole or not at all. A program in place of ssh sends the records (guest/copy-stream.h). */
#include "../host/scratch.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guest/archive.h"

/* Zstandard's magic number; what comes after it is not looked at here. */
#define MAGIC "\\050\\265\\057\\375"
/* A record of 1 MiB, which is more than a pipe holds: when the next one has begun to pass, it has been read and written. */
#define PIECE "printf 'B\\000\\020\\000\\010\\000\\000\\000\\000\\000\\000\\000\\000" MAGIC "'; head -c 1048572 /dev/zero\n"
#define END   "printf 'Z\\000\\000\\000\\000'\n"

static int setup(void **state)
{
        _cleanup_(freep) char *data = NULL, *session = NULL, *script = NULL, *saved = NULL, *variable = NULL;

        if (scratch_setup(state) < 0)
                return -1;
        data = path_join(*state, "data");
        session = path_join(data, "guest/session");
        script = path_join(session, "work.sh");
        saved = path_join(*state, "saved");
        variable = xasprintf("%s:/usr/bin:/bin", (char *)*state);
        setenv("MACHINE_DATA_DIR", data, 1);
        setenv("PATH", variable, 1);
        signal(SIGXFSZ, SIG_IGN);
        return file_make_folders(session, 0700, NULL) < 0 || file_make_folders(saved, 0700, NULL) < 0 ||
                               file_write_text(script, "exit 1\n", 0600, NULL) < 0
                       ? -1
                       : 0;
}

/* Saves what these lines of shell send as "saved/archive". */
static int save(const char *folder, const char *lines, int64_t *bytes, struct error **err)
{
        const struct vm vm = { .name = (char *)"blog", .folder = (char *)folder, .record = { .disk_bytes = 1 << 20 } };
        _cleanup_(freep) char *ssh = path_join(folder, "ssh");
        _cleanup_(freep) char *text = xasprintf("#!/bin/sh\n%s", lines);
        _cleanup_(freep) char *path = path_join(folder, "saved/archive");

        assert_int_equal(file_write_text(ssh, text, 0700, NULL), 0);
        return archive_save(&vm, path, bytes, err);
}

static void assert_fails(const char *folder, const char *lines, const char *why)
{
        _cleanup_(freep) char *saved = path_join(folder, "saved");
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *text = NULL;
        int64_t bytes;

        assert_int_equal(save(folder, lines, &bytes, &error), -1);
        text = error_text(error);
        assert_non_null(strstr(text, "cannot save the work of VM 'blog' to '"));
        if (!strstr(text, why))
                fail_msg("%s", text);
        assert_int_equal(file_list(saved, &names, NULL), 0);
        assert_int_equal(names.count, 0);
}

static void what_was_saved_is_there_for_its_owner_alone(void **state)
{
        _cleanup_(archive_clear) struct archive archive = ARCHIVE_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *path = path_join(*state, "saved/archive");
        int64_t bytes = 0;
        struct stat before, after;

        assert_int_equal(save(*state, PIECE PIECE END, &bytes, &error), 0);
        assert_int_equal(stat(path, &before), 0);
        assert_int_equal(before.st_size, bytes);
        assert_int_equal(scratch_mode(path), 0600);
        assert_int_equal(archive_open(path, &archive, &error), 0);
        assert_int_equal(archive.length, 2 << 20);
        /* Another one does not take its place. */
        assert_int_equal(save(*state, PIECE END, &bytes, &error), -1);
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(after.st_ino, before.st_ino);
}

static void a_guest_that_does_not_send_all_of_it_saves_nothing(void **state)
{
        assert_fails(*state, PIECE, "the guest ended it early");
        assert_fails(*state, PIECE "printf 'B\\000\\000'\n", "the guest ended it early");
        assert_fails(*state, PIECE "printf 'X\\000\\000\\000\\004why?'\n", "why?");
        assert_fails(*state, END, "not an archive");
        assert_fails(*state, PIECE "printf 'F\\000\\000\\000\\000'\n", "not an archive");
}

static void a_guest_that_sends_more_than_its_disk_holds_saves_nothing(void **state)
{
        assert_fails(*state, "while :; do\n" PIECE "done\n", "more than its disk can hold");
}

static void assert_fails_beyond(int64_t bytes, const char *folder, const char *lines)
{
        struct rlimit before, few;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        few = (struct rlimit){ .rlim_cur = (rlim_t)bytes, .rlim_max = before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
        assert_fails(folder, lines, "cannot write: File too large");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void what_can_not_be_written_whole_saves_nothing(void **state)
{
        /* The limit is lifted before the end comes, as on a disk that gets room again: only the middle would be missing. A
         * guest that nobody reads from any more lifts nothing. */
        assert_fails_beyond(1000, *state, "set -e\n" PIECE PIECE "prlimit --pid $PPID --fsize=unlimited:\n" END);
        /* There is no room for what comes after the guest's part. */
        assert_fails_beyond(1 << 20, *state, PIECE END);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_was_saved_is_there_for_its_owner_alone, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_guest_that_does_not_send_all_of_it_saves_nothing, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_guest_that_sends_more_than_its_disk_holds_saves_nothing, setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(what_can_not_be_written_whole_saves_nothing, setup, scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
