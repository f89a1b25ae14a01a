#include "host/ca.h"

#include <ctype.h>

#include "host/ca-system.h"
#include "lib/file.h"
#include "lib/text.h"

#define FILE_MOST  (4 << 20)
#define BEGIN      "-----BEGIN CERTIFICATE-----"
#define END        "-----END CERTIFICATE-----"
#define LINE       64 /* RFC 7468, section 2 */
#define DEPTH_MOST 4

/* Those of the first two replace the system's bundle for the programs that read them, the others add to what a program has. */
static const char *const variables[] = { "SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS" };
#define REPLACING 2

void ca_own_clear(struct ca_own *own)
{
        for (size_t i = 0; i < own->place_count; i++) {
                free(own->places[i].path);
                free(own->places[i].trouble);
        }
        free(own->places);
        strv_clear(&own->bodies);
        *own = (struct ca_own)CA_OWN_INIT;
}

/* --- certificates */

static void add_body(struct strv *bodies, char *body)
{
        if (*body == '\0' || strv_contains(bodies, body))
                free(body);
        else
                strv_take(bodies, body);
}

static void add_pem(const char *text, struct strv *bodies)
{
        for (const char *at = text; (at = strstr(at, BEGIN));) {
                _cleanup_(strbuf_clear) struct strbuf body = STRBUF_INIT;
                const char *end = strstr(at, END);

                if (!end)
                        return;
                for (at += strlen(BEGIN); at < end; at++)
                        if (!isspace((unsigned char)*at))
                                strbuf_addc(&body, *at);
                add_body(bodies, strbuf_take(&body));
        }
}

/* In DER a certificate is a sequence with a length of two bytes (X.690, 8.1.3 and 8.9). */
static bool is_der(const char *data, size_t length)
{
        const unsigned char *bytes = (const unsigned char *)data;

        return length > 4 && bytes[0] == 0x30 && bytes[1] == 0x82 && length == 4 + ((size_t)bytes[2] << 8 | bytes[3]);
}

void ca_add_bodies(const char *data, size_t length, struct strv *bodies)
{
        if (is_der(data, length))
                add_body(bodies, text_base64(data, length));
        else
                add_pem(data, bodies);
}

void ca_add_pem(struct strbuf *out, const char *body)
{
        strbuf_adds(out, BEGIN "\n");
        for (size_t length = strlen(body); length > 0;) {
                size_t part = length < LINE ? length : LINE;

                strbuf_add(out, body, part);
                strbuf_addc(out, '\n');
                body += part;
                length -= part;
        }
        strbuf_adds(out, END "\n");
}

static int read_bodies(const char *path, struct strv *bodies, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf data = STRBUF_INIT;

        if (file_read(path, FILE_MOST, &data, err) < 0)
                return -1;
        ca_add_bodies(data.buf, data.len, bodies);
        return 0;
}

/* --- where they are */

/* The file that a variable names; NULL when it names none, or a folder of certificates. */
static const char *named_by(const char *variable)
{
        const char *path = getenv(variable);

        return path && *path && !file_is_folder(path) ? path : NULL;
}

/* Returns the first of the system's bundles that is there. Owned by the caller; NULL = there is none. */
static char *find_bundle(const char *root)
{
        for (const char *const *place = ca_bundles; *place; place++) {
                _cleanup_(freep) char *path = xasprintf("%s%s", root, *place);

                if (file_exists(path))
                        return TAKE_PTR(path);
        }
        return NULL;
}

/* What is looked for, and what is known of the system meanwhile. */
struct search {
        const char *root;
        struct ca_own *own;
        struct strv shipped; /* with the system */
        struct strv bundle;
        struct strv seen; /* what a place was named for */
        char *bundle_path;
};

static void search_clear(struct search *search)
{
        strv_clear(&search->shipped);
        strv_clear(&search->bundle);
        strv_clear(&search->seen);
        free(search->bundle_path);
}

static struct ca_place *add_place(struct ca_own *own, const char *path, const char *variable)
{
        own->places = xreallocarray(own->places, own->place_count + 1, sizeof(*own->places));
        own->places[own->place_count] = (struct ca_place){ .path = xstrdup(path), .variable = variable };
        return &own->places[own->place_count++];
}

static void add_trouble(struct search *search, const char *path, const char *variable, const struct error *error)
{
        add_place(search->own, path, variable)->trouble = error_text(error);
}

/* Which of a place's certificates are this computer's own, and not an earlier place's. */
static void pick_own(struct search *search, const struct strv *bodies, struct strv *own)
{
        for (size_t i = 0; i < bodies->count; i++)
                if (!strv_contains(&search->shipped, bodies->items[i]) && !strv_contains(&search->seen, bodies->items[i]))
                        strv_add(own, bodies->items[i]);
}

/* Names the place if there are any. */
static void judge(struct search *search, const char *path, const char *variable, const struct strv *bodies)
{
        _cleanup_(strv_clear) struct strv own = STRV_INIT;

        pick_own(search, bodies, &own);
        if (own.count == 0)
                return;
        add_place(search->own, path, variable)->count = own.count;
        strv_add_all(&search->own->bodies, &own);
        strv_add_all(&search->seen, &own);
}

