#include "keys/protocol.h"

#include "keys/piece.h"
#include "keys/signature.h"
#include "lib/hash.h"
#include "lib/text.h"

#define KEYS_MOST 2048
#define USERAUTH  50 /* SSH_MSG_USERAUTH_REQUEST */

void selection_clear(struct selection *selection)
{
        strv_clear(&selection->fingerprints);
        strv_clear(&selection->comments);
}

void request_clear(struct request *request)
{
        free(request->key);
        free(request->what);
        free(request->host);
        free(request->name);
        *request = (struct request)REQUEST_INIT;
}

static char *visible(const struct piece *piece)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        size_t length = piece->length;

        if (length > WORD_MOST)
                for (length = WORD_MOST; length > WORD_MOST - 4 && (piece->data[length] & 0xC0) == 0x80; length--)
                        ; /* not in the middle of a character */
        text_visible(&out, (const char *)piece->data, length);
        if (length < piece->length)
                strbuf_adds(&out, "…");
        return strbuf_take(&out);
}

static char *fingerprint(const struct piece *piece)
{
        return hash_fingerprint(piece->data, piece->length);
}

static void set_id(struct request *out, const struct piece *id)
{
        memcpy(out->id, id->data, id->length);
        out->id_length = id->length;
}

/* --- what is to be signed */

/* A file's or a commit's: "SSHSIG", namespace, reserved, hash algorithm, hash. */
static bool read_signature(struct piece data, struct request *out)
{
        static const char magic[] = "SSHSIG";
        struct piece space, reserved, algorithm, hash;

        if (data.length < strlen(magic) || memcmp(data.data, magic, strlen(magic)) != 0)
                return false;
        data.data += strlen(magic);
        data.length -= strlen(magic);
        if (!piece_take_string(&data, &space) || !piece_take_string(&data, &reserved) ||
            !piece_take_string(&data, &algorithm) || !piece_take_string(&data, &hash) || data.length > 0 || space.length == 0)
                return false;
        out->kind = REQUEST_SIGNATURE;
        out->what = visible(&space);
        return true;
}

/* A log-in's: session id, 50, user, "ssh-connection", "publickey…", true, algorithm, key[, host key]. */
static bool read_login(struct piece data, const struct piece *key, struct request *out)
{
        struct piece id, user, service, method, algorithm, own, host;
        unsigned char byte, with_signature;
        bool bound;

        if (!piece_take_string(&data, &id) || id.length == 0 || id.length > SESSION_ID_MOST || !piece_take_byte(&data, &byte) ||
            byte != USERAUTH || !piece_take_string(&data, &user) || !piece_take_string(&data, &service) ||
            !piece_take_string(&data, &method) || !piece_take_byte(&data, &with_signature) || with_signature != 1 ||
            !piece_take_string(&data, &algorithm) || !piece_take_string(&data, &own))
                return false;
        bound = piece_is(&method, "publickey-hostbound-v00@openssh.com");
        if (!piece_is(&service, "ssh-connection") || (!bound && !piece_is(&method, "publickey")) || own.length != key->length ||
            memcmp(own.data, key->data, own.length) != 0 || (bound && !piece_take_string(&data, &host)) || data.length > 0)
                return false;
        out->kind = REQUEST_LOGIN;
        out->what = visible(&user);
        if (bound)
                out->host = fingerprint(&host);
        set_id(out, &id);
        return true;
}

static void refuse(struct request *out, const char *reason)
{
        out->kind = REQUEST_REFUSED;
        out->reason = reason;
}

static void read_sign(struct piece message, const struct selection *selection, struct request *out)
{
        struct piece key, data;
        uint32_t flags;

        if (!piece_take_string(&message, &key) || !piece_take_string(&message, &data) || !piece_take_number(&message, &flags) ||
            message.length > 0) {
                refuse(out, "not understood");
                return;
        }
        out->key = fingerprint(&key);
        if (!read_signature(data, out) && !read_login(data, &key, out))
                refuse(out, "neither a log-in nor a signature");
        else if (!selection->all && !strv_contains(&selection->fingerprints, out->key))
                refuse(out, "not one of its keys");
}

/* Reads what follows the extension's name. */
static bool read_bind(struct piece message, struct request *out)
{
        struct piece host, id, signature;
        unsigned char forwarding;

        if (!piece_take_string(&message, &host) || !piece_take_string(&message, &id) ||
            !piece_take_string(&message, &signature) || !piece_take_byte(&message, &forwarding) || message.length > 0 ||
            id.length == 0 || id.length > SESSION_ID_MOST)
                return false;
        out->kind = REQUEST_BIND;
        out->host = fingerprint(&host);
        out->proven = signature_proves(host, signature, id);
        out->forwarding = forwarding != 0;
        set_id(out, &id);
        return true;
}

static void read_extension(struct piece message, struct request *out)
{
        struct piece name;
        bool named = piece_take_string(&message, &name);

        if (named && !piece_is(&name, "session-bind@openssh.com")) {
                out->what = visible(&name);
                refuse(out, "no such extension here");
        } else if (!named || !read_bind(message, out)) {
                refuse(out, "not understood");
        }
}

void request_read(const unsigned char *message, size_t length, const struct selection *selection, struct request *out)
{
        struct piece piece = { message, length };
        unsigned char type = 0;

        *out = (struct request)REQUEST_INIT;
        if (!piece_take_byte(&piece, &type))
                refuse(out, "empty");
        else if (type == MESSAGE_LIST && piece.length == 0)
                out->kind = REQUEST_LIST;
        else if (type == MESSAGE_SIGN)
                read_sign(piece, selection, out);
        else if (type == MESSAGE_EXTENSION)
                read_extension(piece, out);
        else
                refuse(out, "a guest may only list keys and sign");
}

/* --- the answer to a list */

static void add_number(struct strbuf *out, uint32_t number)
{
        const unsigned char bytes[] = { number >> 24 & 0xff, number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff };

        strbuf_add(out, (const char *)bytes, sizeof(bytes));
}

static void add_piece(struct strbuf *out, const struct piece *piece)
{
        add_number(out, (uint32_t)piece->length);
        strbuf_add(out, (const char *)piece->data, piece->length);
}

static bool is_selected(struct selection *selection, const struct piece *key, const struct piece *comment)
{
        _cleanup_(freep) char *mark = fingerprint(key);
        _cleanup_(freep) char *said = NULL;

        if (selection->all || strv_contains(&selection->fingerprints, mark))
                return true;
        said = visible(comment);
        if (!strv_contains(&selection->comments, said))
                return false;
        strv_add(&selection->fingerprints, mark);
        return true;
}

int protocol_filter(const unsigned char *answer, size_t length, struct selection *selection, struct strbuf *out)
{
        _cleanup_(strbuf_clear) struct strbuf keys = STRBUF_INIT;
        struct piece from = { answer, length };
        uint32_t count, kept = 0;
        unsigned char type;

        if (!piece_take_byte(&from, &type) || type != MESSAGE_KEYS || !piece_take_number(&from, &count) || count > KEYS_MOST)
                return -1;
        for (uint32_t i = 0; i < count; i++) {
                struct piece key, comment;

                if (!piece_take_string(&from, &key) || !piece_take_string(&from, &comment))
                        return -1;
                if (!is_selected(selection, &key, &comment))
                        continue;
                add_piece(&keys, &key);
                add_piece(&keys, &comment);
                kept++;
        }
        if (from.length > 0)
                return -1;
        strbuf_addc(out, MESSAGE_KEYS);
        add_number(out, kept);
        strbuf_add(out, keys.buf ? keys.buf : "", keys.len);
        return 0;
}
