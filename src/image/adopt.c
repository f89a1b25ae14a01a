#include "image/adopt.h"

#include "image/base-inputs.h"
#include "lib/text.h"

static void add_file(const struct base_file *file, struct strbuf *out)
{
        _cleanup_(freep) char *encoded = text_base64(file->content, file->length);

        strbuf_addf(out, "put %s %s <<'END'\n%s\nEND\n", file->executable ? "755" : "644", file->name, encoded);
}

int adopt_script(const char *user, struct strbuf *out, struct error **err)
{
        _cleanup_(base_inputs_clear) struct base_inputs inputs = BASE_INPUTS_INIT;

        if (base_inputs_collect(user, NULL, &inputs, err) < 0)
                return -1;
        strbuf_addf(out,
                    "if [ \"$(cat /var/lib/machine/adopted 2>/dev/null)\" != %s ]; then\n"
                    "guest=$(mktemp -d /run/machine-adopt.XXXXXX)\n"
                    "put() { mkdir -p \"$guest/$(dirname \"$2\")\"; base64 -d >\"$guest/$2\"; chmod \"$1\" \"$guest/$2\"; }\n",
                    inputs.key);
        for (size_t i = 0; i < inputs.file_count; i++)
                add_file(&inputs.files[i], out);
        strbuf_addf(out, "sh \"$guest/build/adopt\" %s %s", user, inputs.key);
        /* The image has its own kernel. */
        for (size_t i = 0; i < inputs.packages.count; i++)
                if (!starts_with(inputs.packages.items[i], "linux-image-"))
                        strbuf_addf(out, " %s", inputs.packages.items[i]);
        strbuf_adds(out, "\nrm -rf \"$guest\"\nfi\n");
        return 0;
}
