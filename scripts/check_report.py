"""Open a report in headless Chromium and refuse what a reader would stumble over.

    python scripts/check_report.py --report mtquant-demo/report.html --pictures pictures

Wide and narrow, light and dark: a console error, an uncaught exception, any request beyond the
file itself or a page that scrolls sideways ends with one line and exit code 1. Chromium is spoken
to in the DevTools protocol over a pipe; it needs a POSIX system.
"""

import argparse
import base64
import fcntl
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIZES = ((1440, 900), (390, 844))
SCHEMES = ("light", "dark")
DEADLINE_S = 60.0
SETTLE_S = 0.4
TALLEST = 16_000  # pixels that one picture can hold
SEARCHED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)

Message = dict[str, Any]


class CheckError(Exception):
    """Say what is wrong with the report or with the browser, in one line."""


class Browser:
    """Speak the DevTools protocol: JSON messages that end in NUL, over two pipes."""

    def __init__(self, command_pipe: int, answer_pipe: int) -> None:
        self._commands = command_pipe
        self._answers = answer_pipe
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[Message] = []

    def open_page(self) -> None:
        """Open an empty page; later calls speak to it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> Message:
        """Send a command and return its result; events that come meanwhile are kept."""
        self._number += 1
        message: Message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        deadline = time.monotonic() + DEADLINE_S
        while True:
            answer = self._read(deadline)
            if answer is None:
                raise CheckError(f"Chromium did not answer {method} within {DEADLINE_S:.0f} s")
            if answer.get("id") == self._number:
                break
            self.events.append(answer)
        if "error" in answer:
            raise CheckError(f"Chromium refused {method}: {answer['error'].get('message')}")
        result: Message = answer["result"]
        return result

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")

    def wait_for(self, method: str) -> None:
        """Wait for an event that has not come yet, or has come since `events` was emptied."""
        deadline = time.monotonic() + DEADLINE_S
        while not any(event.get("method") == method for event in self.events):
            event = self._read(deadline)
            if event is None:
                raise CheckError(f"the page did not finish within {DEADLINE_S:.0f} s")
            self.events.append(event)

    def settle(self) -> None:
        """Take in the events of the next moment."""
        deadline = time.monotonic() + SETTLE_S
        while (event := self._read(deadline)) is not None:
            self.events.append(event)

    def _read(self, deadline: float) -> Message | None:
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                return None
            part = os.read(self._answers, 1 << 20)
            if not part:
                raise CheckError("Chromium ended before the check did")
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: Message = json.loads(text)
        return message


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """Run Chromium with an empty profile and yield the line to it; end it afterwards."""
    their_end, commands = _pipe()
    answers, their_voice = _pipe()
    with tempfile.TemporaryDirectory(prefix="report-", ignore_cleanup_errors=True) as profile:
        nothing = os.devnull
        process = os.posix_spawn(
            program,
            [program, *OPTIONS, f"--user-data-dir={profile}"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, nothing, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, nothing, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, nothing, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, their_end, 3),
                (os.POSIX_SPAWN_DUP2, their_voice, 4),
            ],
            setpgroup=0,
        )
        os.close(their_end)
        os.close(their_voice)
        try:
            yield Browser(commands, answers)
        finally:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(commands)
            os.close(answers)


def _pipe() -> tuple[int, int]:
    """Return the two ends of a pipe, both out of the way of descriptors 3 and 4."""
    ends = os.pipe()
    reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return reading, writing


def check(browser: Browser, report: Path, pictures: Path | None) -> None:
    """Look at the report in every size and scheme.

    Raises:
        CheckError: something is wrong with it.
    """
    if not report.is_file():
        raise CheckError(f"there is no report {report}")
    for width, height in SIZES:
        for scheme in SCHEMES:
            look(browser, report.resolve().as_uri(), width, height, scheme)
            if pictures is not None:
                name = f"{report.stem}-{width}-{scheme}"
                take_picture(browser, pictures / f"{name}.png", width, height, is_whole=True)
                take_picture(browser, pictures / f"{name}-top.png", width, height, is_whole=False)


def look(browser: Browser, address: str, width: int, height: int, scheme: str) -> None:
    """Load the page, move the mouse over its charts and judge what happened."""
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=False,
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.call("Emulation.setEmulatedMedia", features=[feature])
    browser.events.clear()
    browser.call("Page.navigate", url=address)
    browser.wait_for("Page.loadEventFired")
    point_at_charts(browser)
    browser.evaluate("window.scrollTo(0, 0)")
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=0, y=0)
    browser.settle()
    where = f"at {width} px, {scheme}"
    for event in browser.events:
        problem = problem_of(event, address)
        if problem is not None:
            raise CheckError(f"{problem} ({where})")
    if browser.evaluate("document.readyState") != "complete":
        raise CheckError(f"the page did not finish loading ({where})")
    scrolled = int(browser.evaluate("document.scrollingElement.scrollWidth"))
    shown = int(browser.evaluate("innerWidth"))
    if scrolled > min(shown, width):
        raise CheckError(f"the page scrolls sideways: {scrolled} px wide ({where})")


def point_at_charts(browser: Browser) -> None:
    """Scroll to each chart and move the mouse to its middle."""
    for number in range(int(browser.evaluate("document.querySelectorAll('.plot').length"))):
        x, y = browser.evaluate(
            f"(() => {{const e = document.querySelectorAll('.plot')[{number}];"
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2];})()"
        )
        browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)


def problem_of(event: Message, address: str) -> str | None:
    """Return what an event says against the page, None if nothing."""
    method, params = event.get("method"), event.get("params", {})
    if method == "Runtime.exceptionThrown":
        details = params["exceptionDetails"]
        text = details.get("exception", {}).get("description") or details["text"]
        return f"uncaught exception: {first_line(text)}"
    if method == "Runtime.consoleAPICalled" and params["type"] in {"error", "assert"}:
        words = (str(a.get("value", a.get("description", ""))) for a in params["args"])
        return f"console error: {first_line(' '.join(words))}"
    if method == "Log.entryAdded" and params["entry"]["level"] == "error":
        return f"console error: {first_line(params['entry']['text'])}"
    if method == "Network.requestWillBeSent":
        asked = str(params["request"]["url"])
        if asked.partition("#")[0] != address and not asked.startswith("data:"):
            return f"request beyond the file: {first_line(asked)}"
    if method == "Network.loadingFailed":
        return f"failed request: {params.get('errorText', 'unknown')}"
    return None


def first_line(text: str) -> str:
    """Return the first line of a text, cut to a readable length."""
    return text.strip().partition("\n")[0][:200]


def take_picture(browser: Browser, path: Path, width: int, height: int, *, is_whole: bool) -> None:
    """Write a PNG of the whole page, or of what is seen first."""
    if is_whole:
        content = browser.call("Page.getLayoutMetrics")["cssContentSize"]
        height = min(TALLEST, int(content["height"]))
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = browser.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
    path.write_bytes(base64.b64decode(shot["data"]))


def find_chromium(given: str | None) -> str:
    """Return the program to run.

    Raises:
        CheckError: there is none.
    """
    found = next(filter(None, map(shutil.which, [given] if given else SEARCHED)), None)
    if found is None:
        raise CheckError(f"Chromium was not found ({given or ', '.join(SEARCHED)}); install it")
    return found


def main() -> int:
    """Check the report; return 1 and say why if it has a fault."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--report", type=Path, required=True, help="the page to open")
    parser.add_argument("--pictures", type=Path, help="folder for screenshots")
    parser.add_argument("--chromium", help="the browser to run")
    options = parser.parse_args()
    try:
        if options.pictures is not None:
            options.pictures.mkdir(parents=True, exist_ok=True)
        with chromium(find_chromium(options.chromium)) as browser:
            browser.open_page()
            check(browser, options.report, options.pictures)
    except (CheckError, OSError) as error:
        print(f"check_report: {error}", file=sys.stderr)
        return 1
    sizes = " and ".join(str(width) for width, _ in SIZES)
    print(f"check_report: {options.report} is in order at {sizes} px, {' and '.join(SCHEMES)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
