/*
 * Any bytes as the beginning of TLS. The same name is read however the bytes are cut. After a name was read or refused, more
 * bytes change nothing.
 */
#include "../fuzz.h"

#include "lib/util.h"
#include "net/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char whole[EGRESS_NAME_MOST + 1];
        char part[EGRESS_NAME_MOST + 1];
        int status = hello_read(data, size, whole);
        int before = 0;

        CHECK(strspn(whole, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(whole));
        for (size_t length = 0; length <= size; length++) {
                int now = hello_read(data, length, part);

                if (before != 0)
                        CHECK(now == before);
                if (now == 1)
                        CHECK(status == 1 && streq(part, whole));
                before = now;
        }
        CHECK(before == status);
        return 0;
}
