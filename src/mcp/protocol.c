#include "mcp/protocol.h"

#include "lib/text.h"

/* Newest first. */
static const char *const with_session[] = { "2025-11-25", "2025-06-18", PROTOCOL_BATCHES, "2024-11-05" };

const char *protocol_negotiate(const char *wanted)
{
        for (size_t i = 0; i < ARRAY_SIZE(with_session); i++)
                if (streq(with_session[i], wanted))
                        return with_session[i];
        return with_session[0];
}

json_t *protocol_self(const char *version)
{
        return json_pack("{s:s, s:s, s:s}", "name", "machine", "title", "Virtual machines of projects", "version", version);
}

static json_t *response(const json_t *id, const char *key, json_t *value)
{
        return json_pack("{s:s, s:O?, s:o}", "jsonrpc", "2.0", "id", id, key, value);
}

json_t *protocol_result(const json_t *id, bool modern, const char *version, json_t *result)
{
        if (modern) {
                json_object_set_new(result, "resultType", json_string("complete"));
                if (!json_object_get(result, "_meta"))
                        json_object_set_new(result, "_meta", json_object());
                json_object_set_new(json_object_get(result, "_meta"), "io.modelcontextprotocol/serverInfo",
                                    protocol_self(version));
        }
        return response(id, "result", result);
}

json_t *protocol_error(const json_t *id, enum protocol_code code, const char *format, ...)
{
        _cleanup_(freep) char *text = NULL;
        va_list args;

        va_start(args, format);
        text = xvasprintf(format, args);
        va_end(args);
        return response(id, "error", json_pack("{s:i, s:s}", "code", (int)code, "message", text));
}

json_t *protocol_failure(const char *text)
{
        return json_pack("{s:[{s:s, s:s}], s:b}", "content", "type", "text", "text", text, "isError", 1);
}

json_t *protocol_unsupported(const json_t *id, const char *requested)
{
        return response(id, "error",
                        json_pack("{s:i, s:s, s:{s:[s], s:s}}", "code", PROTOCOL_UNSUPPORTED, "message",
                                  "Unsupported protocol version", "data", "supported", PROTOCOL_MODERN, "requested",
                                  requested));
}
