/*
 * Any bytes as the output of `limactl list`. Values that are taken from it are in range and in the text. A failure or an absent
 * VM leaves the result as it was, and each failure has a reason.
 */
#include "../fuzz.h"

#include "lima/listing.h"

static bool mentions(const uint8_t *data, size_t size, const char *text)
{
        return memmem(data, size, text, strlen(text)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(listing_clear) struct listing listing = LISTING_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        int found = listing_parse((const char *)data, size, "blog", &listing, &err);

        CHECK(found == 1 || found == 0 || found == -1);
        CHECK((found == -1) == (err != NULL));
        CHECK((found == 1) == (listing.status != NULL));
        if (found != 1) {
                CHECK(!listing.config && !listing.message && listing.agent == 0 && listing.driver == 0 &&
                      listing.ssh_port == 0);
                return 0;
        }
        CHECK(listing.agent >= 0 && listing.driver >= 0);
        CHECK(!listing.config || json_is_object(listing.config));
        CHECK(listing.agent == 0 || mentions(data, size, "PID") || mentions(data, size, "\\u"));
        CHECK(listing.ssh_port == 0 || mentions(data, size, "Port") || mentions(data, size, "\\u"));
        return 0;
}
