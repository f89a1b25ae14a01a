/* What a guest said, as text for a model: valid UTF-8 in lines, nothing in it that could drive a terminal. */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"

/* Appends it: line ends and tabs stay, every other control character and what is not UTF-8 is made visible (text_visible()). */
void text_add_said(struct strbuf *out, const char *said, size_t length);
/* The same for text of which the middle was cut out, at `at` bytes: says there how much is missing. */
void text_add_cut(struct strbuf *out, const struct strbuf *said, size_t at, size_t missing);
/* Can it be shown and given back as it is: UTF-8, in which only line ends and tabs are control characters? */
bool text_is_plain(const char *text, size_t length);
/* What an error says, its hint as advice to somebody who can't run commands on this computer, and further errors. */
void text_add_error(struct strbuf *out, const struct error *error);
