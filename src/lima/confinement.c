#include "lima/confinement.h"

/* The last rule that matches counts. "localhost" and "*" are the only names that a profile can have for an address. A unix
 * socket is not an address, so names are still looked up by macOS's own resolver. */
void confinement_profile(uint16_t port, struct strbuf *out)
{
        strbuf_addf(out,
                    "(version 1)\n"
                    "(allow default)\n"
                    "(deny network-outbound (remote ip \"localhost:*\"))\n"
                    "(allow network-outbound (remote tcp \"localhost:%u\"))\n",
                    port);
}
