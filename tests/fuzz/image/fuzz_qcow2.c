/*
 * Any bytes as the head of a disk. A disk that is accepted has all its tables in its file, no data elsewhere, no more data than
 * its tables can hold, and names at most one other file, by a text. The file counts as 4096 times as long as its head.
 */
#include "../fuzz.h"

#include "image/qcow2.h"

static uint64_t number(const uint8_t *data, size_t bytes)
{
        uint64_t value = 0;

        for (size_t i = 0; i < bytes; i++)
                value = value << 8 | data[i];
        return value;
}

static void check_taken(const uint8_t *data, size_t size, const struct qcow2_header *header)
{
        uint64_t file = size * UINT64_C(4096);
        uint64_t cluster = UINT64_C(1) << number(data + 20, 4);

        CHECK(number(data + 4, 4) == 2 || (number(data + 4, 4) == 3 && (number(data + 72, 8) & ~UINT64_C(3)) == 0));
        CHECK(number(data + 32, 4) == 0 && number(data + 60, 4) == 0);
        CHECK(header->bytes >= 0 && (uint64_t)header->bytes == number(data + 24, 8));
        CHECK((uint64_t)header->bytes / cluster <= number(data + 36, 4) * (cluster / 8));
        CHECK(number(data + 40, 8) + number(data + 36, 4) * 8 <= file);
        CHECK(number(data + 48, 8) + number(data + 56, 4) * cluster <= file);
        CHECK((header->backing != NULL) == (number(data + 8, 8) != 0));
        CHECK(!header->backing || strlen(header->backing) == number(data + 16, 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qcow2_header_clear) struct qcow2_header header = QCOW2_HEADER_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (size > QCOW2_HEAD_BYTES)
                return 0;
        if (qcow2_parse(data, size, (int64_t)size * 4096, &header, &error) == 0)
                check_taken(data, size, &header);
        else
                CHECK(error && !header.backing && !header.backing_format);
        return 0;
}
