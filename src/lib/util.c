#include "lib/util.h"

#include <errno.h>
#include <unistd.h>

static _noreturn_ void out_of_memory(void)
{
        static const char message[] = "machine: out of memory\n";

        /* stdio may want memory of its own. */
        if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
                abort();
        abort();
}

void *xmalloc(size_t size)
{
        /* malloc(0) may give NULL, which is not a failure. */
        void *data = malloc(size > 0 ? size : 1);

        if (!data)
                out_of_memory();
        return data;
}

void *xcalloc(size_t count, size_t size)
{
        void *data = count > 0 && size > 0 ? calloc(count, size) : calloc(1, 1);

        if (!data)
                out_of_memory();
        return data;
}

void *xrealloc(void *old, size_t size)
{
        void *data = realloc(old, size > 0 ? size : 1);

        if (!data)
                out_of_memory();
        return data;
}

void *xreallocarray(void *old, size_t count, size_t size)
{
        size_t total;

        if (__builtin_mul_overflow(count, size, &total))
                out_of_memory();
        return xrealloc(old, total);
}

char *xstrdup(const char *text)
{
        return text ? xmemdup(text, strlen(text) + 1) : NULL;
}

char *xstrndup(const char *text, size_t length)
{
        size_t used = strnlen(text, length);
        char *copy = xmalloc(used + 1);

        memcpy(copy, text, used);
        copy[used] = '\0';
        return copy;
}

void *xmemdup(const void *data, size_t size)
{
        void *copy = xmalloc(size);

        if (size > 0)
                memcpy(copy, data, size);
        return copy;
}

char *xasprintf(const char *format, ...)
{
        va_list args;
        char *text;

        va_start(args, format);
        text = xvasprintf(format, args);
        va_end(args);
        return text;
}

char *xvasprintf(const char *format, va_list args)
{
        char *text;

        if (vasprintf(&text, format, args) < 0)
                out_of_memory();
        return text;
}

void freep(void *pointer_to_pointer)
{
        void *pointer;

        /* The variable may be of any pointer type, so it is not read through a void **. */
        memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
        free(pointer);
}

void closep(int *fd)
{
        int saved = errno;

        if (*fd >= 0)
                close(*fd);
        errno = saved;
}

void fclosep(FILE **file)
{
        if (*file)
                fclose(*file);
}

int write_all(int fd, const void *data, size_t length)
{
        const char *rest = data;

        while (length > 0) {
                ssize_t written = write(fd, rest, length);

                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return -1;
                rest += written;
                length -= (size_t)written;
        }
        return 0;
}

void set_string(char **target, char *value)
{
        if (*target != value)
                free(*target);
        *target = value;
}

bool ends_with(const char *text, const char *suffix)
{
        size_t length = strlen(text);
        size_t suffix_length = strlen(suffix);

        return length >= suffix_length && streq(text + length - suffix_length, suffix);
}
