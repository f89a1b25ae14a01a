/*
 * What the tests of repos share: a fixture for each test, and the calls under test as sentences.
 */
#pragma once

#include "fixture.h"
#include "guest/repos.h"

/* For cmocka: *state becomes a fixture; with_forge, one whose forge runs. */
int start(void **state);
int start_with_forge(void **state);
int end(void **state);
#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, start, end)

/* Fails the test with the error's text. `error` is a pointer to it, for the call that sets it may be the first argument. */
void expect(int status, int wanted, struct error *const *error);
/* repos_fill() of a project with these repos; wants success. */
void fill(struct fixture *fixture, const char *const *urls);
/* The same, wants failure. Owned by the caller. */
struct error *fill_badly(struct fixture *fixture, const char *const *urls);
/* What repos_find_work() says; NULL = no work. `checkout` is relative to the fixture's folder, or NULL. */
void expect_work(struct fixture *fixture, const char *checkout, const char *wanted);
/* What a shell script in a folder of the fixture prints. */
void expect_text(struct fixture *fixture, const char *folder, const char *script, const char *wanted);

/* "file://FOLDER/forge/NAME", and the same by ssh from the running forge. Owned by the caller. */
char *file_url(struct fixture *fixture, const char *name);
char *ssh_url(struct fixture *fixture, const char *name);
/* A bare repo with one commit, in which the file a says "one". */
void make_forge_repo(struct fixture *fixture, const char *name);
