"""Every error and every hint that the program can make, read out of its C source.

A small tokenizer reads src/: comments, strings (also those that go on over lines, or have macros in between), names and marks. Calls of
the functions in MAKERS become errors, calls of those in HINTS become hints of the error made last in the same function. Hints that are
no call are found by their name: what is assigned to `hint`, and the tables in TABLES.
"""

import collections
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What makes an error -> (which argument is the format, what kind of error it is). Arguments are counted from 0.
MAKERS = {"error_set": (2, "set"), "error_errno": (2, "system"), "error_at": (4, "set"), "error_wrap": (1, "context"),
          "schema_mistake": (3, "set"), "mistake": (3, "set")}
HINTS = {"error_hint": 1, "error_hint_else": 1, "schema_hint": 1}
# These define the makers, or hand on what was made.
DEFINERS = {"src/lib/error.c"}
DEFINED = {("src/config/schema.c", "schema_mistake"), ("src/config/schema.c", "schema_hint"), ("src/config/recipe-steps.c", "mistake")}
# doctor_say(doctor, verdict, name, hint, format, …)
DOCTOR = "doctor_say"
# Tables whose rows have a hint: (file, name of the table) -> which member it is, counted from the end.
TABLES = {("src/operation/doctor-linux.c", "doctor_tools"): 1, ("src/operation/doctor-darwin.c", "doctor_tools"): 1,
          ("src/lima/system-linux.c", "system_tools"): 1, ("src/lima/system-darwin.c", "system_tools"): 1,
          ("src/command/table.c", "words"): 1}

# What these are given is not said.
COMPARED = {"strstr", "streq", "starts_with"}

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|[A-Za-z_]\w*|\d\w*|->|\s+|.', re.S)
MACRO = re.compile(r'(?m)^#\s*define\s+(\w+)\s+((?:"(?:\\.|[^"\\])*"\s*(?:\\\n\s*)?)+)(?:/\*.*)?$')
PRINTED = {"PRId64": "jd", "PRIu64": "ju"}
PLACE = re.compile(r"%(?:%|[-0#]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|j|z)?([a-zA-Z]))")

Error = collections.namedtuple("Error", "path line function maker sort kind says arguments hints")
Hint = collections.namedtuple("Hint", "path line function says arguments")


def source(*suffixes):
    """The files of src/, with '/' between folders."""
    for folder, folders, names in os.walk(os.path.join(ROOT, "src")):
        folders.sort()
        for name in sorted(names):
            if name.endswith(suffixes or (".c", ".cc")):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def literal(token):
    """What a string literal of C says. Escapes stay as they are written, but for quotes."""
    return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def macros(*paths):
    """Names of macros that are nothing but a string -> that string."""
    return {name: "".join(literal(part) for part in re.findall(r'"(?:\\.|[^"\\])*"', value))
            for path in paths for name, value in MACRO.findall(text_of(path))}


def tokens(text):
    """(token, line) of each token that is neither white space nor a comment."""
    line = 1
    for match in TOKEN.finditer(text):
        token = match.group(0)
        if not token.isspace() and not token.startswith(("/*", "//")):
            yield token, line
        line += token.count("\n")


def arguments(found, at):
    """The arguments of the call whose opening bracket is found[at], each a list of tokens; and where the call ends."""
    depth, out = 0, [[]]
    while True:
        token = found[at][0]
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                return out, at
        if token == "," and depth == 1:
            out.append([])
        elif depth > 1 or token not in ("(",) or depth != 1 or out != [[]]:
            out[-1].append(token)
        at += 1


def strings(parts, known):
    """The string literals among tokens, those that stand beside each other joined; None where a branch has no string.

    `a ? "x" : "y"` has two.
    """
    out, running, compared = [], None, 0
    for before, token in zip([""] + parts, parts):
        if compared or (token == "(" and before in COMPARED):
            compared += {"(": 1, ")": -1}.get(token, 0)
        elif token.startswith('"') or token in known:
            running = (running or "") + (literal(token) if token.startswith('"') else known[token])
        elif running is not None:
            out.append(running)
            running = None
    return out + ([running] if running is not None else [])


