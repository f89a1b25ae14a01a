"""Reads Mach-O executables, as <mach-o/loader.h> and <mach-o/nlist.h> describe them, and lists of libraries' symbols."""

import re
import struct

MAGIC_64 = 0xFEEDFACF
PROCESSORS = {"x86_64": 0x01000007, "aarch64": 0x0100000C}
EXECUTE = 2              # MH_EXECUTE
NO_UNDEFINED = 0x1       # MH_NOUNDEFS
POSITION_INDEPENDENT = 0x200000  # MH_PIE
PLATFORM_MACOS = 1

LC_SYMTAB = 0x2
LOADS = {0xC, 0x80000018, 0x8000001F}  # LC_LOAD_DYLIB and its weak and re-exporting forms
LC_CODE_SIGNATURE = 0x1D
LC_BUILD_VERSION = 0x32

STAB, TYPE, EXTERNAL = 0xE0, 0x0E, 0x01  # parts of nlist_64.n_type; type 0 is undefined


class Executable:
    """The header's processor, kind and flags; the libraries that are loaded; the symbols that they must have; platform and least system."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        magic, self.processor, _, self.kind, count, _, self.flags, _ = struct.unpack_from("<8I", self.data)
        if magic != MAGIC_64:
            raise ValueError(f"'{path}' is no 64-bit Mach-O file")
        self.libraries, self.undefined, self.signed, self.platform, self.least_system = [], [], False, None, None
        at = 32
        for _ in range(count):
            command, size = struct.unpack_from("<2I", self.data, at)
            self.take(command, at, size)
            at += size

    def take(self, command, at, size):
        if command in LOADS:
            start, = struct.unpack_from("<I", self.data, at + 8)
            self.libraries.append(self.text(at + start))
        elif command == LC_SYMTAB:
            symbols, count, strings, _ = struct.unpack_from("<4I", self.data, at + 8)
            for place in range(symbols, symbols + 16 * count, 16):
                name, kind = struct.unpack_from("<IB", self.data, place)
                if not kind & STAB and kind & TYPE == 0 and kind & EXTERNAL:
                    self.undefined.append(self.text(strings + name))
        elif command == LC_CODE_SIGNATURE:
            self.signed = True
        elif command == LC_BUILD_VERSION:
            self.platform, least = struct.unpack_from("<2I", self.data, at + 8)
            self.least_system = (least >> 16, least >> 8 & 0xFF)

    def text(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode()


def exported(text, architecture):
    """The symbols that the libraries of a .tbd file (tapi-tbd 4) have for an architecture."""
    # Apple's own programs are arm64e, and so are most of the lists. The libraries serve arm64 as well.
    targets = {"aarch64": {"arm64-macos", "arm64e-macos"}, "x86_64": {"x86_64-macos"}}[architecture]
    found = set()
    for block in re.finditer(r"- targets:\s*\[([^]]*)\]((?:\s+[a-z-]+:\s*\[[^]]*\])*)", text):
        if targets & set(block.group(1).replace(",", " ").split()):
            for kind, names in re.findall(r"([a-z-]+):\s*\[([^]]*)\]", block.group(2)):
                if kind.endswith("symbols"):
                    found |= {name.strip("'") for name in names.replace(",", " ").split()}
    return found
