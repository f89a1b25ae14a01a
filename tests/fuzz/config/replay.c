/* Runs a fuzz target over the files of a folder, so that every build tests again what a fuzzer once found. */
#include "../fuzz.h"

#include "lib/file.h"

static int replay(const char *path)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        uint8_t *exact;

        if (file_read(path, 16 << 20, &text, NULL) < 0)
                return -1;
        /* A copy of the exact size, so that a sanitizer sees a read beyond its end. */
        exact = xmemdup(text.buf, text.len);
        LLVMFuzzerTestOneInput(exact, text.len);
        free(exact);
        return 0;
}

int main(int argc, char **argv)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (argc != 2)
                return 2;
        if (file_list(argv[1], &names, &error) < 0 || names.count == 0) {
                fprintf(stderr, "no inputs in '%s'\n", argv[1]);
                return 1;
        }
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(argv[1], names.items[i]);

                if (replay(path) < 0) {
                        fprintf(stderr, "cannot read '%s'\n", path);
                        return 1;
                }
        }
        printf("%zu inputs\n", names.count);
        return 0;
}
