"""A headless Chromium, driven by its DevTools protocol over two pipes: JSON messages, each ended by a zero byte."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import time

PATIENCE = 120  # seconds for an answer, on a busy machine


def why_not():
    """What is missing here; None = nothing."""
    return None if shutil.which("chromium") else "there is no chromium here (tools/install-dependencies site)"


class Browser:
    """`folder`: for its profile. `width`: of the window, in CSS pixels; `scheme`: light or dark."""

    def __init__(self, folder, width, scheme):
        read_end, self.to = os.pipe()
        self.back, write_end = os.pipe()
        # Chromium reads from descriptor 3 and writes to 4.
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read_end, write_end)]

        def place():
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.log = open(os.path.join(folder, "chromium.log"), "wb")
        self.child = subprocess.Popen(
            ["chromium", "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", f"--user-data-dir={folder}/profile", "about:blank"],
            preexec_fn=place, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder})
        for end in (read_end, write_end, *high):
            os.close(end)
        self.pending, self.number, self.events = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def message(self):
        """The next message from the browser."""
        while b"\0" not in self.pending:
            if not select.select([self.back], [], [], PATIENCE)[0]:
                raise TimeoutError(f"Chromium said nothing for {PATIENCE} s")
            piece = os.read(self.back, 1 << 16)
            if not piece:
                raise EOFError(f"Chromium has ended: see {self.log.name}")
            self.pending += piece
        first, self.pending = self.pending.split(b"\0", 1)
        return json.loads(first)

    def call(self, method, **parameters):
        """Calls a method and returns its result. Events that come meanwhile are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def visit(self, url):
        """Opens a page and waits until it is loaded. Returns the events on the way."""
        self.events = []
        self.call("Page.navigate", url=url)
        end = time.monotonic() + PATIENCE
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            assert time.monotonic() < end, f"{url} was not loaded after {PATIENCE} s"
            self.events.append(self.message())
        self.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 30)))")
        return self.events

    def evaluate(self, script):
        """The value of a JavaScript expression in the page."""
        said = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def close(self):
        os.close(self.to)
        os.close(self.back)
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.log.close()
