/* What the parts of the server share: server.c (lines in and out), request.c (what a message asks for), call.c (running tools).
 */
#pragma once

#include "lib/json.h"
#include "lib/loop.h"
#include "mcp/server.h"

struct call;

/* Responses to a list of messages (PROTOCOL_BATCHES), which go out together. */
struct batch {
        json_t *responses;
        size_t awaited; /* responses that are to come, and one while the list is being read */
};

struct server {
        const struct server_options *options;
        struct loop *loop;
        struct strbuf in;
        bool skipping; /* the rest of a line that was too long */
        struct strbuf out;
        size_t sent; /* of `out` */
        struct loop_source *reader, *writer, *interrupt;
        const char *session; /* the revision that `initialize` agreed on; NULL = there was none */
        struct call **calls; /* in the order in which they came */
        size_t count, running;
        bool ending;
};

/* Sends a message, which is taken over; into the batch, if there is one. */
void server_send(struct server *server, struct batch *batch, json_t *message);
/* For a request that will get no response. */
void server_leave_out(struct server *server, struct batch *batch);
/* Is so much waiting to be written that nothing more should be begun? */
bool server_is_behind(const struct server *server);
/* Goes on with the end of the server once no call is left. */
void server_check_end(struct server *server);

/* Answers, or begins to, what is in a line from the client. */
void request_take(struct server *server, const char *line, size_t length);
