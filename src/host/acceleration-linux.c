#include "host/acceleration.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

#define DEVICE   "/dev/kvm"
#define GROUP    "sudo usermod -aG kvm $USER, then log in again"
#define MODULE   "enable virtualisation (VT-x, AMD-V) in the firmware, then: sudo modprobe kvm_intel, or kvm_amd"
#define FIRMWARE "enable virtualisation (VT-x, AMD-V) in the firmware; within a VM, nested virtualisation on its host"

void acceleration_clear(struct acceleration *acceleration)
{
        free(acceleration->note);
        free(acceleration->hint);
        *acceleration = (struct acceleration)ACCELERATION_INIT;
}

static void say(struct acceleration *out, const char *what, const char *why)
{
        out->note = xasprintf("no hardware virtualisation (%s: %s): guests run in software emulation, about ten times slower",
                              what, why);
}

/*
 * Some kernels offer the device in software only (PVM), for guest kernels that are made for it: a VM can be made there, but an
 * ordinary kernel doesn't boot in it. Source: Intel's and AMD's manuals, CPUID leaves 1 and 0x80000001.
 */
static bool processor_can(void)
{
#ifdef __x86_64__
        unsigned a;
        unsigned b;
        unsigned c;
        unsigned d;

        if (__get_cpuid(1, &a, &b, &c, &d) && (c & (1U << 5))) /* VMX */
                return true;
        return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & (1U << 2)); /* SVM */
#else
        return true;
#endif
}

void acceleration_find(struct acceleration *out)
{
        _cleanup_(closep) int device = open(DEVICE, O_RDWR | O_CLOEXEC);
        _cleanup_(closep) int guest = -1;
        int version;

        *out = (struct acceleration)ACCELERATION_INIT;
        if (device < 0) {
                say(out, DEVICE, strerror(errno));
                out->hint = xstrdup(errno == EACCES || errno == EPERM ? GROUP : processor_can() ? MODULE : FIRMWARE);
                return;
        }
        version = ioctl(device, KVM_GET_API_VERSION, 0);
        if (version != KVM_API_VERSION) {
                say(out, DEVICE, version < 0 ? strerror(errno) : "its interface has another version");
                return;
        }
        guest = ioctl(device, KVM_CREATE_VM, 0);
        if (guest < 0) {
                say(out, DEVICE, strerror(errno));
                return;
        }
        if (!processor_can()) {
                say(out, DEVICE, "the processor has neither VMX nor SVM");
                out->hint = xstrdup(FIRMWARE);
                return;
        }
        out->kvm = true;
}
