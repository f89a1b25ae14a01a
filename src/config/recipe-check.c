#include "config/recipe-check.h"

#include <ctype.h>

#include "lib/hash.h"
#include "lib/text.h"

static bool has_control(const char *text)
{
        for (; *text; text++)
                if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        return true;
        return false;
}

/* Values are handed to the guest as lines. */
int recipe_check_line(const char *text, struct error **err)
{
        if (*text == '\0')
                return error_set(err, ERROR_CONFIG, "the text is empty");
        return has_control(text) ? error_set(err, ERROR_CONFIG, "'%s' has a control character or more than one line", text) : 0;
}

int recipe_check_script(const char *text, struct error **err)
{
        return *text == '\0' ? error_set(err, ERROR_CONFIG, "the text is empty") : 0;
}

int recipe_check_any(const char *text, struct error **err)
{
        return 0;
}

int recipe_check_word(const char *text, struct error **err)
{
        if (recipe_check_line(text, err) < 0)
                return -1;
        if (*text == '-' || strpbrk(text, " \t"))
                return error_set(err, ERROR_CONFIG, "'%s' starts with '-' or has a space", text);
        return 0;
}

int recipe_check_id(const char *text, struct error **err)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

        if (isalnum((unsigned char)*text) && text[strspn(text, allowed)] == '\0' && strlen(text) <= 64)
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' can't be a name here", text);
        return error_hint(
                err, "names have a-z, 0-9 and '.', '_', '-', start with a letter or digit, and have at most 64 characters");
}

int recipe_check_profile_name(const char *text, struct error **err)
{
        return text_name_valid(text) ? 0 : error_set(err, ERROR_CONFIG, "'%s' can't be a profile's name", text);
}

int recipe_check_url(const char *text, struct error **err)
{
        const char *host = text + strlen("https://");

        if (recipe_check_word(text, err) < 0)
                return -1;
        if (!starts_with(text, "https://") || *host == '\0' || *host == '/')
                return error_set(err, ERROR_CONFIG, "'%s' is not an https URL", text);
        if (memchr(host, '@', strcspn(host, "/?#"))) {
                error_set(err, ERROR_CONFIG, "the URL has a user or password");
                return error_hint(err, "a recipe is no place for secrets: it ends up in layers and in version control");
        }
        return 0;
}

int recipe_check_sha256(const char *text, struct error **err)
{
        if (strlen(text) == HASH_HEX_LENGTH && strspn(text, "0123456789abcdef") == HASH_HEX_LENGTH)
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' is not a SHA-256", text);
        return error_hint(err,
                          "write 64 hexadecimal digits in lower case, as sha256sum prints them; or leave it out: machine.lock "
                          "records it at the first use");
}

/* Absolute, or below the user's home; no ".." in it. */
int recipe_check_path(const char *text, struct error **err)
{
        bool fits = *text == '/' || starts_with(text, "{home}/");

        if (recipe_check_line(text, err) < 0)
                return -1;
        if (fits && !strstr(text, "/../") && !ends_with(text, "/.."))
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' is not an absolute path", text);
        return error_hint(err, "write '/etc/…', or '{home}/…' for the user's home, without '..'");
}

/* A file beside the recipe, and nowhere else. */
int recipe_check_beside(const char *text, struct error **err)
{
        if (recipe_check_line(text, err) < 0)
                return -1;
        if (*text == '/' || streq(text, "..") || starts_with(text, "../") || strstr(text, "/../") || ends_with(text, "/.."))
                return error_set(err, ERROR_CONFIG, "'%s' is not the path of a file beside this one", text);
        return 0;
}

int recipe_check_mode(const char *text, struct error **err)
{
        if (strlen(text) >= 3 && strlen(text) <= 4 && text[strspn(text, "01234567")] == '\0')
                return 0;
        error_set(err, ERROR_CONFIG, "invalid mode '%s'", text);
        return error_hint(err, "write octal digits, such as \"0644\"");
}

int recipe_check_deb(const char *text, struct error **err)
{
        _cleanup_(freep) char *url = xstrndup(text, strcspn(text, " "));

        if (recipe_check_line(text, err) < 0 || recipe_check_url(url, err) < 0)
                return -1;
        if (text[strlen(url)] == ' ' && text[strlen(url) + 1] != '\0')
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' has no suite", text);
        return error_hint(err, "write \"https://… SUITE COMPONENT…\"; {codename} and {arch} are filled in");
}
