"""A row of the table of errors: how an error is brought about, what it says, and what is done about it."""

import collections

FIELDS = {
    "says": None,     # the sentence as the source has it (tests/support/inventory.py)
    "argv": None,     # the command that fails, without "machine"
    "message": None,  # what it says
    "hint": None,     # its hint; None = it has none
    "tag": "",        # tells rows of the same sentence apart
    "files": {},      # path below the test's folder -> its text
    "make": (),       # functions of error_world.py that bring about the rest
    "cwd": "home",
    "env": {},
    "run": (),        # commands that the hint names, as it spells them: each is run by a shell
    "run_in": None,   # the folder for that; None = cwd
    "run_with": "",   # what is typed after them, to answer their question
    "accepted": False,  # they go on until they need a guest: it is enough that they aren't refused as wrong
    "form": (),       # commands made from a form that the hint names, or from a word: each is parsed, with --help
    "mend": None,     # path -> text: what the hint says to write, if it names no command
    "then": (),       # functions of error_world.py that do what the hint says, where that is neither
    "gone": False,    # afterwards the same command doesn't fail for that reason any more
}

Row = collections.namedtuple("Row", FIELDS, defaults=list(FIELDS.values())[3:])


def filled(text, program):
    """The text with the folders of the test in place of @HOME and the like. Anything else is left as it is."""
    if isinstance(text, dict):
        return {name: filled(value, program) for name, value in text.items()}
    if isinstance(text, (list, tuple)):
        return [filled(each, program) for each in text]
    if not isinstance(text, str):
        return text
    for name, path in places(program):
        text = text.replace(name, path)
    return text


def places(program):
    return [("@HOME", program.home), ("@STATE", program.state), ("@CONFIG", program.config), ("@RUNTIME", program.runtime),
            ("@DATA", program.environment["XDG_DATA_HOME"]), ("@SSH", program.ssh), ("@ROOT", program.root)]
