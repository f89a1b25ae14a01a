/*
 * Looks at all projects and VMs from this computer: their files, and the processes that run them. No guest is asked, and a
 * parked VM stays parked.
 */
#pragma once

#include "board/model.h"

/* What must be remembered between two looks to say how much processor time was used. All zero: nothing yet. */
struct sampler {
        struct sampler_time *times;
        size_t count;
};

void sampler_clear(struct sampler *sampler);
/* Fills in what is there now, or why that can't be found out. */
void sampler_look(struct sampler *sampler, struct board_sample *out);
