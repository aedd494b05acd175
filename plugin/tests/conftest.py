"""hypothesis tries the same cases every time: a found one becomes an @example.

No deadline and no complaint of slowness: a shared machine is slow at times, and a slow test is no
wrong result.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "bicross",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("bicross")
