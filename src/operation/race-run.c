/* Running a race: as many forks as there is room for are made, one after the other, and then the command starts in all of them.
 */
#include "guest/folder.h"
#include "guest/job.h"
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/text.h"
#include "operation/budget.h"
#include "operation/destroy.h"
#include "operation/fork.h"
#include "operation/power.h"
#include "operation/race.h"
#include "operation/snapshot.h"

#define BRANCH   "race"
#define LOG      "logs/race.log"
#define TEST_LOG "logs/race-test.log"

enum phase { WAITS, READY, RUNS, TESTS, DONE };

/* One fork's part of the race. */
struct lane {
        struct race_fork *fork;
        struct vm vm;
        struct job job;
        enum phase phase;
        bool made; /* `vm` is a fork that runs, or ran */
};

struct course {
        struct front *front;
        const struct vm *source;
        const struct race_wish *wish;
        const char *key; /* of the snapshot that all begin at */
        struct lane *lanes;
        struct job **jobs; /* of the lanes, for jobs_wait() */
        size_t count;
        struct error *last; /* why the last fork that could not be made could not be */
};

static void course_clear(struct course *course)
{
        /* All hear of the end before one is waited for. */
        for (size_t i = 0; i < course->count; i++)
                job_hang_up(&course->lanes[i].job);
        for (size_t i = 0; i < course->count; i++) {
                job_clear(&course->lanes[i].job);
                vm_clear(&course->lanes[i].vm);
        }
        free(course->lanes);
        free(course->jobs);
        error_free(course->last);
}

static void set_out(struct course *course, struct race *race)
{
        const char *branch = course->wish->branch ? course->wish->branch : BRANCH;
        bool has_repo = course->source->record.repos.count > 0;

        course->count = course->wish->count;
        course->lanes = xcalloc(course->count, sizeof(*course->lanes));
        course->jobs = xcalloc(course->count, sizeof(struct job *));
        race->name = xstrdup(course->source->name);
        race->items = xcalloc(course->count, sizeof(*race->items));
        race->count = course->count;
        for (size_t i = 0; i < course->count; i++) {
                struct race_fork *fork = &race->items[i];

                *fork = (struct race_fork){ .number = (int64_t)i + 1, .took_ms = -1 };
                fork->name = race_fork_name(race->name, fork->number);
                fork->branch = has_repo ? xasprintf("%s-%zu", branch, i + 1) : NULL;
                course->lanes[i] = (struct lane){ .fork = fork, .vm = VM_INIT, .job = JOB_INIT };
                course->jobs[i] = &course->lanes[i].job;
        }
}

/* --- one lane */

/* What is known of a run is of use even when it can't be written down. */
static void note_down(const struct lane *lane)
{
        if (lane->made)
                race_write(lane->vm.folder, lane->fork, NULL);
}

static void give_up(struct course *course, struct lane *lane, struct error *reason)
{
        lane->phase = DONE;
        /* Who stopped the race knows why. */
        if (interrupt_pending()) {
                error_free(reason);
                return;
        }
        lane->fork->trouble = error_text(reason);
        note_down(lane);
        event_warning(course->front->events, "'%s' is out of the race: %s", lane->fork->name, lane->fork->trouble);
        error_free(course->last);
        course->last = reason;
}

/* Both get the fork's number and the number of forks before their own words. */
static const char command_script[] = "export RACE=\"$1\" RACE_COUNT=\"$2\"; shift 2; exec \"$@\"";
static const char test_script[] = "export RACE=\"$1\" RACE_COUNT=\"$2\"; eval \"$3\"";

/* Starts the command or the test (`words`, NULL-ended) in the lane's fork. */
static int begin_job(const struct course *course, struct lane *lane, const char *script, const char *const *words,
                     const char *log, struct error **err)
{
        _cleanup_(freep) char *logs = path_join(lane->vm.folder, "logs");
        _cleanup_(freep) char *path = path_join(lane->vm.folder, log);
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        if (lane->vm.record.repos.count == 0)
                folder = xasprintf("/home/%s", lane->vm.record.user);
        else if (folder_path(&lane->vm, NULL, &folder, err) < 0)
                return -1;
        strv_addf(&args, "%lld", (long long)lane->fork->number);
        strv_addf(&args, "%zu", course->count);
        for (; *words; words++)
                strv_add(&args, *words);
        job_clear(&lane->job);
        return file_make_folders(logs, 0700, err) < 0
                       ? -1
                       : job_begin(&lane->job, &lane->vm, folder, script, strv_argv(&args), path, err);
}

