/* The words by which a configuration, and a VM's record, say when it is parked and what wakes it. */
#pragma once

#define PARK_AFTER_DEFAULT "30m" /* a time as text_parse_duration() reads it */
#define PARK_NEVER         "never"
#define WAKE_LOCAL         "local"
#define WAKE_ANY           "any"
