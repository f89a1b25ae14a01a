"""Real shells that are asked what they would complete: bash and zsh at a terminal, fish by its own `complete -C`."""

import re
import shutil
import subprocess

import pexpect
import pytest
from program import PATIENCE

PROMPT = "ready> "
END = "that was all"
# Puts all that the shell offers into the line.
INSERT = "\x18a"
SHOW = "show() { printf '<%s>' \"$@\"; echo; }"
BASH = ["bind 'set enable-bracketed-paste off'", "bind '\"\\C-xa\": insert-completions'", SHOW]
ZSH = ["unsetopt zle_bracketed_paste prompt_sp", "autoload -Uz compinit", "compinit -u -D", "zle -C all-matches complete-word _generic",
       "zstyle ':completion:all-matches::::' completer _all_matches _complete", "zstyle ':completion:all-matches:*' insert true",
       "bindkey '^Xa' all-matches", SHOW]


class Terminal:
    """A shell at a terminal. The offers are in the line when it is shown by `show`."""

    def __init__(self, argv, commands, environment, cwd):
        env = dict(environment, TERM="dumb", PS1=PROMPT, COLUMNS="5000")
        self.child = pexpect.spawn(argv[0], argv[1:], env=env, cwd=cwd, encoding="utf-8", timeout=30 * PATIENCE, dimensions=(50, 5000))
        self.child.delaybeforesend = None
        self.child.expect_exact(PROMPT)
        for command in commands:
            self.child.sendline(command)
            self.child.expect_exact(PROMPT)

    def offers(self, line):
        self.child.send(f"{line}{INSERT}\x01show \r")
        self.child.expect(r"\n<machine>([^\r\n]*)\r")
        words = re.findall("<(.*?)>", self.child.match.group(1))
        self.child.expect_exact(PROMPT)
        return offered(words[len(line.split(" ")) - 2:], line)

    def all_offers(self, lines):
        """Line -> what is offered at its end."""
        return {line: self.offers(line) for line in lines}

    def close(self):
        self.child.close(force=True)


class Fish:
    def __init__(self, commands, environment, cwd):
        self.commands, self.how = commands, {"env": environment, "cwd": cwd}

    def all_offers(self, lines):
        script = "; ".join(self.commands + [f"complete -C '{line}'; echo {END}" for line in lines])
        said = subprocess.run(["fish", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, **self.how).stdout
        answers = [[row.split("\t")[0] for row in answer.splitlines()] for answer in said.split(f"{END}\n")]
        return {line: offered(answer, line) for line, answer in zip(lines, answers)}

    def close(self):
        pass


def offered(words, line):
    """The offers without what shells add in their own ways: a "/" or "=" at the end, the word as it was if there is nothing to offer, and
    options where zsh has nothing better."""
    typed = line.rpartition(" ")[2]
    words = [word.removeprefix("--engine=").rstrip("/=") for word in words if word not in ("", typed)]
    return sorted(word for word in words if typed.startswith("-") or not word.startswith("-"))


def start(name, commands, environment, cwd):
    """`commands` make the shell find the completions; zsh runs them before compinit."""
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed: tools/install-dependencies test")
    if name == "bash":
        return Terminal(["bash", "--norc", "--noprofile", "-i"], BASH + commands, environment, cwd)
    if name == "zsh":
        return Terminal(["zsh", "-f", "-i"], commands + ZSH, environment, cwd)
    return Fish(commands, environment, cwd)
