"""What the figures were measured on: the CPU, its peak, who else used it, the versions."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CPUINFO = Path("/proc/cpuinfo")
# Flags that decide which kernels a library may choose.
TELLING = (
    "avx2",
    "fma",
    "f16c",
    "avx_vnni",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
)
PACKAGES = (
    "onnxruntime",
    "openvino",
    "sentence-transformers",
    "tokenizers",
    "torch",
    "transformers",
)
GEMM_SIZE = 1536
GEMM_TRIES = 8


def cpu_flags() -> frozenset[str]:
    return frozenset(_cpuinfo().get("flags", "").split())


def describe_machine(threads: int) -> dict[str, Any]:
    flags = cpu_flags()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": f"{_cpuinfo().get('model name', platform.machine())}, "
        f"family {_cpuinfo().get('cpu family')} model {_cpuinfo().get('model')}",
        "flags": [flag for flag in TELLING if flag in flags],
        "lacking": [flag for flag in TELLING if flag not in flags],
        "cores": len(os.sched_getaffinity(0)),
        "threads": threads,
        "load_average_at_start": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
    }


def gemm_gflops(threads: int, dtype: str = "float32", tries: int = GEMM_TRIES) -> float:
    """The most that a square product of matrices reached, in GFLOP/s, in torch or numpy.

    A peak is what the machine can do: others who use it only ever lower a try. numpy has float32
    only.
    """
    import torch  # noqa: PLC0415  seconds, and only here

    torch.set_num_threads(threads)
    kind = getattr(torch, dtype)
    left, right = (torch.rand(GEMM_SIZE, GEMM_SIZE).to(kind) for _ in range(2))
    work: list[Callable[[], object]] = [lambda: left @ right]
    if dtype == "float32":
        first, second = left.numpy(), right.numpy()
        work.append(lambda: first @ second)
    return max(_best_rate(each, tries) for each in work)


def _best_rate(work: Callable[[], object], tries: int) -> float:
    least = float("inf")
    for _ in range(tries):
        begin = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - begin)
    return 2 * GEMM_SIZE**3 / least / 1e9


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpuinfo() -> dict[str, str]:
    """The first core's fields; none where the system has no such file."""
    if not CPUINFO.is_file():
        return {}
    first = CPUINFO.read_text().split("\n\n", 1)[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
