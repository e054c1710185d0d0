"""``python -m incubator.embedded.child MODULE ARGS…``: run a module whose forked workers end with their parent.

gunicorn and Celery fork workers, and a worker whose parent was killed would go on alone: hold the port, or finish a
task that somebody else has begun again. The hook reaches every fork below this process.
"""

import os
import runpy
import signal
import sys

from incubator.embedded.processes import die_with_parent


def main() -> None:
    os.register_at_fork(after_in_child=lambda: die_with_parent(signal.SIGKILL))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
