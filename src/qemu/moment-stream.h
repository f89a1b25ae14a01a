/* The part of a moment (moment.h) that QEMU itself writes and reads: the devices, or the devices with the whole memory. */
#pragma once

#include "qemu/moment-memory.h"

/* Writes the state of the devices to `fd`, sealed. */
int moment_stream_save_devices(const struct moment_source *source, int fd, const uint8_t *key, struct error **err);
/* The same with all of the guest's memory. */
int moment_stream_save_whole(const struct moment_source *source, int fd, const uint8_t *key, struct error **err);
/* Into a QEMU that waits for them. */
int moment_stream_load_devices(const struct moment_source *source, int fd, const uint8_t *key, struct error **err);
int moment_stream_load_whole(const struct moment_source *source, int fd, const uint8_t *key, struct error **err);
