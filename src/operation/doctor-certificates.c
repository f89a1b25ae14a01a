/* The doctor's look at CA certificates that only this computer trusts: whether VMs trust them, too. */
#include "config/settings.h"
#include "host/ca.h"
#include "lib/text.h"
#include "operation/doctor-system.h"
#include "vm/vm.h"

#define NAME           "certificates"
#define PLACES_SHOWN   3
#define COMMANDS_SHOWN 3

/* "'/x/corp.crt' (NODE_EXTRA_CA_CERTS)". Owned by the caller. */
static char *describe(const struct ca_place *place)
{
        return place->variable ? xasprintf("'%s' (%s)", place->path, place->variable) : xasprintf("'%s'", place->path);
}

/* "2 CAs that did not come with its system, in '/x/corp.crt'". Owned by the caller. */
static char *describe_all(const struct ca_own *own)
{
        _cleanup_(strv_clear) struct strv places = STRV_INIT;
        _cleanup_(freep) char *list = NULL;
        size_t count = own->bodies.count;

        for (size_t i = 0; i < own->place_count; i++)
                if (!own->places[i].trouble && !own->places[i].update)
                        strv_take(&places, describe(&own->places[i]));
        list = text_first_of(&places, PLACES_SHOWN);
        return xasprintf("%zu CA%s that did not come with its system, in %s", count, count == 1 ? "" : "s", list);
}

/* What is wrong with the places themselves. */
static void say_places(struct doctor *doctor, const struct ca_own *own)
{
        for (size_t i = 0; i < own->place_count; i++) {
                const struct ca_place *place = &own->places[i];
                _cleanup_(freep) char *where = describe(place);

                if (place->trouble) {
                        _cleanup_(freep) char *hint =
                                place->variable ? xasprintf("unset %s, or name a file in it that is there", place->variable)
                                                : NULL;

                        doctor_say(doctor, DOCTOR_WARNING, NAME, hint, "no certificates can be read from %s: %s", where,
                                   place->trouble);
                } else if (place->update) {
                        doctor_say(doctor, DOCTOR_WARNING, NAME, place->update,
                                   "this computer's programs do not trust what is in %s yet: its bundle lacks it", where);
                }
        }
}

/* VMs whose record can't be read are check_vms()'s. */
static void find_without(struct strv *without, size_t *all)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        vm_list(&names, NULL);
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(vm_clear) struct vm vm = VM_INIT;

                if (vm_open_existing(&vm, names.items[i], NULL) < 0)
                        continue;
                (*all)++;
                if (!vm.record.host_ca)
                        strv_add(without, names.items[i]);
        }
}

/* "machine up blog; machine up shop". Owned by the caller. */
static char *command_for(const struct strv *vms)
{
        _cleanup_(strv_clear) struct strv commands = STRV_INIT;

        if (vms->count > COMMANDS_SHOWN)
                return xstrdup("machine up NAME, for each of them");
        for (size_t i = 0; i < vms->count; i++)
                strv_addf(&commands, "machine up %s", vms->items[i]);
        return strv_join(&commands, "; ");
}

/* `settings`: the file to write the setting into; NULL = it is set. */
static void say_without(struct doctor *doctor, const char *own, const char *settings, const struct strv *vms)
{
        _cleanup_(freep) char *names = strv_join(vms, ", ");
        _cleanup_(freep) char *command = command_for(vms);
        _cleanup_(freep) char *hint = NULL;

        if (settings)
                hint = xasprintf("if your network inspects TLS, write trust_host_ca = true into '%s'%s%s", settings,
                                 vms->count > 0 ? ", then: " : "", command);
        doctor_say(doctor, DOCTOR_WARNING, NAME, hint ? hint : command, "this computer trusts %s; %s%s", own,
                   vms->count > 0 ? "VMs that do not: " : "a new VM does not", names);
}

void doctor_check_certificates(struct doctor *doctor)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(ca_own_clear) struct ca_own own = CA_OWN_INIT;
        _cleanup_(strv_clear) struct strv without = STRV_INIT;
        _cleanup_(freep) char *text = NULL;
        size_t all = 0;

        ca_find_own("", &own);
        say_places(doctor, &own);
        /* check_files() says what is wrong with the settings. */
        if (own.bodies.count == 0 || settings_read(&settings, NULL) < 0)
                return;
        find_without(&without, &all);
        text = describe_all(&own);
        if (!settings.trust_host_ca || without.count > 0)
                say_without(doctor, text, settings.trust_host_ca ? NULL : settings.file, &without);
        else
                doctor_say(doctor, DOCTOR_GOOD, NAME, NULL, "this computer trusts %s, and so do %s", text,
                           all > 0 ? "all of its VMs" : "new VMs");
}
