#include "host/committer.h"

#include "host/git.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/text.h"

#define GIT_TIMEOUT_MS 10000
#define OP_TIMEOUT_MS  120000 /* somebody may have to unlock it */
#define KEY_FILE_LIMIT (64 << 10)
#define BASE64         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

void committer_clear(struct committer *committer)
{
        free(committer->name);
        free(committer->email);
        free(committer->signing_key);
        free(committer->unsigned_why);
        *committer = (struct committer)COMMITTER_INIT;
}

/* --- public keys */

char *committer_parse_key(const char *line)
{
        static const char *const types[] = {
                "ssh-ed25519",
                "ssh-rsa",
                "ecdsa-sha2-nistp256",
                "ecdsa-sha2-nistp384",
                "ecdsa-sha2-nistp521",
                "sk-ssh-ed25519@openssh.com",
                "sk-ecdsa-sha2-nistp256@openssh.com",
        };
        size_t type;
        size_t blob;

        line += strspn(line, " \t");
        type = strcspn(line, " \t\r\n");
        blob = strspn(line + type, " \t");
        if (blob == 0)
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                const char *key = line + type + blob;
                size_t length = strspn(key, BASE64);

                if (strlen(types[i]) != type || strncmp(types[i], line, type) != 0)
                        continue;
                if (length == 0 || !strchr(" \t\r\n", key[length]))
                        return NULL;
                return xasprintf("%s %.*s", types[i], (int)length, key);
        }
        return NULL;
}

static char *expand(const char *path)
{
        return starts_with(path, "~/") ? paths_home(path + 2) : xstrdup(path);
}

/* Returns the key, owned by the caller. Without one returns NULL, with the reason in *why. */
static char *read_key_file(const char *name, char **why)
{
        _cleanup_(freep) char *path = expand(name);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        char *key;

        if (file_read(path, KEY_FILE_LIMIT, &text, &error) == 0 && starts_with(text.buf, "-----BEGIN")) {
                set_string(&path, xasprintf("%s.pub", path));
                strbuf_reset(&text);
                error_freep(&error);
                error = NULL;
                file_read(path, KEY_FILE_LIMIT, &text, &error);
        }
        if (error) {
                *why = error_text(error);
                return NULL;
        }
        key = committer_parse_key(text.buf);
        if (!key)
                *why = xasprintf("'%s' holds no public ssh key", path);
        return key;
}

/* --- git's configuration */

struct git_values {
        char *name, *email, *signing_key, *format;
};

static void git_values_clear(struct git_values *values)
{
        free(values->name);
        free(values->email);
        free(values->signing_key);
        free(values->format);
}

/* Parses "KEY\nVALUE\0"…: when a key is there twice, the last one counts. */
static void parse_values(const struct strbuf *said, struct git_values *out)
{
        const struct {
                const char *key;
                char **value;
        } known[] = {
                { "user.name\n", &out->name },
                { "user.email\n", &out->email },
                { "user.signingkey\n", &out->signing_key },
                { "gpg.format\n", &out->format },
        };

        for (const char *item = said->buf; item < said->buf + said->len; item += strlen(item) + 1)
                for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                        if (starts_with(item, known[i].key) && item[strlen(known[i].key)])
                                set_string(known[i].value, xstrdup(item + strlen(known[i].key)));
}

/* git has no repo here: what a repo says about its committer only matters for that repo. */
static int ask_git(struct git_values *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, NULL);
        git_use_settings(&git);
        strv_adds(&git.argv, "config", "-z", "--get-regexp", "^(user\\.(name|email|signingkey)|gpg\\.format)$", NULL);
        git.spec.timeout_ms = GIT_TIMEOUT_MS;
        /* Exit status 1: it has none of them. */
        if (git_ask(&git, &said, err) < 0)
                return error_wrap(err, "git can't read its configuration");
        parse_values(&said, out);
        return 0;
}

/* --- the signing key */

static char *ask_op(const char *reference, char **why)
{
        const char *const argv[] = { "op", "read", "--no-newline", "--", reference, NULL };
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        char *key;

        if (process_check(&(struct process_spec){ .argv = argv, .timeout_ms = OP_TIMEOUT_MS, .may_ask = true }, &said, &error) <
            0) {
                *why = error_text(error);
                return NULL;
        }
        key = committer_parse_key(said.buf);
        if (!key)
                *why = xstrdup("OP_SIGNING_KEY_REF doesn't name a public ssh key");
        return key;
}

static char *from_git(const struct git_values *values, char **why)
{
        const char *value = values->signing_key;
        char *key;

        if (!value) {
                *why = xstrdup("git's configuration has no user.signingkey");
                return NULL;
        }
        key = committer_parse_key(starts_with(value, "key::") ? value + strlen("key::") : value);
        if (key)
                return key;
        if (!values->format || !streq(values->format, "ssh")) {
                *why = xstrdup("user.signingkey is not an ssh key (gpg.format = ssh is not set)");
                return NULL;
        }
        return read_key_file(value, why);
}

static char *find_key(const struct git_values *values, char **why)
{
        const char *literal = getenv("GIT_SIGNING_KEY");
        const char *reference = getenv("OP_SIGNING_KEY_REF");
        const char *file = getenv("GIT_SIGNING_PUBKEY_FILE");

        if (literal && *literal) {
                char *key = committer_parse_key(literal);

                if (!key)
                        *why = xstrdup("GIT_SIGNING_KEY is not a public ssh key");
                return key;
        }
        if (reference && *reference)
                return ask_op(reference, why);
        if (file && *file)
                return read_key_file(file, why);
        return from_git(values, why);
}

static char *choose(const char *variable, char **configured)
{
        const char *set = getenv(variable);

        return set && *set ? xstrdup(set) : TAKE_PTR(*configured);
}

int committer_find(struct committer *out, struct error **err)
{
        _cleanup_(git_values_clear) struct git_values values = { 0 };

        if (ask_git(&values, err) < 0)
                return -1;
        out->name = choose("GIT_NAME", &values.name);
        out->email = choose("GIT_EMAIL", &values.email);
        out->signing_key = find_key(&values, &out->unsigned_why);
        return 0;
}
