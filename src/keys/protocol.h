/*
 * The part of the agent's protocol that a guest gets: what a message asks for, and which keys are in an answer. Pure. Source:
 * draft-ietf-sshm-ssh-agent; OpenSSH's PROTOCOL.agent (session-bind), PROTOCOL (publickey-hostbound), PROTOCOL.sshsig; RFC
 * 4252, section 7 (what a log-in signs).
 *
 * A message here is what follows the four bytes of its length.
 */
#pragma once

#include <stdint.h>

#include "lib/strbuf.h"
#include "lib/strv.h"

#define MESSAGE_MOST    (256 << 10) /* bytes: OpenSSH's limit */
#define SESSION_ID_MOST 128         /* bytes; the longest hash has 64 */
#define WORD_MOST       128         /* bytes that are shown of the name of a user, a namespace or an extension */

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

/* What a guest asks for. All texts are the guest's words, with control characters made visible; a cut text ends in "…". */
struct request {
        enum request_kind kind;
        char *key;          /* fingerprint, of a log-in or a signature */
        char *what;         /* the user to log in as; the signature's namespace ("git") */
        char *host;         /* fingerprint of a host key in the signed data or the bind; NULL = there is none */
        char *name;         /* of that host, when it is known and not the guest's word (hosts.h); NULL = not known */
        const char *reason; /* why it is refused; static */
        unsigned char id[SESSION_ID_MOST]; /* of the session, for a log-in and a bind */
        size_t id_length;
        bool proven;     /* of a bind: the host has signed the id with its key (signature.h) */
        bool forwarding; /* of a bind: it lends the agent on, to that host */
};

#define REQUEST_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
void request_clear(struct request *request);
/* Judges a message. It is REQUEST_REFUSED when it isn't understood, or its key isn't selected. */
void request_read(const unsigned char *message, size_t length, const struct selection *selection, struct request *out);

/*
 * Reduces the agent's answer to a list to the selected keys, and learns the fingerprints of keys with selected comments.
 * Returns -1 when the answer isn't a list.
 */
int protocol_filter(const unsigned char *answer, size_t length, struct selection *selection, struct strbuf *out);
