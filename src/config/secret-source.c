#include "config/secret-source.h"

#include "lib/file.h"

void secret_source_clear(struct secret_source *source)
{
        strv_clear(&source->argv);
        free(source->variable);
        *source = (struct secret_source)SECRET_SOURCE_INIT;
}

bool secret_name_valid(const char *name)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
        static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

        return *name && strchr(letters, *name) && strspn(name, rest) == strlen(name) && strlen(name) <= 128;
}

bool secret_environment_valid(const char *id)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

        return *id && strspn(id, letters) == strlen(id) && strlen(id) <= 64;
}

/* --- the forms; `rest` is what comes after the prefix */

static int parse_op(const char *rest, const char *home _unused_, struct secret_source *out, struct error **err _unused_)
{
        out->provider = "1Password";
        strv_adds(&out->argv, "op", "read", "--no-newline", "--", NULL);
        strv_addf(&out->argv, "op://%s", rest);
        return 0;
}

static int parse_pass(const char *rest, const char *home _unused_, struct secret_source *out, struct error **err _unused_)
{
        out->provider = "pass";
        out->first_line = true;
        strv_adds(&out->argv, "pass", "show", "--", rest, NULL);
        return 0;
}

static char *expand_home(const char *path, const char *home)
{
        return starts_with(path, "~/") && home ? path_join(home, path + 2) : xstrdup(path);
}

/* age has no default key file; this is where sops looks for age's keys. */
static void add_age(const char *path, const char *home, struct secret_source *out)
{
        out->provider = "age";
        strv_adds(&out->argv, "age", "--decrypt", NULL);
        if (home) {
                strv_add(&out->argv, "--identity");
                strv_take(&out->argv, path_join(home, ".config/sops/age/keys.txt"));
        }
        strv_adds(&out->argv, "--", path, NULL);
}

static int add_sops(const char *path, const char *key, struct secret_source *out, struct error **err)
{
        out->provider = "sops";
        strv_adds(&out->argv, "sops", "decrypt", NULL);
        if (key && strpbrk(key, "\"\\]"))
                return error_set(err, ERROR_CONFIG, "'%s' can't be the key of a sops file", key);
        if (key) {
                strv_add(&out->argv, "--extract");
                strv_addf(&out->argv, "[\"%s\"]", key);
        }
        strv_add(&out->argv, path);
        return 0;
}

static int parse_file(const char *rest, const char *home, struct secret_source *out, struct error **err)
{
        _cleanup_(freep) char *before = xstrndup(rest, strcspn(rest, "#"));
        const char *key = rest[strlen(before)] == '#' ? rest + strlen(before) + 1 : NULL;
        _cleanup_(freep) char *path = expand_home(before, home);

        if (*path != '/') {
                error_set(err, ERROR_CONFIG, "the file '%s' must be named by an absolute path", before);
                return error_hint(err, "file:/home/jane/keys.age, or file:~/keys.age");
        }
        if (!ends_with(path, ".age"))
                return add_sops(path, key, out, err);
        if (key)
                return error_set(err, ERROR_CONFIG, "an age file has no keys, so '#%s' means nothing", key);
        add_age(path, home, out);
        return 0;
}

static int parse_keychain(const char *rest, const char *home _unused_, struct secret_source *out, struct error **err _unused_)
{
        out->provider = "keychain";
        strv_adds(&out->argv, "security", "find-generic-password", "-w", "-s", rest, NULL);
        return 0;
}

static int parse_env(const char *rest, const char *home _unused_, struct secret_source *out, struct error **err)
{
        if (!secret_name_valid(rest))
                return error_set(err, ERROR_CONFIG, "'%s' is not the name of a variable", rest);
        out->provider = "environment";
        out->variable = xstrdup(rest);
        return 0;
}

/* One word from *at: bare characters and quoted pieces. false = a quote isn't closed. */
static bool next_word(const char **at, struct strbuf *word)
{
        const char *c = *at;

        for (; *c && *c != ' ' && *c != '\t'; c++) {
                if (*c != '"' && *c != '\'') {
                        strbuf_addc(word, *c);
                        continue;
                }
                for (const char quote = *c++; *c != quote; c++) {
                        if (!*c)
                                return false;
                        strbuf_addc(word, *c);
                }
        }
        *at = c;
        return true;
}

static int parse_command(const char *rest, const char *home, struct secret_source *out, struct error **err)
{
        out->provider = "command";
        for (const char *at = rest + strspn(rest, " \t"); *at; at += strspn(at, " \t")) {
                _cleanup_(strbuf_clear) struct strbuf word = STRBUF_INIT;

                if (!next_word(&at, &word))
                        return error_set(err, ERROR_CONFIG, "a quote in 'command:%s' is not closed", rest);
                strv_take(&out->argv, expand_home(word.buf, home));
        }
        return out->argv.count > 0 ? 0 : error_set(err, ERROR_CONFIG, "'command:' names no program");
}

static const struct {
        const char *prefix;
        int (*parse)(const char *rest, const char *home, struct secret_source *out, struct error **err);
} forms[] = {
        { "op://", parse_op },           { "pass:", parse_pass }, { "file:", parse_file },
        { "keychain:", parse_keychain }, { "env:", parse_env },   { "command:", parse_command },
};

int secret_source_parse(const char *text, const char *home, struct secret_source *out, struct error **err)
{
        _cleanup_(secret_source_clear) struct secret_source source = SECRET_SOURCE_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
                const char *rest = text + strlen(forms[i].prefix);

                if (!starts_with(text, forms[i].prefix))
                        continue;
                if (!*rest || text[strcspn(text, "\n\r")])
                        return error_set(err, ERROR_CONFIG, "'%s' names nothing, or has a line end", text);
                if (forms[i].parse(rest, home, &source, err) < 0)
                        return -1;
                *out = source;
                source = (struct secret_source)SECRET_SOURCE_INIT;
                return 0;
        }
        /* It may be the secret itself, so it is not repeated. */
        error_set(err, ERROR_CONFIG, "not a secret source");
        return error_hint(err, "op://VAULT/ITEM/FIELD, pass:PATH, file:PATH, keychain:ITEM, env:NAME or command:PROGRAM ARG…");
}
