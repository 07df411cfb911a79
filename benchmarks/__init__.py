"""Benchmarks, each a `python -m benchmarks.NAME`.

One thread for every library, set before any is imported.
"""

from tools.repeatable import make_repeatable

make_repeatable()
