"""What a measurement holds for: this CPU, its memory, the engines as installed."""

import hashlib
import json
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bicross.runtime import available_threads

CPU_INFO = Path("/proc/cpuinfo")
PACKAGES = ("bicross", "onnxruntime", "onnxruntime-gpu", "openvino")


def describe_machine(cpu_info: Path = CPU_INFO) -> dict[str, str]:
    """CPU model and flags, usable cores, memory in bytes, versions of the engines."""
    found = dict.fromkeys(("model name", "flags"), "")
    lines = cpu_info.read_text().splitlines() if cpu_info.is_file() else []
    for line in reversed(lines):
        name, _, value = line.partition(":")
        if name.strip() in found:
            found[name.strip()] = value.strip()
    found["flags"] = " ".join(sorted(found["flags"].split()))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found |= {"cores": str(available_threads()), "memory": str(memory)}
    return found | {package: _version(package) for package in PACKAGES}


def fingerprint(machine: dict[str, str]) -> str:
    """sha256 of the description."""
    return hashlib.sha256(json.dumps(machine, sort_keys=True).encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
