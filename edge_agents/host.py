"""How the agent's process and the host under it are doing."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from campuswatch.readings import FieldValue

_STA_UNSYNC: Final = 0x0040  # <sys/timex.h>: nothing disciplines the clock
_PROCESSOR_SENSORS: Final = ("coretemp", "k10temp", "cpu_thermal", "soc_thermal", "acpitz")


class _Timex(ctypes.Structure):
    """The head of `struct timex` (adjtimex(2)); the kernel fills what follows as well."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


@dataclass(frozen=True, slots=True)
class Clock:
    """What the kernel knows of its clock.

    Attributes:
        synchronised: whether an NTP client, or the like, disciplines it.
        error: estimated error in seconds; None while nothing disciplines it.
    """

    synchronised: bool
    error: float | None


def kernel_clock() -> Clock | None:
    """Ask the kernel how good its clock is, by adjtimex(2); None where it does not say."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    told = _Timex(modes=0)  # 0: only read
    if library.adjtimex(ctypes.byref(told)) < 0:
        return None
    synchronised = not told.status & _STA_UNSYNC
    return Clock(synchronised, told.esterror / 1e6 if synchronised else None)


def processor_temperature() -> float | None:
    """Return the processor's temperature in °C; None where the host has no such sensor."""
    if not hasattr(psutil, "sensors_temperatures"):
        return None
    found = psutil.sensors_temperatures()
    sensors = next((found[name] for name in _PROCESSOR_SENSORS if found.get(name)), [])
    return max((sensor.current for sensor in sensors), default=None)


class HostVitals:
    """Reads what the `agent` measurement tells of process and host.

    Args:
        data_dir: a directory on the disk that holds the spool.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first call begins the interval of the next

    def fields(self) -> dict[str, FieldValue | None]:
        """Return the fields by name; the share of CPU is that since the last call."""
        clock = kernel_clock()
        return {
            "cpu": self._process.cpu_percent(),
            "memory": self._process.memory_info().rss,
            "disk_free": self._disk_free(),
            "temperature": processor_temperature(),
            "clock_synchronised": None if clock is None else int(clock.synchronised),
            "clock_error": None if clock is None else clock.error,
            "uptime": max(0.0, time.time() - self._process.create_time()),
        }

    def _disk_free(self) -> int | None:
        try:
            return psutil.disk_usage(str(self._data_dir)).free
        except OSError:
            return None
