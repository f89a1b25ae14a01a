#include "image/layer-sums.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "lib/hash.h"

#define SUMS_FILE  "SHA256SUMS"
#define SUMS_LIMIT (1 << 20)
#define GAP        "  "

static bool is_summed(const char *folder, const char *name)
{
        static const char *const others[] = { SUMS_FILE, "manifest.json", "memory", "state" };
        _cleanup_(freep) char *path = path_join(folder, name);
        struct stat status;

        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (streq(name, others[i]))
                        return false;
        return *name != '.' && lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int layer_sums_write(const char *folder, struct error **err)
{
        _cleanup_(freep) char *sums = path_join(folder, SUMS_FILE);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (file_list(folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(folder, names.items[i]);
                _cleanup_(freep) char *hex = NULL;

                if (!is_summed(folder, names.items[i]))
                        continue;
                if (hash_file(path, &hex, err) < 0)
                        return -1;
                strbuf_addf(&text, "%s" GAP "%s\n", hex, names.items[i]);
        }
        return file_write(sums, text.buf ? text.buf : "", text.len, 0444, err);
}

/* The hashes say nothing then, and the layer may be whole. */
static int not_a_list(const char *sums, struct error **err)
{
        error_set(err, ERROR_ENGINE, "'%s' is not a list of hashes", sums);
        return file_hint(err, sums, EEXIST);
}

static int check_line(const char *folder, const char *line, const char *sums, struct error **err)
{
        const char *name = line + HASH_HEX_LENGTH + strlen(GAP);
        _cleanup_(freep) char *path = NULL;
        _cleanup_(freep) char *hex = NULL;

        if (strspn(line, "0123456789abcdef") != HASH_HEX_LENGTH || !starts_with(line + HASH_HEX_LENGTH, GAP) || !*name ||
            strchr(name, '/'))
                return not_a_list(sums, err);
        path = path_join(folder, name);
        if (hash_file(path, &hex, err) < 0)
                return error_set_kind(err, ERROR_ENGINE);
        return strncmp(hex, line, HASH_HEX_LENGTH) == 0
                       ? 0
                       : error_set(err, ERROR_ENGINE, "'%s' has changed since it was made", path);
}

int layer_sums_check(const char *folder, struct error **err)
{
        _cleanup_(freep) char *sums = path_join(folder, SUMS_FILE);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        char *save = NULL;

        if (!file_exists(sums))
                return 0;
        if (file_read(sums, SUMS_LIMIT, &text, err) < 0)
                return error_set_kind(err, ERROR_ENGINE);
        if (text.len == 0 || text.buf[text.len - 1] != '\n')
                return not_a_list(sums, err);
        for (char *line = strtok_r(text.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (check_line(folder, line, sums, err) < 0)
                        return -1;
        return 1;
}
