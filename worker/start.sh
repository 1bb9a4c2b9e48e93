#!/usr/bin/env bash
# What the container runs: vLLM's OpenAI server on loopback, and beside it the worker once the model is
# there. If either ends, both do: RunPod starts a worker anew, and nobody else's job comes here before.
set -euo pipefail

port=${VLLM_PORT:-8000}
patience_seconds=${VLLM_STARTUP_TIMEOUT:-1200}
worker_python=${WORKER_PYTHON:-/opt/worker/bin/python}
base_source=${BASE_SOURCE:-/src} # where the base image keeps what turns its variables into arguments

stop() {
    trap - TERM INT EXIT
    kill $(jobs -p) 2>/dev/null || true
    wait || true
}
trap 'stop; exit 143' TERM INT
trap stop EXIT

arguments=()
while IFS= read -r -d '' argument; do
    arguments+=("$argument")
done < <(PYTHONPATH=$base_source python3 -c '
import sys
from args_builder import build_vllm_args
sys.stdout.write("".join(f"{each}\0" for each in build_vllm_args()))')
if [ ${#arguments[@]} -eq 0 ]; then
    echo "vLLM has no arguments: set MODEL_NAME" >&2
    exit 1
fi

vllm serve --host 127.0.0.1 --port "$port" "${arguments[@]}" &
vllm_pid=$!

# No job is taken before the model is loaded: so RunPod counts the loading as waiting, not as running.
SECONDS=0
until "$worker_python" -c '
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=5)' "http://127.0.0.1:$port/health" 2>/dev/null; do
    if ! kill -0 "$vllm_pid" 2>/dev/null; then
        echo "vLLM ended before the model was loaded" >&2
        exit 1
    fi
    if [ "$SECONDS" -ge "$patience_seconds" ]; then
        echo "vLLM has not loaded the model in $patience_seconds s" >&2
        exit 1
    fi
    sleep 1
done

MODEL_URL=http://127.0.0.1:$port "$worker_python" -m worker &

wait -n && code=0 || code=$?
echo "vLLM or the worker ended with $code" >&2
exit $((code == 0 ? 1 : code))
