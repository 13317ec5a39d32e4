#!/usr/bin/env python3
"""Opens a page of xfmr-inspect in headless Chromium at several widths and says what cannot be read: fit.py PAGE.html WIDTH…
Per width a line "W px: N texts, fine", or the faults: a page wider than its window, texts that are cut, lie outside, are smaller
than 10 pixels, cover each other within a chart, or have a contrast below 4.5 : 1."""
import html
import json
import os
import re
import subprocess
import sys
import tempfile

CHECK = """
function luminance(text) {
  const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}
function background(node, view) {
  for (; node; node = node.parentElement) {
    const colour = view.getComputedStyle(node).backgroundColor;
    if (colour !== "rgba(0, 0, 0, 0)") return colour;
  }
  return "rgb(255, 255, 255)";
}
function faults(view, width) {
  const found = [], doc = view.document, charts = new Map();
  if (doc.documentElement.scrollWidth > width) found.push("the page is " + doc.documentElement.scrollWidth + " px wide");
  let count = 0;
  for (const node of doc.querySelectorAll("main *")) {
    const own = [...node.childNodes].filter(c => c.nodeType === 3 && c.textContent.trim()).map(c => c.textContent.trim()).join(" ");
    if (!own || node.tagName === "title" || (node.closest("details") && !node.closest("summary"))) continue;
    ++count;
    const style = view.getComputedStyle(node), box = node.getBoundingClientRect();
    const inChart = node.namespaceURI.endsWith("svg"), scale = inChart ? node.getScreenCTM().a : 1;
    const size = parseFloat(style.fontSize) * scale;
    if (size < 10) found.push("'" + own + "' is " + size.toFixed(1) + " px high");
    if (node.scrollWidth > node.clientWidth && node.clientWidth && style.overflowX === "hidden") found.push("'" + own + "' is cut");
    if (box.left < -0.5 || box.right > width + 0.5) found.push("'" + own + "' lies outside");
    const ink = inChart ? style.fill : style.color;
    if (contrast(ink, background(inChart ? node.ownerSVGElement.parentElement : node, view)) < 4.5) found.push("'" + own + "' is faint");
    if (inChart) {
      const known = charts.get(node.ownerSVGElement) || [];
      for (const [text, other] of known)
        if (box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom)
          found.push("'" + own + "' covers '" + text + "'");
      known.push([own, box]);
      charts.set(node.ownerSVGElement, known);
    }
  }
  return width + " px: " + (found.length ? found.join("; ") : count + " texts, fine");
}
"""


def main(path, widths):
    with open(path, encoding="utf-8") as file:
        page = json.dumps(file.read()).replace("</", "<\\/")
    frames = f"""<!doctype html><meta charset="utf-8"><body><script>{CHECK}
const page = {page};
for (const width of {json.dumps(widths)}) {{
  const frame = document.createElement("iframe");
  frame.style.cssText = "border:0;height:2000px;width:" + width + "px";
  frame.onload = () => {{
    const line = document.createElement("pre");
    line.textContent = "RESULT " + faults(frame.contentWindow, width);
    document.body.append(line);
  }};
  frame.srcdoc = page;
  document.body.append(frame);
}}
</script>"""
    with tempfile.TemporaryDirectory() as profile:
        driver = os.path.join(profile, "driver.html")
        with open(driver, "w", encoding="utf-8") as file:
            file.write(frames)
        for scheme in ([], ["--blink-settings=preferredColorScheme=0"]):
            run = subprocess.run(["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}/user",
                                  "--window-size=1600,1200", "--virtual-time-budget=10000", *scheme, "--dump-dom", "file://" + driver],
                                 capture_output=True, text=True, timeout=300, env={**os.environ, "HOME": profile})
            lines = [html.unescape(line) for line in re.findall(r"<pre>RESULT (.*?)</pre>", run.stdout, re.S)]
            for line in sorted(lines, key=lambda text: int(text.split()[0])):
                print("dark" if scheme else "light", line)
            if len(lines) != len(widths):
                print(f"{len(lines)} of {len(widths)} frames were drawn")


if __name__ == "__main__":
    main(sys.argv[1], [int(width) for width in sys.argv[2:]])
