/* Shared by all fuzz targets: libFuzzer's entry, and a check that ends the run when it fails. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                                       \
        do {                                                                                                                   \
                if (!(condition)) {                                                                                            \
                        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                \
                        abort();                                                                                               \
                }                                                                                                              \
        } while (0)
