/*
 * Where sessions land in the guest, and the scripts that take them there.
 */
#pragma once

#include "vm/vm.h"

/* The folder of the project's first repo below ~/code; NULL = it has none. Owned by the caller. */
char *folder_first(const struct vm *vm);
/*
 * The path in the guest of the folder that `repo` was cloned into, "/home/USER/code/REPO"; `repo` NULL = of the first repo, or
 * of all code when there is none. Fails with ERROR_NOT_FOUND when the project has no such repo. Owned by the caller.
 */
int folder_path(const struct vm *vm, const char *repo, char **path, struct error **err);
/*
 * A POSIX shell script that goes to the project's first repo (stays in the home folder where there is none) and runs `argv`
 * there as its last command, or a login shell when argv is NULL. Owned by the caller.
 */
char *folder_script(const struct vm *vm, const char *const *argv);
/*
 * Returns `script` in a shell that stays to report its exit status: a death by signal becomes 128 plus the signal's number,
 * which ssh alone would not tell, and a Ctrl-C that the command survives doesn't end the shell. Owned by the caller.
 */
char *folder_keep_status(const char *script);
