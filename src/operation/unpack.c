#include "operation/unpack.h"

#include "guest/repos.h"

static int check_empty(const struct vm *vm, const struct archive *archive, struct error **err)
{
        const char *checkout = vm_record_checkout(&vm->record);
        _cleanup_(work_clear) struct work found = WORK_INIT;
        _cleanup_(freep) char *text = NULL;

        if (repos_find_work(vm, checkout, &found, err) < 0)
                return -1;
        if (!work_any(&found) || streq_ptr(found.unpacking, archive->id))
                return 0;
        text = work_text(&found);
        error_set(err, ERROR_WORK, "VM '%s' holds work of its own, which '%s' could overwrite:\n%s", vm->name, archive->path,
                  text);
        return error_hint(err, "save it first: machine rebuild --save %s-2" ARCHIVE_SUFFIX " %s", vm->name, vm->name);
}

int unpack_work(struct front *front, struct vm *vm, const struct archive *archive, bool fresh, struct error **err)
{
        _cleanup_(strv_clear) struct strv aside = STRV_INIT;
        int status;

        event_begin(front->events, "unpack", "bringing back what '%s' has", archive->path);
        status = !fresh && check_empty(vm, archive, err) < 0 ? -1 : archive_unpack(vm, archive, &aside, err);
        event_end(front->events, "unpack", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        for (size_t i = 0; status == 0 && i < aside.count; i++)
                event_warning(front->events, "something else has the place of '%s': it is in ~/set-aside", aside.items[i]);
        return status;
}
