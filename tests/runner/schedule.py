"""Runs jobs side by side: two lanes for jobs that keep a VM busy, a third one for the rest.

Most of the other jobs wait more than they compute, so three lanes keep two processors busy. All jobs with VMs need the image, so they
begin once it is there. Until then their lanes take the shortest of the other jobs, so that they are soon free. When no job with VMs is
left, they take whatever else there is.
"""

import threading
import time

VM_LANES = 2
LANES = VM_LANES + 1


class Schedule:
    """Calls done(job, cases, seconds) for each job, from the lane that ran it."""

    def __init__(self, image, vm, rest, done):
        self.image, self.vm, self.rest = list(image), list(vm), list(rest)
        self.waits = len(self.image)
        self.done = done
        self.change = threading.Condition()
        self.error = None

    def take(self, vm_lane):
        """The next job for a lane; None = no job is left."""
        with self.change:
            while not self.error:
                if vm_lane and self.image:
                    return self.image.pop(0)
                if vm_lane and self.vm and not self.waits:
                    return self.vm.pop(0)
                if self.rest:
                    return self.rest.pop(-1 if vm_lane and self.vm else 0)
                if not vm_lane or not self.vm:
                    return None
                self.change.wait()
        return None

    def work(self, vm_lane):
        while job := self.take(vm_lane):
            began = time.monotonic()
            try:
                self.done(job, job.run(), time.monotonic() - began)
            except BaseException as error:
                self.error = error
            with self.change:
                self.waits -= job.stage == "image"
                self.change.notify_all()

    def run(self):
        lanes = [threading.Thread(target=self.work, args=(number < VM_LANES,), daemon=True) for number in range(LANES)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        if self.error:
            raise self.error
