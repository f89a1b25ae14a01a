/*
 * Shared by the tests of repos: a fixture for each test, and short names for the calls under test.
 */
#pragma once

#include "fixture.h"
#include "guest/repos.h"

/* For cmocka: *state becomes a fixture. start_with_forge() also starts its forge. */
int start(void **state);
int start_with_forge(void **state);
int end(void **state);
#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, start, end)

/* Fails the test with the error's text. `error` is a pointer to it, because the call that sets it may be the first argument. */
void expect(int status, int wanted, struct error *const *error);
/* Calls repos_fill() for a project with these repos. Must succeed. */
void fill(struct fixture *fixture, const char *const *urls);
/* The same, but must fail. Returns the error, owned by the caller. */
struct error *fill_badly(struct fixture *fixture, const char *const *urls);
/* Checks what repos_find_work() finds: "PATH: WHAT", a line each, sorted; NULL = no work. `checkout` is relative to the
 * fixture's folder, or NULL. */
void expect_work(struct fixture *fixture, const char *checkout, const char *wanted);
/* Gives a clone's remote an address outside the guest: the forge is a folder on the same computer, where it doesn't count. */
void move_origin(struct fixture *fixture, const char *folder);
/* Checks what a shell script in a folder of the fixture prints. */
void expect_text(struct fixture *fixture, const char *folder, const char *script, const char *wanted);

/* "file://FOLDER/forge/NAME", and the URL of the same repo by ssh at the running forge. Owned by the caller. */
char *file_url(struct fixture *fixture, const char *name);
char *ssh_url(struct fixture *fixture, const char *name);
/* Makes a bare repo with one commit, in which the file a has "one". */
void make_forge_repo(struct fixture *fixture, const char *name);
/* Replaces the script guest/session/NAME by the test's, because a guest may answer whatever it likes. */
void answer(struct fixture *fixture, const char *name, const char *script);