/* What was put here counts once it is in the bundle, too. */
static void judge_anchor(struct search *search, const char *path, const char *update)
{
        _cleanup_(strv_clear) struct strv bodies = STRV_INIT, in_use = STRV_INIT, idle = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (read_bodies(path, &bodies, &error) < 0) {
                add_trouble(search, path, NULL, error);
                return;
        }
        for (size_t i = 0; i < bodies.count; i++)
                strv_add(!search->bundle_path || strv_contains(&search->bundle, bodies.items[i]) ? &in_use : &idle,
                         bodies.items[i]);
        judge(search, path, NULL, &in_use);
        strv_clear(&bodies);
        pick_own(search, &idle, &bodies);
        if (bodies.count > 0) {
                struct ca_place *place = add_place(search->own, path, NULL);

                place->count = bodies.count;
                place->update = update;
        }
}

/* Folders may have others in them, and links that lead in a circle. */
static void judge_folder(struct search *search, const char *folder, const struct ca_anchors *anchors, int depth)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (depth > DEPTH_MOST || file_list(folder, &names, NULL) < 0)
                return;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(folder, names.items[i]);

                if (file_is_folder(path))
                        judge_folder(search, path, anchors, depth + 1);
                else if (!anchors->suffix || ends_with(names.items[i], anchors->suffix))
                        judge_anchor(search, path, anchors->update);
        }
}

/* A file, or the files of a folder. What can't be read brings nothing. */
static void read_shipped(const char *path, struct strv *bodies)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (!file_is_folder(path)) {
                read_bodies(path, bodies, NULL);
                return;
        }
        file_list(path, &names, NULL);
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *file = path_join(path, names.items[i]);

                read_bodies(file, bodies, NULL);
        }
}

static void look_at_keychain(struct search *search)
{
        _cleanup_(strv_clear) struct strv bodies = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (!ca_keychain || *search->root)
                return;
        if (ca_read_keychain(&bodies, &error) < 0)
                add_trouble(search, ca_keychain, NULL, error);
        judge(search, ca_keychain, NULL, &bodies);
}

/* What the system brings counts as its own where that isn't known: then all of its bundle does. */
static void look_at_bundle(struct search *search)
{
        if (!search->bundle_path)
                return;
        if (search->shipped.count > 0)
                judge(search, search->bundle_path, NULL, &search->bundle);
        else
                strv_add_all(&search->seen, &search->bundle);
}

static void look_at_variable(struct search *search, const char *variable)
{
        _cleanup_(strv_clear) struct strv bodies = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        const char *path = named_by(variable);

        if (!path)
                return;
        if (read_bodies(path, &bodies, &error) < 0)
                add_trouble(search, path, variable, error);
        judge(search, path, variable, &bodies);
}

void ca_find_own(const char *root, struct ca_own *out)
{
        _cleanup_(search_clear) struct search search = { .root = root, .own = out, .bundle_path = find_bundle(root) };

        for (const char *const *place = ca_shipped; *place; place++) {
                _cleanup_(freep) char *path = xasprintf("%s%s", root, *place);

                read_shipped(path, &search.shipped);
        }
        if (search.bundle_path)
                read_bodies(search.bundle_path, &search.bundle, NULL);
        for (const struct ca_anchors *anchors = ca_anchors; anchors->folder; anchors++) {
                _cleanup_(freep) char *folder = xasprintf("%s%s", root, anchors->folder);

                judge_folder(&search, folder, anchors, 0);
        }
        look_at_keychain(&search);
        look_at_bundle(&search);
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                look_at_variable(&search, variables[i]);
}

/* --- what guests get */

/* The file that comes first. Owned by the caller; NULL = there is none. */
static char *find_first(void)
{
        for (size_t i = 0; i < REPLACING; i++) {
                const char *path = getenv(variables[i]);

                if (path && *path)
                        return xstrdup(path);
        }
        return find_bundle("");
}

/* Is it the system's bundle, and has no other place anything to add? Then looking at all of them is spared. */
static bool has_all(const char *first)
{
        _cleanup_(freep) char *bundle = find_bundle("");

        if (ca_keychain || !streq_ptr(first, bundle))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
                const char *path = named_by(variables[i]);

                if (path && !streq(path, bundle))
                        return false;
        }
        return true;
}

static void add_own(const char *first, const struct strv *has, struct strbuf *out, struct strv *files)
{
        _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;

        ca_find_own("", &own);
        for (size_t i = 0; i < own.bodies.count; i++)
                if (!strv_contains(has, own.bodies.items[i]))
                        ca_add_pem(out, own.bodies.items[i]);
        for (size_t i = 0; i < own.place_count; i++)
                if (!own.places[i].trouble && !own.places[i].update && !streq_ptr(own.places[i].path, first))
                        strv_add(files, own.places[i].path);
}

int ca_read(struct strbuf *out, struct strv *files, struct error **err)
{
        _cleanup_(freep) char *first = find_first();
        _cleanup_(strv_clear) struct strv has = STRV_INIT;

        if (first && file_read(first, FILE_MOST, out, err) < 0)
                return error_wrap(err, "cannot read the host's CA certificates");
        if (first && !strstr(out->buf, BEGIN))
                return error_set(err, ERROR_CONFIG, "'%s' has no PEM certificate", first);
        if (first)
                strv_add(files, first);
        if (!has_all(first)) {
                add_pem(out->buf, &has);
                add_own(first, &has, out, files);
        }
        if (out->len > 0)
                return 0;
        error_set(err, ERROR_CONFIG, "'trust_host_ca' is set, but the host's CA certificates can't be found");
        return error_hint(err, "set SSL_CERT_FILE to the file that has them");
}

char *ca_advice(void)
{
        return xasprintf("this computer does not trust the CA that signed this: %s; 'trust_host_ca = true' in config.toml then "
                         "brings it to VMs, too",
                         ca_how_to_add);
}
