"""JupyterLab as `make lab` starts it: twice as fast as by `jupyter lab`, to which it is equal.

Two thirds of the time until JupyterLab answers go into the grammar of international web addresses,
which jsonschema builds when it finds the package rfc3987_syntax. It does without, and JupyterLab
asks for no such address.
"""

import sys

sys.modules["rfc3987_syntax"] = None  # an import of it now fails as if it were not installed

if __name__ == "__main__":
    from jupyterlab.labapp import main

    sys.exit(main())
