#include "config/project-image.h"

int project_image_check(const char *text, struct error **err)
{
        bool file = text[0] == '/', url = starts_with(text, "https://") && text[strlen("https://")];

        if ((file || url) && !text[strcspn(text, " \t\r\n\"'`{}\\$")])
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' is neither the absolute path of an image nor its https URL", text);
        return error_hint(err, "write it without spaces, quotes and braces");
}

int project_digest_check(const char *text, struct error **err)
{
        static const struct {
                const char *prefix;
                size_t digits;
        } forms[] = { { "sha256:", 64 }, { "sha512:", 128 } };

        for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
                if (starts_with(text, forms[i].prefix)) {
                        const char *digits = text + strlen(forms[i].prefix);

                        if (strlen(digits) == forms[i].digits && strspn(digits, "0123456789abcdef") == forms[i].digits)
                                return 0;
                }
        error_set(err, ERROR_CONFIG, "'%s' is not a digest", text);
        return error_hint(err, "write sha256: and 64, or sha512: and 128 hexadecimal digits, as the publisher gives them");
}

void project_image_finish(struct schema_reader *reader, const struct toml_value *table, const struct project *project)
{
        bool lacks_digest = project->image && *project->image != '/' && !project->image_digest;
        const struct toml_member *member;

        if (!lacks_digest && (project->image || !project->image_digest))
                return;
        member = toml_get(table, lacks_digest ? "image" : "image_digest");
        schema_mistake(reader, member ? member->line : 1, member ? member->column : 1,
                       lacks_digest ? "an 'image' from a URL needs its 'image_digest'" : "'image_digest' without 'image'");
        schema_hint(reader, lacks_digest ? "image_digest = \"sha512:…\", as the publisher gives it" : "take it out");
}