static int run_command(const struct course *course, struct lane *lane, struct error **err)
{
        if (begin_job(course, lane, command_script, course->wish->command, LOG, err) < 0)
                return -1;
        set_string(&lane->fork->log, path_join(lane->vm.folder, LOG));
        lane->phase = RUNS;
        return 0;
}

static int run_test(const struct course *course, struct lane *lane, struct error **err)
{
        lane->phase = TESTS;
        return begin_job(course, lane, test_script, (const char *const[]){ course->wish->test, NULL }, TEST_LOG, err);
}

static int make_fork(const struct course *course, struct lane *lane, struct error **err)
{
        const struct race_fork *fork = lane->fork;

        if (fork_make(course->front, course->source, course->key, fork->name, fork->branch, true, &lane->vm, err) < 0)
                return -1;
        lane->made = true;
        lane->phase = READY;
        note_down(lane);
        return fork->branch ? branch_tree(&lane->vm, &lane->fork->tree, err) : 0;
}

/* Does the next step of a lane, and takes the lane out of the race when that fails. */
static void step(struct course *course, struct lane *lane,
                 int (*next)(const struct course *course, struct lane *lane, struct error **err))
{
        struct error *reason = NULL;

        if (next(course, lane, &reason) < 0)
                give_up(course, lane, reason);
        else
                note_down(lane);
}

static int take_end(struct lane *lane, struct race_end *end, struct error **err)
{
        if (lane->job.unreached)
                return error_set(err, ERROR_STEP, "the command did not start in VM '%s', as '%s' says", lane->fork->name,
                                 lane->fork->log);
        *end = (struct race_end){ .known = true, .status = lane->job.status };
        return 0;
}

static void say_end(const struct course *course, const struct lane *lane)
{
        _cleanup_(freep) char *took = text_format_duration(lane->fork->took_ms);
        const struct race_end *test = &lane->fork->test;

        event_note(course->front->events, "'%s' has ended with exit status %d after %s%s", lane->fork->name,
                   lane->fork->command.status, took,
                   !test->known        ? ""
                   : test->status == 0 ? ", and passes the test"
                                       : ", and fails the test");
}

static int compare(struct lane *lane, struct error **err)
{
        if (!lane->fork->tree)
                return 0;
        if (branch_compare(&lane->vm, lane->fork->tree, &lane->fork->diff, err) < 0)
                return -1;
        lane->fork->compared = true;
        return 0;
}

/* The lane's job has ended. */
static int go_on(const struct course *course, struct lane *lane, struct error **err)
{
        if (lane->phase == RUNS) {
                lane->fork->took_ms = lane->job.took_ms;
                if (take_end(lane, &lane->fork->command, err) < 0)
                        return -1;
                note_down(lane);
                if (course->wish->test)
                        return run_test(course, lane, err);
        } else if (take_end(lane, &lane->fork->test, err) < 0) {
                return -1;
        }
        lane->phase = DONE;
        if (compare(lane, err) < 0)
                return -1;
        say_end(course, lane);
        return 0;
}

static void advance(struct course *course)
{
        for (size_t i = 0; i < course->count; i++) {
                struct lane *lane = &course->lanes[i];

                if ((lane->phase == RUNS || lane->phase == TESTS) && lane->job.ended)
                        step(course, lane, go_on);
        }
}

/* --- all lanes */

static size_t count_in(const struct course *course, enum phase phase)
{
        size_t count = 0;

        for (size_t i = 0; i < course->count; i++)
                count += course->lanes[i].phase == phase;
        return count;
}

/* Forks that are done make room for those that wait. What can't be parked stays. */
static void park_done(struct course *course)
{
        for (size_t i = 0; i < course->count; i++) {
                struct lane *lane = &course->lanes[i];
                bool was_running;

                if (lane->phase == DONE && lane->made && vm_runs(&lane->vm))
                        power_park(course->front, &lane->vm, &was_running, NULL);
        }
}

