/* Reads what a VM has asked the ssh agent for, again and again: the record that machine-keys writes (keys/record.h). */
#pragma once

#include <sys/stat.h>

#include "lib/json.h"
#include "vm/vm.h"

/* How far a file of the record was read. The file is known by its inode number, whatever it is called by now. */
struct asked_file {
        bool begun;
        ino_t file;
        off_t end;
};

/* The record is two files, each with a `.old` one. All zero: nothing was read yet. */
struct asked {
        struct asked_file done, other;
};

/* Returns an array of what has come since the last look, in the order of time. Owned by the caller; NULL with an error. */
json_t *asked_read(const struct vm *vm, struct asked *seen, struct error **err);
