#include "config/recipe-pin.h"

#include <ctype.h>

#define VERSION_MOST 128

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ALNUM  DIGITS LOWER UPPER

/* --- names */

bool recipe_pin_is_debian_name(const char *text)
{
        size_t length = strlen(text);

        return length > 1 && strspn(text, DIGITS LOWER "+-.") == length && !strchr("+-.", text[0]) && text[length - 1] != '-';
}

/* "tree", "libc6:i386" */
static bool is_apt_name(const char *text)
{
        _cleanup_(freep) char *name = xstrndup(text, strcspn(text, ":"));
        const char *architecture = text + strlen(name);

        return recipe_pin_is_debian_name(name) &&
               (*architecture == '\0' ||
                (architecture[1] != '\0' && architecture[1 + strspn(architecture + 1, DIGITS LOWER "-")] == '\0'));
}

static bool is_python_name(const char *text)
{
        size_t length = strlen(text);

        return length > 0 && strspn(text, ALNUM "._-") == length && isalnum((unsigned char)text[0]) &&
               isalnum((unsigned char)text[length - 1]);
}

/* The length of the word up to a '/' or the end; 0 = not a valid word. */
static size_t npm_word(const char *text)
{
        size_t length = strspn(text, ALNUM "._~-");

        return strchr("._-", *text) ? 0 : length;
}

/* "typescript", "@types/node" */
static bool is_npm_name(const char *text)
{
        if (*text == '@') {
                size_t scope = npm_word(text + 1);

                if (scope == 0 || text[1 + scope] != '/')
                        return false;
                text += 1 + scope + 1;
        }
        return npm_word(text) > 0 && text[npm_word(text)] == '\0';
}

/* --- versions */

/* "[epoch:]upstream[-revision]". A '-' at the end would have apt remove the package. */
static bool is_apt_version(const char *text)
{
        size_t epoch = strspn(text, DIGITS);
        size_t length;

        if (epoch > 0 && text[epoch] == ':')
                text += epoch + 1;
        length = strlen(text);
        return length > 0 && isdigit((unsigned char)text[0]) && strspn(text, ALNUM ".+~-") == length && text[length - 1] != '-';
}

/* "1.2.3", "2!1.0rc1.post2.dev3+local.4"; no "1.*". */
static bool is_python_version(const char *text)
{
        size_t epoch = strspn(text, DIGITS);
        const char *local;
        size_t length;

        if (epoch > 0 && text[epoch] == '!')
                text += epoch + 1;
        local = strchr(text, '+');
        length = local ? (size_t)(local - text) : strlen(text);
        if (length == 0 || !isdigit((unsigned char)text[0]) || strspn(text, DIGITS LOWER ".") != length)
                return false;
        return !local || (local[1] != '\0' && local[1 + strspn(local + 1, DIGITS LOWER ".")] == '\0');
}

/* "1.2.3", "1.2.3-rc.1+build.5"; no tag, no range. */
static bool is_npm_version(const char *text)
{
        for (int i = 0; i < 3; i++) {
                size_t length = strspn(text, DIGITS);

                if (length == 0 || (i < 2 && text[length] != '.'))
                        return false;
                text += length + (i < 2);
        }
        if (*text == '-')
                text += 1 + strspn(text + 1, ALNUM ".-");
        if (*text == '+')
                text += 1 + strspn(text + 1, ALNUM ".-");
        return *text == '\0';
}

/* --- kinds */

static const struct {
        const char *mark;
        bool (*is_name)(const char *text);
        bool (*is_version)(const char *text);
} kinds[RECIPE_KINDS] = {
        [RECIPE_APT] = { "=", is_apt_name, is_apt_version },
        [RECIPE_APT_REPO] = { "=", is_apt_name, is_apt_version },
        [RECIPE_UV_TOOL] = { "==", is_python_name, is_python_version },
        [RECIPE_NPM_GLOBAL] = { "@", is_npm_name, is_npm_version },
};

const char *recipe_pin_mark(enum recipe_kind kind)
{
        return kinds[kind].mark;
}

bool recipe_pin_is_version(enum recipe_kind kind, const char *text)
{
        return kinds[kind].is_version && strlen(text) <= VERSION_MOST && kinds[kind].is_version(text);
}

bool recipe_pin_is_open(const struct recipe_step *step, const char *name)
{
        const struct strv *packages = recipe_step_value(step, "packages");

        if (!kinds[step->kind].is_name || !kinds[step->kind].is_name(name))
                return false;
        /* uv itself has a version beside those of its tools. */
        if (step->kind == RECIPE_UV_TOOL && streq(name, "uv") && !recipe_step_value(step, "uv"))
                return true;
        return packages && strv_contains(packages, name);
}
