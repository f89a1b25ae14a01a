/*
 * The agent's protocol, as far as a guest gets: what a message asks for, and which keys are in an answer. Pure. Source:
 * draft-ietf-sshm-ssh-agent; OpenSSH's PROTOCOL.agent (session-bind), PROTOCOL (publickey-hostbound), PROTOCOL.sshsig;
 * RFC 4252, section 7 (what a log-in signs).
 *
 * A message here is what stands behind the four bytes of its length.
 */
#pragma once

#include <stdint.h>

#include "lib/strbuf.h"
#include "lib/strv.h"

#define MESSAGE_MOST    (256 << 10) /* bytes: OpenSSH's limit */
#define SESSION_ID_MOST 128         /* bytes; the longest hash has 64 */

enum message_type {
        MESSAGE_FAILURE = 5,
        MESSAGE_LIST = 11,
        MESSAGE_KEYS = 12,
        MESSAGE_SIGN = 13,
        MESSAGE_EXTENSION = 27,
};

/* Which keys a guest may use. */
struct selection {
        bool all;
        struct strv fingerprints; /* "SHA256:…"; those of `comments` are added as they are seen */
        struct strv comments;
};

#define SELECTION_INIT                                                                                                         \
        {                                                                                                                      \
                .fingerprints = STRV_INIT, .comments = STRV_INIT                                                               \
        }
void selection_clear(struct selection *selection);

enum request_kind { REQUEST_LIST, REQUEST_LOGIN, REQUEST_SIGNATURE, REQUEST_BIND, REQUEST_REFUSED };

/* What a guest asks for. All texts are the guest's word, with control characters made visible. */
struct request {
        enum request_kind kind;
        char *key;          /* fingerprint, of a log-in or a signature */
        char *what;         /* the user to log in as; the signature's namespace ("git") */
        char *host;         /* fingerprint of a host key, as the signed data or the bind has it; NULL = it has none */
        char *name;         /* of that host, where it is known and not the guest's word (hosts.h); NULL */
        const char *reason; /* why it is refused; static */
        unsigned char id[SESSION_ID_MOST]; /* of the session, of a log-in and a bind */
        size_t id_length;
        bool proven;     /* of a bind: the host has signed the id by its key (signature.h) */
        bool forwarding; /* of a bind: the agent is to be lent on, to that host */
};

#define REQUEST_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
void request_clear(struct request *request);
/* Judges a message: whatever isn't understood, and a key that isn't selected, is REQUEST_REFUSED. */
void request_read(const unsigned char *message, size_t length, const struct selection *selection, struct request *out);

/* Replaces the agent's answer to a list by one with the selected keys alone, and learns whose comments are selected. -1 when it
 * is none. */
int protocol_filter(const unsigned char *answer, size_t length, struct selection *selection, struct strbuf *out);
