/*
 * Surroundings for tests of operations: state, configuration and home in a temporary folder, and a fake engine. The engine
 * keeps a VM's state in memory, does what the test tells it, and records its calls.
 */
#pragma once

#include "scratch.h"

#include "operation/front.h"
#include "vm/vm.h"

#define GIB (INT64_C(1) << 30)

/* What the engine says and does. Tests set it before a call and check it afterwards. */
struct fake {
        enum vm_state state;
        bool fails;          /* every call fails */
        const char *passes;  /* why it may go well the next time (error_passes()); NULL = it won't */
        bool room;           /* one that is paused can go on */
        char calls[256];     /* "start stop …" */
        char warnings[2048]; /* those that the front got, one line each */
};
extern struct fake fake;
extern const struct engine fake_engine;
extern struct front front;

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Writes projects.toml, or a file `name` in the folder `inner` below the test's folder. */
void fixture_projects(const char *text);
char *fixture_write(const char *inner, const char *name, const char *text);
/* Makes a VM's record as `up` of this project would, and leaves the VM unlocked. `owner` NULL = projects.toml. */
void fixture_vm(const char *name, const char *owner, enum vm_intent intent);

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
