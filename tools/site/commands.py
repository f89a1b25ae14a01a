"""A page for each command: from the program's own table (`machine help --json`), the manual, and a session that a test has run."""

import html
import os
import re

import links
import manual

COMMON = {"json", "plain", "verbose", "quiet", "help"}  # every command has these

# What people look for, in the order of the list of commands. What is in no group is under "More".
GROUPS = [
    ("Every day", ["up", "ssh", "run", "board", "list", "status", "park", "wake", "down", "restart"]),
    ("Snapshots and forks", ["snapshot", "snapshots", "restore", "undo", "forget", "fork", "race"]),
    ("Agents", ["claude", "codex", "aider", "agent", "mcp"]),
    ("Across the line", ["cp", "paste", "open", "secrets", "keys", "egress", "audit"]),
    ("Configuration and recipes", ["init", "plan", "profile", "lock", "trust", "validate"]),
    ("A VM's end", ["rename", "rebuild", "destroy"]),
    ("What VMs are made from", ["bake", "layers", "du", "prune"]),
    ("When something is wrong", ["doctor", "logs"]),
]


def sentence(text):
    return text[0].upper() + text[1:] + "."


def grouped(commands):
    """(title, commands) for each group. Fails when a group names a command that isn't there."""
    names = {command["name"]: command for command in commands}
    out = [(title, [names.pop(name) for name in group]) for title, group in GROUPS]
    return out + [("More", [command for command in names.values() if not command["internal"]])]


def option_term(option):
    letter = f"<strong>-{option['letter']}</strong>, " if "letter" in option else ""
    value = f" <em>{html.escape(option['value'])}</em>" if "value" in option else ""
    return f"{letter}<strong>--{option['name']}</strong>{value}"


def options(command, described):
    """The command's options: in the manual's words where it has some, else in those of the help."""
    out = []
    for option in command["options"]:
        if option["name"] in COMMON:
            continue
        texts = described.get(option["name"]) or [html.escape(sentence(option["help"]))]
        out.append(f"<dt>{option_term(option)}</dt><dd>{''.join(f'<p>{text}</p>' for text in texts)}</dd>")
    return f"<dl>{''.join(out)}</dl>\n\n" if out else ""


def session(name):
    """The session in site/examples/NAME.txt, which tests/command/test_site.py runs; empty = there is none."""
    path = os.path.join(links.ROOT, "site/examples", f"{name}.txt")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return f"## What it says\n\n```console\n{file.read()}```\n\n"


def page(command, text):
    """The page of one command; `text` is the manual's."""
    name = command["name"]
    described, out = {}, []
    for block in manual.section(text, name):
        option = re.search(r"--([a-z-]+)", block[1]) if block[0] == "entry" else None
        if option:
            described[option[1]] = block[2]
        else:
            out.append(manual.linked(manual.no_empty_lines(manual.as_html(block)), "../manual/"))
    usage = f"machine {name} [OPTION…] {command['operands']}".strip()
    aliases = " and ".join(f"`machine {alias}`" for alias in command["aliases"])
    also = f" {aliases} {'is' if len(command['aliases']) == 1 else 'are'} the same." if aliases else ""
    examples = "\n".join(command["examples"])
    return (f"# machine {name}\n\n{sentence(command['summary'])}{also}\n\n```text\n{usage}\n```\n\n" + "\n\n".join(out)
            + f"\n\n## Options\n\n{options(command, described)}"
            "`--json`, `--plain`, `--verbose`, `--quiet` and `--help` are options of [every command](index.md).\n\n"
            f"## Examples\n\n```sh\n{examples}\n```\n\n{session(name)}")


def index(commands):
    """The list of all commands, in groups."""
    out = ["# Commands", "`machine` alone says what to do next. `machine COMMAND --help` prints what these pages say in short, with two "
           "examples. Without a name, a command means the project of the checkout around the current folder."]
    for title, group in grouped(commands):
        out.append(f"## {title}\n\n| command | what it does |\n| --- | --- |\n"
                   + "\n".join(f"| [`{each['name']}`]({each['name']}.md) | {each['summary']} |" for each in group))
    common = [option for option in commands[0]["options"] if option["name"] in COMMON]
    out.append("## Options of every command\n\n<dl>" + "".join(
        f"<dt>{option_term(option)}</dt><dd><p>{html.escape(sentence(option['help']))}</p></dd>" for option in common) + "</dl>")
    out.append("The whole manual is [machine(1)](../manual/machine.1.md), with files, variables and exit statuses.")
    return "\n\n".join(out) + "\n"
