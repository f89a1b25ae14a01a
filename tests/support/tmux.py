"""A terminal: a tmux of its own with one window, in which a shell without line editing runs, so that nothing but the programs under test
changes the terminal's settings."""

import os
import shlex
import subprocess

from program import PATIENCE, wait_until


class Terminal:
    def __init__(self, program, columns=80, rows=24, shell=("sh",), **environment):
        self.program = program
        self.socket = os.path.join(program.root, "tmux")
        self.environment = {**program.environment, "TERM": "xterm-256color", **environment}
        self.environment["ENV"] = program.write("home/shrc", "PS1='$ '\n")
        self.call("new-session", "-d", "-x", str(columns), "-y", str(rows), shlex.join(shell))
        self.call("set-option", "-g", "window-size", "manual")
        self.await_text("$")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.call("kill-server", check=False)

    def call(self, *args, check=True):
        done = subprocess.run(["/usr/bin/tmux", "-S", self.socket, "-f", "/dev/null", *args], env=self.environment, cwd=self.program.home,
                              capture_output=True, text=True, timeout=60 * PATIENCE)
        assert not check or done.returncode == 0, f"tmux {args}: {done.stderr}"
        return done.stdout

    def text(self, *options):
        """What is on the screen now; with "-e" colours, too."""
        return self.call("capture-pane", "-p", *options)

    def lines(self):
        return self.text().split("\n")

    def keys(self, *names):
        """Presses keys by tmux's names of them."""
        self.call("send-keys", *names)

    def line(self, text):
        """Types a line and Enter."""
        self.call("send-keys", "-l", text)
        self.keys("Enter")

    def await_text(self, *texts, gone=False):
        """Waits until all of these are on the screen, or none of them. Returns the screen's text."""
        seen = ""

        def there():
            nonlocal seen
            seen = self.text()
            return all((text in seen) != gone for text in texts)

        try:
            wait_until(there, 30, texts)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{seen}") from None
        return seen

    def settings(self, name):
        """The terminal's settings, and the lines of its two screens that can be seen: what a program must leave as they were."""
        self.line(f"stty -g > {name}; clear; echo do''ne-{name}")  # what is typed has other letters than what is printed
        self.await_text(f"done-{name}")
        return self.program.read(f"home/{name}"), self.ask("alternate_on"), self.ask("cursor_flag"), self.ask("keypad_cursor_flag")

    def ask(self, variable):
        return self.call("display-message", "-p", f"#{{{variable}}}").strip()

    def resize(self, columns, rows):
        self.call("resize-window", "-x", str(columns), "-y", str(rows))