/* Is there room for another fork? One runs in any case. */
static bool has_room(struct course *course)
{
        size_t running = count_in(course, READY) + count_in(course, RUNS) + count_in(course, TESTS);

        if (running > 0 && running >= course->wish->at_once)
                return false;
        if (budget_has_room(course->source->record.memory_bytes))
                return true;
        park_done(course);
        return running == 0 || budget_has_room(course->source->record.memory_bytes);
}

static int make_those_that_fit(struct course *course, struct error **err)
{
        for (size_t i = 0; i < course->count; i++) {
                if (course->lanes[i].phase != WAITS)
                        continue;
                if (interrupt_check(err) < 0)
                        return -1;
                if (!has_room(course))
                        return 0;
                step(course, &course->lanes[i], make_fork);
        }
        return interrupt_check(err);
}

/* They start together, so that none has a lead. */
static void start_those_that_are_ready(struct course *course)
{
        for (size_t i = 0; i < course->count; i++)
                if (course->lanes[i].phase == READY)
                        step(course, &course->lanes[i], run_command);
}

static int run_all(struct course *course, struct error **err)
{
        while (count_in(course, DONE) < course->count) {
                if (make_those_that_fit(course, err) < 0)
                        return -1;
                start_those_that_are_ready(course);
                if (jobs_wait(course->jobs, course->count, err) < 0)
                        return -1;
                advance(course);
        }
        return interrupt_check(err);
}

static bool any_made(const struct course *course)
{
        for (size_t i = 0; i < course->count; i++)
                if (course->lanes[i].made)
                        return true;
        return false;
}

/* --- before it begins */

static int check_engine(const struct vm *source, struct error **err)
{
        if (source->engine->snapshot)
                return 0;
        error_set(err, ERROR_ENGINE, "a race needs forks of VM '%s', and engine '%s' can't make any", source->name,
                  source->engine->name);
        return error_hint(err, "use one work tree for each run instead: machine run %s -- git worktree add ../race-1",
                          source->name);
}

static int check_first(const struct vm *source, struct error **err)
{
        _cleanup_(race_clear) struct race race = RACE_INIT;

        if (race_find(source->name, &race, err) < 0)
                return -1;
        if (race.count == 0)
                return 0;
        error_set(err, ERROR_WORK, "VM '%s' has a race already, of %zu fork%s", source->name, race.count,
                  race.count == 1 ? "" : "s");
        return error_hint(err, "machine race %s shows it; machine race %s --keep FORK, or --drop, ends it", source->name,
                          source->name);
}

static int check(const struct vm *source, const struct race_wish *wish, struct error **err)
{
        if (check_engine(source, err) < 0 || check_first(source, err) < 0 || fork_check_branch(source, wish->branch, err) < 0)
                return -1;
        for (size_t i = 1; i <= wish->count; i++) {
                _cleanup_(freep) char *name = race_fork_name(source->name, (int64_t)i);

                if (fork_check_name(name, err) < 0)
                        return -1;
        }
        return 0;
}

static int run_from(struct course *course, struct race *out, struct error **err)
{
        _cleanup_(freep) char *command = text_shell_join(course->wish->command);
        int status;

        set_out(course, out);
        event_begin(course->front->events, "race", "running '%s' in %zu forks", command, course->count);
        status = run_all(course, err);
        event_end(course->front->events, "race", status < 0 || !any_made(course) ? EVENT_FAILED : EVENT_DONE, NULL);
        if (status < 0)
                return -1;
        if (!any_made(course)) {
                error_give(err, TAKE_PTR(course->last));
                return error_wrap(err, "no fork of VM '%s' could be made", course->source->name);
        }
        return 0;
}

int race_run(struct front *front, struct vm *source, const struct race_wish *wish, struct race *out, struct error **err)
{
        _cleanup_(course_clear) struct course course = { .front = front, .source = source, .wish = wish };
        _cleanup_(freep) char *key = NULL;
        int status;

        if (check(source, wish, err) < 0 || power_start(front, source, err) < 0 || race_drop_snapshots(source, err) < 0 ||
            snapshot_take(front, source, RACE_LABEL, true, &key, err) < 0)
                return -1;
        lock_release(&source->lock);
        course.key = key;
        status = run_from(&course, out, err);
        /* Its disk stays for as long as something stands on it. Its memory is of no more use. */
        source->engine->drop_snapshot(key, NULL);
        return status;
}