def code(parts):
    return "".join(parts)


class Reader:
    """Reads one file into lists of errors and hints."""

    def __init__(self, path, known):
        self.path, self.known = path, {**known, **macros(path)}
        self.found = list(tokens(text_of(path)))
        self.errors, self.hints, self.commands = [], [], []
        self.function, self.newest = "", None

    def formats(self, parts):
        """The sentences that an argument may be. One that is only a variable is "%s"."""
        found = [text for text in strings(parts, self.known)]
        return found or ["%s"]

    def add_error(self, name, line, given):
        at, sort = MAKERS[name]
        kind = code(given[1]).removeprefix("ERROR_") if name in ("error_set", "error_errno") else "CONFIG" if sort == "set" else ""
        for says in self.formats(given[at]):
            error = Error(self.path, line, self.function, name, sort, kind, says, [code(each) for each in given[at + 1:]], [])
            self.errors.append(error)
            self.newest = error if len(self.formats(given[at])) == 1 else self.newest
        self.newest = self.errors[-1]

    def add_hint(self, line, says, given, of_newest):
        hint = Hint(self.path, line, self.function, says, [code(each) for each in given])
        self.hints.append(hint)
        if of_newest and self.newest and self.newest.function == self.function:
            self.newest.hints.append(hint)

    def read_call(self, at, name, line):
        given, _ = arguments(self.found, at + 1)
        if name in MAKERS:
            self.add_error(name, line, given)
        elif name in HINTS:
            for says in self.formats(given[HINTS[name]]):
                self.add_hint(line, says, given[HINTS[name] + 1:], True)
        elif name == DOCTOR and len(given) > 4:
            for says in strings(given[3], self.known):
                self.add_hint(line, says, [], False)

    def read_assignment(self, at, line):
        """`hint = …;`, `set_string(&x->hint, …)`, `.hint = …`: the strings up to the end."""
        end, depth = at + 1, 0
        while depth >= 0 and self.found[end][0] != ";":
            depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(self.found[end][0], 0)
            end += 1
        for says in strings([token for token, _ in self.found[at:end]], self.known):
            if says:
                self.add_hint(line, says, [], False)

    def read_table(self, at, member):
        """Rows of a table, from its name on."""
        while self.found[at][0] != "{":
            at += 1
        rows, _ = arguments(self.found, at)
        for row in rows:
            cells = strings(row, self.known)
            if len(cells) > member and row[:1] == ["{"]:
                self.add_hint(self.found[at][1], cells[-member], [], False)

    def read(self):
        depth = 0
        for at, (token, line) in enumerate(self.found[:-1]):
            following = self.found[at + 1][0]
            if token == "{":
                depth += 1
            elif token == "}":
                depth -= 1
            elif depth == 0 and following == "(" and re.match(r"[a-z_]\w*$", token):
                self.function = token
            if depth == 0 and (self.path, token) in TABLES and following == "[":
                self.read_table(at, TABLES[self.path, token])
            if depth == 0 or not re.match(r"[a-z]", token):
                continue
            if following == "(" and (token in MAKERS or token in HINTS or token == DOCTOR) and (self.path, self.function) not in DEFINED:
                self.read_call(at, token, line)
            elif token == "hint" and following in ("=", ",") and self.found[at - 1][0] in (".", "->", "*"):
                if following == "=" or (self.found[at - 1][0] == "->" and "&" in [each for each, _ in self.found[at - 4:at]]):
                    self.read_assignment(at, line)
        return self


def read():
    """(errors, hints): all of src/, in the order of files and lines. Every error has its own hints."""
    known = {**PRINTED, **macros(*source(".h"))}
    errors, hints = [], []
    for path in source():
        if path in DEFINERS:
            continue
        reader = Reader(path, known).read()
        errors += reader.errors
        hints += reader.hints
    return errors, hints


def pieces(says):
    """What a sentence has between its placeholders."""
    return [piece for piece in PLACE.sub("\0", says).split("\0") if piece.strip(" '\":;,.")]


def distinctive(says):
    """The longest of these: by it a test's text tells that it is about this sentence."""
    return max(pieces(says), key=len, default="").strip(" '\":;,")
