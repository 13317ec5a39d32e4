"""Runs a script inside a page in headless Chromium and gives what it collected. The page lies in a frame of the wanted width, since
windows have a least one."""
import html
import json
import os
import re
import subprocess
import tempfile

_END = "parent.postMessage(JSON.stringify(results), '*');"
_FRAME = """<body style="margin:0"><iframe src="page.html%s" style="border:0;width:%dpx;height:%dpx"></iframe>
<script>addEventListener("message", event => { const pre = document.createElement("pre"); pre.id = "results";
pre.textContent = event.data; document.body.append(pre); });</script></body>"""


def run(page, script, width=1440, height=900, state=""):
    """`script` fills an object called results; the console must stay empty."""
    with tempfile.TemporaryDirectory() as folder:
        with open(page) as file:
            body = file.read()
        with open(os.path.join(folder, "page.html"), "w") as file:
            file.write(body.replace("</body>", "<script>{ const results = {};" + script + _END + " }</script></body>"))
        with open(os.path.join(folder, "frame.html"), "w") as file:
            file.write(_FRAME % (state, width, height))
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
                   "--enable-logging=stderr", "--v=0", "--window-size=1600,1000", "--virtual-time-budget=20000", "--dump-dom",
                   "file://" + os.path.join(folder, "frame.html")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "HOME": folder})
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not console, console
    found = re.search(r'<pre id="results">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(html.unescape(found.group(1)))
