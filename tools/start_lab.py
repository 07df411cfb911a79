"""JupyterLab as `make lab` starts it: the same as `jupyter lab`, in a third of the processor time.

Most of the time until JupyterLab answers goes into a grammar of international web addresses, which
jsonschema builds where the package rfc3987_syntax is installed. It does without, and JupyterLab
checks no such address.
"""

import sys

if __name__ == "__main__":
    sys.modules["rfc3987_syntax"] = None  # its import now fails, as if it were not installed

    from jupyterlab.labapp import main

    sys.exit(main())
