/*
 * Text as people write and read it: sizes, times, names, suggestions, quoting, and making a guest's output harmless.
 */
#pragma once

#include <time.h>

#include "lib/strbuf.h"
#include "lib/strv.h"

/*
 * Appends `text` with every control character (C0 except tab, DEL, C1 as UTF-8, and bytes that are not UTF-8) written as \xNN,
 * so that what a guest or a file says can't drive the terminal. Also makes the bidirectional overrides U+202A..202E and
 * U+2066..2069 visible.
 */
void text_visible(struct strbuf *out, const char *text, size_t length);
char *text_visible_dup(const char *text);

/* What a terminal would show of one line: nothing of the characters `end` at its end, and nothing before the last carriage
 * return. Makes *length that of what is left, and returns where that begins. */
const char *text_shown(const char *line, size_t *length, const char *end);
/*
 * Appends what a terminal would show of one line that a program printed, made visible: a carriage return begins the line anew.
 * For quotes only: of a name that somebody chose nothing may be hidden.
 */
void text_said(struct strbuf *out, const char *line, size_t length);
char *text_said_dup(const char *line);

/* Appends `word` quoted for a POSIX shell ('…'); words of plain characters stay as they are. */
void text_shell_quote(struct strbuf *out, const char *word);
/* All of argv, quoted, with spaces between. Owned by the caller. */
char *text_shell_join(const char *const *argv);
/* The same for one path, which gets its quotes in any case: hints have names in them. Owned by the caller. */
char *text_shell_path(const char *path);

/* "a, b, c and 2 more": the first `most` of the list, each made visible. Owned by the caller. */
char *text_first_of(const struct strv *list, size_t most);

/* The candidate nearest to `word` (edit distance at most 1/3 of its length, at least 1, transpositions count one), or NULL. */
const char *text_suggest(const char *word, const char *const *candidates);

/*
 * "8GiB", "512MiB", "1.5TiB", "8G", "512M", "4096" (bytes) to bytes. K, KB and KiB (M, G, T) are the same power of 1024, in
 * small or capital letters, after spaces or none.
 * Returns 0, or -1 when it is not a size or overflows int64.
 */
int text_parse_size(const char *text, int64_t *bytes);
/* "8.0 GiB", "512 MiB", "0 B". Owned by the caller. */
char *text_format_size(int64_t bytes);
/* "45s", "30m", "2h", "1d" to seconds. Returns 0, or -1 when it is no such time or overflows. */
int text_parse_duration(const char *text, int64_t *seconds);
/* "0.3 s", "12 s", "3 min 20 s", "2 h 5 min". Owned by the caller. */
char *text_format_duration(int64_t milliseconds);

/* For what isn't known exactly: "a few seconds", "40 seconds", "1 minute", "4 minutes", "2 hours". Owned by the caller. */
char *text_format_roughly(int64_t milliseconds);
/* As on a clock: "0:07", "2:10", "1:02:10". Owned by the caller. */
char *text_format_clock(int64_t milliseconds);

/* RFC 3339 in UTC, "2026-01-02T03:04:05Z"; a time that has no such form becomes 1970. Owned by the caller. */
char *text_format_time(time_t when);

/* Such a time in seconds since 1970; -1 when it is none. */
int64_t text_parse_time(const char *text);

/* The same for people: in local time, "2026-01-02 04:04:05". Owned by the caller. */
char *text_local_time_of(time_t when);
/* Of a time as text_format_time() writes it; any other text comes back as it is. Owned by the caller. */
char *text_local_time(const char *rfc3339);

/* Reads a whole decimal number in [low, high], with nothing else around it. 0 or -1. */
int text_parse_int(const char *text, int64_t low, int64_t high, int64_t *value);

/* The last `c` among the first `length` bytes, or NULL. (memrchr(3) isn't everywhere.) */
const char *text_last(const char *text, size_t length, char c);

/* In base64 with padding (RFC 4648, section 4), in one line. Owned by the caller. */
char *text_base64(const void *data, size_t length);

/* A project's or VM's name: a-z, 0-9 and hyphen, a letter or digit first and last, at most 40 bytes. */
bool text_name_valid(const char *name);
/* The nearest valid name for a folder's name ("My App" -> "my-app"), or NULL when nothing is left. Owned by the caller. */
char *text_name_from(const char *folder);
