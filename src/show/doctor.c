#include "show/doctor.h"

const char *show_doctor_verdict(enum doctor_verdict verdict)
{
        static const char *const names[] = { [DOCTOR_GOOD] = "ok", [DOCTOR_WARNING] = "warning", [DOCTOR_BAD] = "failed" };

        return names[verdict];
}

json_t *show_doctor(const struct doctor *doctor)
{
        json_t *array = json_array();

        for (size_t i = 0; i < doctor->count; i++) {
                const struct doctor_check *check = &doctor->checks[i];

                json_array_append_new(array, json_pack("{s:s, s:s, s:b, s:s, s:s?}", "name", check->name, "status",
                                                       show_doctor_verdict(check->verdict), "optional", (int)check->optional,
                                                       "detail", check->detail, "hint", check->hint));
        }
        return array;
}
