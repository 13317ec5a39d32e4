#!/usr/bin/env python3
"""Opens a page of xfmr-inspect in headless Chromium and says what it drew: browse.py PAGE.html"""
import html
import os
import re
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as profile:
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
               "--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000", "--dump-dom",
               "file://" + os.path.abspath(sys.argv[1])]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": profile})
dom = re.sub(r"(?s)<script.*?</script>|<style.*?</style>", "", run.stdout)
print("title", re.search("<title>(.*?)</title>", dom).group(1).split(" ")[0])
blocks = set(re.findall(r"<title>block (\d+) ", dom))
for text in re.findall(">([^<]+)<", re.sub(r"(?s)<title>.*?</title>", "", dom)):
    if text.strip():
        print("text", html.unescape(text.strip()))
print("blocks drawn:", len(blocks))
console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
print("console:", *(console or ["nothing"]))
