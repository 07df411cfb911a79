"""Only for a Python that is too old: pip would tell it of scikit-learn first.

All that describes the package stands in pyproject.toml.
"""

import sys

from setuptools import setup

if sys.version_info < (3, 11):
    here = ".".join(map(str, sys.version_info[:2]))
    sys.exit("The course needs Python 3.11 or newer, and this is Python %s." % here)

setup()
