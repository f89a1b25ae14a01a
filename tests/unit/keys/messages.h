/* Messages to an ssh agent, built as their specifications say. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keys/protocol.h"
#include "lib/hash.h"

#define SESSION "the session's id"

_unused_ static void add_number(struct strbuf *out, uint32_t number)
{
        for (int shift = 24; shift >= 0; shift -= 8)
                strbuf_addc(out, (char)(number >> shift & 0xff));
}

_unused_ static void add_string(struct strbuf *out, const char *data, size_t length)
{
        add_number(out, (uint32_t)length);
        strbuf_add(out, data, length);
}

_unused_ static void add_text(struct strbuf *out, const char *text)
{
        add_string(out, text, strlen(text));
}

_unused_ static void add_key(struct strbuf *out, char filler)
{
        _cleanup_(strbuf_clear) struct strbuf key = STRBUF_INIT;
        char point[32];

        memset(point, filler, sizeof(point));
        add_text(&key, "ssh-ed25519");
        add_string(&key, point, sizeof(point));
        add_string(out, key.buf, key.len);
}

_unused_ static char *mark_of(char filler)
{
        _cleanup_(strbuf_clear) struct strbuf key = STRBUF_INIT;

        add_key(&key, filler);
        return hash_fingerprint(key.buf + 4, key.len - 4);
}

_unused_ static void add_login(struct strbuf *out, char key, const char *method, const char *service, bool host)
{
        add_text(out, SESSION);
        strbuf_addc(out, 50);
        add_text(out, "gi\033t");
        add_text(out, service);
        add_text(out, method);
        strbuf_addc(out, 1);
        add_text(out, "ssh-ed25519");
        add_key(out, key);
        if (host)
                add_key(out, 'h');
}

_unused_ static void add_signature(struct strbuf *out, const char *space)
{
        strbuf_adds(out, "SSHSIG");
        add_text(out, space);
        add_text(out, "");
        add_text(out, "sha512");
        add_text(out, "the hash");
}

_unused_ static void sign(struct strbuf *out, char key, const struct strbuf *data)
{
        strbuf_addc(out, MESSAGE_SIGN);
        add_key(out, key);
        add_string(out, data->buf, data->len);
        add_number(out, 0);
}

_unused_ static void read_message(const struct strbuf *message, const struct selection *selection, struct request *out)
{
        request_read((const unsigned char *)message->buf, message->len, selection, out);
}
