#include "guest/advice.h"

#include "config/settings.h"
#include "host/ca.h"
#include "lib/said.h"
#include "lib/text.h"

#define FILES_SHOWN 3

static char *on_what_was_given(const char *again)
{
        _cleanup_(strbuf_clear) struct strbuf bundle = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv files = STRV_INIT;
        _cleanup_(freep) char *names = NULL;

        if (ca_read(&bundle, &files, NULL) < 0)
                return xasprintf("'trust_host_ca' is set, but this computer's CAs can't be read: machine doctor");
        names = text_first_of(&files, FILES_SHOWN);
        return xasprintf("'trust_host_ca' is set, and the CAs of %s are in the guest, but none of them signed this: add the CA "
                         "to those of this computer, then: %s",
                         names, again);
}

char *advice_on_trust(const char *said, size_t length, const char *again)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;

        if (!said_untrusted(said, length) || settings_read(&settings, NULL) < 0)
                return NULL;
        if (settings.trust_host_ca)
                return on_what_was_given(again);
        return xasprintf("the guest does not trust the CA that signed this; if this computer does, write trust_host_ca = true "
                         "into '%s', then: %s",
                         settings.file, again);
}

bool advice_broke_off(const struct vm *vm, const char *said, size_t length)
{
        const char *egress = vm->record.egress;

        return (!egress || streq(egress, "open")) && said_broken_off(said, length);
}
