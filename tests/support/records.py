"""Records of VMs as the program writes them, for tests and benchmarks of the code that reads them."""

import json
import os
import uuid


def write(state, vm, **changes):
    """Makes the folder of a stopped or absent VM, with a complete record."""
    folder = os.path.join(state, "machine/vms", vm)
    for path in (os.path.dirname(os.path.dirname(folder)), os.path.dirname(folder)):
        os.makedirs(path, mode=0o700, exist_ok=True)
    os.makedirs(folder, mode=0o700)
    record = {
        "version": 1, "intent": "none", "name": vm, "owner": "projects.toml", "engine": "qemu",
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, vm)), "user": "dev", "shell": "bash", "created": "2026-01-02T03:04:05Z",
        "cpus": 2, "memory_bytes": 2 << 30, "disk_bytes": 30 << 30, "forward_agent": False, "lan": False, "cold": False,
        "profiles": [], "repos": [f"https://example.org/{vm}.git"], "ports": [], "base": None,
    }
    for name in ("vm.json", "vm.json.copy"):
        with open(os.path.join(folder, name), "w") as file:
            json.dump({**record, **changes}, file)
    return folder


def without_copy(state, vm, **changes):
    """The same as it is for a VM whose copy of the record is damaged, too."""
    folder = write(state, vm, **changes)
    os.remove(os.path.join(folder, "vm.json.copy"))
    return folder
