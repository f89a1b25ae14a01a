#include "command/result.h"

#include "lib/deadline.h"

void result_json(json_t *value)
{
        _cleanup_(freep) char *text = json_text(value);

        puts(text);
        json_decref(value);
}

void result_print(struct context *context, const struct result *result, const char *format, ...)
{
        double seconds = (double)(now_ms() - result->started) / 1000;

        output_settle(context->output);
        if (context->mode == OUTPUT_JSON) {
                json_t *value = json_pack("{s:s, s:s, s:s}", "event", "result", "name", result->name, "state", result->state);

                if (result->started)
                        json_object_set_new(value, "seconds", json_real(seconds));
                if (result->how)
                        json_object_set_new(value, "how", json_string(result->how));
                result_json(value);
        } else if (!context->quiet) {
                va_list args;

                va_start(args, format);
                vfprintf(stderr, format, args);
                va_end(args);
                if (result->started)
                        fprintf(stderr, " (%.1f s)", seconds);
                fputc('\n', stderr);
        }
}

void result_list(struct context *context, json_t *array, const struct table *table, const char *nothing, ...)
{
        va_list args;

        output_settle(context->output);
        if (context->mode == OUTPUT_JSON) {
                result_json(array);
                return;
        }
        if (json_array_size(array) > 0) {
                table_print(table, stdout);
        } else if (!context->quiet) {
                va_start(args, nothing);
                vfprintf(stderr, nothing, args);
                va_end(args);
                fputc('\n', stderr);
        }
        json_decref(array);
}
