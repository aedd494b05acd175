"""hypothesis tries the same cases every time: a found one becomes an @example.

No deadline: a shared machine is slow at times, and a slow test is no wrong result.
"""

from hypothesis import settings

settings.register_profile("bicross", deadline=None, derandomize=True)
settings.load_profile("bicross")
