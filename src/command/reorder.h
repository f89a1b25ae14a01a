/* Options that stand before the command: `machine --engine X up`. */
#pragma once

#include "lib/strv.h"

/*
 * Appends the words in the usual order: the command, the options before it, the rest. The command is the first word that is
 * one and takes all that stands before it as its options: the value of an option may be called like a command. When no command
 * takes them, it is the first word that is one, whose own error then says what is wrong. False = there is no command.
 */
bool reorder(const char *const *argv, struct strv *out);
