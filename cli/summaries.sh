#!/bin/sh
# The command `summaries`, installed into the environment's bin by `make .venv/local`. It can be linked to from
# anywhere: the environment is found beside it, and the clone above that.
bin=$(dirname "$(readlink -f "$0")") || exit
exec "$bin/python" -c '
import gc
import sys
gc.set_threshold(100_000)  # imports make much and leave no garbage: looking for it takes a tenth of the time
root = sys.argv.pop(1)
sys.path[0] = root  # in place of the folder in which somebody happens to be
# SAM brings pyOpenSSL, which botocore would load where it finds it, a tenth of its time, to make no use of it.
sys.modules["OpenSSL"] = None
from cli.__main__ import main
main(prog_name="summaries")
' "$bin/../.." "$@"
