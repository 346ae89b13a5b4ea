"""`make bench`: durable WeChat text messages through the whole turn, as a ratio to the floor measured in the same run;
then what a push of each channel costs to verify and parse, and how near delivery comes to a provider's pace."""

import argparse
import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.bench import paced, parse
from tests.bench.load import ACCOUNT

ROUNDS = 5
COUNT = 20_000
CONNECTIONS = 64
BUSIEST_GENERATOR = 0.7
Result = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="requests a round")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--database-url", default="", help="PostgreSQL in place of the embedded SQLite")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        _floor() as floor,
        _service(Path(folder), floor[1], options.database_url) as service,
    ):
        print(f"one fdatasync: {_sync_cost(Path(folder)):.2f} ms")
        rounds = [
            (_load(*floor, options.count, 2 * n), _load(*service, options.count, 2 * n + 1))
            for n in range(options.rounds + 1)
        ][1:]
        _report(rounds, _metrics(service[1]))
    # Alone, when nothing else uses the cores.
    parse.main()
    paced.main()


def _report(rounds: list[tuple[Result, Result]], metrics: str) -> None:
    print(f"{'':24}{'floor':>12}{'service':>12}")
    for name in ("per_second", "cpu_us", "p50_ms", "p99_ms", "max_ms", "generator_share", "refused"):
        floor, service = ([one[name] for one in side] for side in zip(*rounds, strict=True))
        print(f"{name:24}{statistics.median(floor):12.2f}{statistics.median(service):12.2f}")
    ratios = [service["per_second"] / floor["per_second"] for floor, service in rounds]
    print(
        f"\nratio to the floor: {statistics.median(ratios):.3f} "
        f"(median of {len(ratios)}; {min(ratios):.3f} to {max(ratios):.3f})"
    )
    batches, messages = (float(_value(metrics, f"frontdesk_batch_messages_{name}")) for name in ("count", "sum"))
    print(f"mean batch: {messages / batches:.1f} messages")
    print(f"texts read from the cache: {_value(metrics, 'frontdesk_reading_cache_share')}")
    busiest = max(one["generator_share"] for pair in rounds for one in pair)
    if busiest > BUSIEST_GENERATOR:
        print(f"VOID: the generator used {busiest:.0%} of a core")


def _value(metrics: str, name: str) -> str:
    found = re.search(rf"^{name} ([0-9.e+-]+)$", metrics, re.MULTILINE)
    return found.group(1) if found else "0"


def _load(pid: int, port: int, count: int, seed: int) -> Result:
    before = _cpu_seconds(pid)
    seed += int(time.time()) % 100_000 * 100
    command = [sys.executable, "-m", "tests.bench.load", str(port), str(count), str(CONNECTIONS), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: Result = json.loads(done.stdout)
    return {**result, "cpu_us": (_cpu_seconds(pid) - before) / count * 1e6}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _sync_cost(folder: Path) -> float:
    with (folder / "sync").open("wb") as file:
        costs = []
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            costs.append(time.perf_counter() - started)
    return statistics.median(costs) * 1000


@contextlib.contextmanager
def _floor() -> Iterator[tuple[int, int]]:
    port = _free_port()
    with _process([sys.executable, "-m", "tests.bench.floor", str(port)], port, dict(os.environ)) as pid:
        yield pid, port


@contextlib.contextmanager
def _service(folder: Path, api_port: int, database_url: str) -> Iterator[tuple[int, int]]:
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FRONTDESK_")}
    environment |= {f"FRONTDESK_WECHAT__MAIN__{name.upper()}": value for name, value in ACCOUNT.items()}
    environment |= {
        "FRONTDESK_WECHAT__MAIN__API_BASE": f"http://127.0.0.1:{api_port}",
        "FRONTDESK_DATA_DIR": str(folder / "data"),
        "FRONTDESK_PORT": str(port),
        "FRONTDESK_LOG_LEVEL": "ERROR",
    }
    if database_url:
        environment["FRONTDESK_DATABASE_URL"] = database_url
    with _process([sys.executable, "-m", "bot", "run", "--demo"], port, environment) as pid:
        yield pid, port


@contextlib.contextmanager
def _process(command: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _until_listening(process, port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _until_listening(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on {port}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
        return str(response.read().decode())


if __name__ == "__main__":
    main()
