/* Options that stand before the command: `machine --engine X up`. */
#pragma once

#include "lib/strv.h"

/*
 * Appends the words in the usual order: the command, the options before it, the rest. The command is the first word that names
 * one whose options all the words before it are, because an option's value may have the name of a command. If there is none
 * like that, it is the first word that names a command, and that command's own error says what is wrong. False = no word does.
 */
bool reorder(const char *const *argv, struct strv *out);
