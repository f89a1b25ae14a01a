#include "guest/commits.h"

#include "guest/script.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "vm/identity.h"

#define TIMEOUT_MS 60000

void commits_clear(struct commits *commits)
{
        free(commits->config);
        free(commits->signers);
        free(commits->hash);
        free(commits->note);
        strv_clear(&commits->keys);
        *commits = (struct commits)COMMITS_INIT;
}

/* git-config(1), SYNTAX: within quotes only these have to be escaped. */
static void add_value(struct strbuf *config, const char *key, const char *value)
{
        strbuf_addf(config, "\t%s = \"", key);
        for (; *value; value++)
                switch (*value) {
                case '"':
                case '\\':
                        strbuf_addc(config, '\\');
                        strbuf_addc(config, *value);
                        break;
                case '\n':
                        strbuf_adds(config, "\\n");
                        break;
                default:
                        strbuf_addc(config, *value);
                }
        strbuf_adds(config, "\"\n");
}

/* In the file of signers an address is a pattern, in which these characters have a meaning. */
static bool is_plain_address(const char *email)
{
        return *email && !email[strcspn(email, " \t\r\n\"',*?!#")];
}

static void add_signing(const struct committer *committer, struct strbuf *config, struct strbuf *signers)
{
        _cleanup_(freep) char *key = xasprintf("key::%s", committer->signing_key);

        add_value(config, "signingKey", key);
        strbuf_adds(config, "[gpg]\n\tformat = ssh\n[gpg \"ssh\"]\n\tallowedSignersFile = ~/.config/machine/allowed_signers\n"
                            "[commit]\n\tgpgSign = true\n[tag]\n\tgpgSign = true\n");
        if (committer->email && is_plain_address(committer->email))
                strbuf_addf(signers, "%s namespaces=\"git\" %s\n", committer->email, committer->signing_key);
}

void commits_describe(const struct committer *committer, bool agent, struct commits *out)
{
        _cleanup_(strbuf_clear) struct strbuf config = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf signers = STRBUF_INIT;
        struct hash hash;

        strbuf_adds(&config, "# Written by machine from what git on the host says; your own ~/.gitconfig wins.\n[user]\n");
        if (committer->name)
                add_value(&config, "name", committer->name);
        if (committer->email)
                add_value(&config, "email", committer->email);
        if (agent && committer->signing_key)
                add_signing(committer, &config, &signers);
        commits_clear(out);
        if (!committer->name || !committer->email)
                out->note = xasprintf("git on this computer has no %s: commits in the guest need one",
                                      committer->name ? "user.email" : "user.name");
        else if (agent && !committer->signing_key)
                out->note = xasprintf("commits in the guest are not signed: %s", committer->unsigned_why);
        hash_init(&hash);
        hash_add_text(&hash, config.buf);
        hash_add_text(&hash, signers.buf);
        out->hash = hash_hex(&hash);
        out->config = strbuf_take(&config);
        out->signers = strbuf_take(&signers);
}

int commits_store(const struct vm *vm, const struct commits *commits, struct error **err)
{
        _cleanup_(freep) char *config = path_join(vm->folder, IDENTITY_GIT_CONFIG);
        _cleanup_(freep) char *signers = path_join(vm->folder, IDENTITY_GIT_SIGNERS);

        return file_write_text(signers, commits->signers, 0600, err) < 0 ? -1
                                                                         : file_write_text(config, commits->config, 0600, err);
}

int commits_apply(const struct vm *vm, const struct commits *commits, struct error **err)
{
        _cleanup_(strv_clear) struct strv texts = STRV_INIT;

        strv_adds(&texts, commits->config, commits->signers, NULL);
        if (commits_store(vm, commits, err) < 0 ||
            script_run(&(struct session){ .vm = vm }, "commits.sh", &texts, NULL, TIMEOUT_MS, NULL, NULL, NULL, err) < 0)
                return error_wrap(err, "cannot tell git in VM '%s' who commits", vm->name);
        return 0;
}
