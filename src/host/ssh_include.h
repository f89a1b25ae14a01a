/*
 * Does a user's ssh configuration include a file for all hosts? The text is read as ssh reads it (readconf.c of OpenSSH):
 * keywords in any case, an optional "=", arguments quoted by ' or ", "~/", paths relative to ~/.ssh, globs. Only what comes
 * before the first Host or Match counts: after one, an Include only holds under that condition.
 */
#pragma once

#include "lib/strbuf.h"

/* `text` is the content of ~/.ssh/config, `ssh_folder` stands for ~/.ssh, `file` is the absolute path asked for. */
bool ssh_include_present(const char *text, size_t length, const char *ssh_folder, const char *file);
