/*
 * The memory of a guest, seen from outside of its QEMU: which pages it has to itself, because they differ from the template's
 * file (or, without a template, from zero), and what is in them. Source: proc(5), /proc/PID/pagemap and /proc/PID/mem.
 *
 * For a process that runs as we do the kernel allows this, unless Yama is told to allow it for descendants only (ptrace_scope,
 * as on Ubuntu): then pages_open() fails with ERROR_NOT_FOUND, and the guest's memory is to be had from QEMU alone.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

struct pages {
        int memory, map;  /* descriptors */
        uint64_t address; /* of the guest's memory in QEMU's */
        uint64_t bytes;
        bool from_file; /* the mapping is a private one of a file */
};

#define PAGES_INIT                                                                                                             \
        {                                                                                                                      \
                .memory = -1, .map = -1                                                                                        \
        }
/* `change`: to write to it too. */
int pages_open(pid_t qemu, uint64_t address, uint64_t bytes, bool from_file, bool change, struct pages *out,
               struct error **err);
void pages_close(struct pages *pages);

#define PAGES_PIECE ((size_t)1 << 20)

/* Called for each run of pages that the guest has to itself, by their place in its memory; at most PAGES_PIECE bytes at once.
 */
typedef int (*pages_fn)(const struct pages *pages, uint64_t from, size_t bytes, void *data, struct error **err);
int pages_each(const struct pages *pages, pages_fn call, void *data, struct error **err);

int pages_read(const struct pages *pages, uint64_t from, void *data, size_t bytes, struct error **err);
int pages_write(const struct pages *pages, uint64_t from, const void *data, size_t bytes, struct error **err);
