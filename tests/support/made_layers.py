"""Layers as the program lists them, made by a test: a folder with files, and a manifest that says what they are."""

import json
import os


def put(program, key, manifest, **files):
    """Makes a layer; its files have so many bytes. Without a manifest it is damaged."""
    folder = os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers", key)
    os.makedirs(folder, mode=0o700)
    for name, size in {"disk.qcow2": 4096, **files}.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"x" * size)
    if manifest:
        with open(os.path.join(folder, "manifest.json"), "w") as file:
            json.dump({"key": key, "disk_bytes": 3 << 30, "created": "2026-01-02T03:04:05Z", "user": "dev", **manifest}, file)
    with open(f"{folder}.lock", "w"):
        pass
    return folder
