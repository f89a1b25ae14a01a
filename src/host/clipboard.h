/*
 * The clipboard of this computer, of which one thing is read, and only when somebody asks: an image, as PNG. The programs that
 * do so are wl-paste (wl-clipboard) under Wayland, xclip under X11, and pngpaste on macOS.
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"

#define CLIPBOARD_IMAGE_MOST (32 << 20)

/*
 * Appends the image. Fails with ERROR_NOT_FOUND when the clipboard has none, and with ERROR_FAILED, and the name of the
 * package, when there is no program to read it with, when the image is too large, or when it is not a PNG.
 */
int clipboard_image(struct strbuf *out, struct error **err);
