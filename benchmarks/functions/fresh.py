"""Runs in a function's process, which has its artifact and the runtime's packages and nothing else.

    python -I -S -B fresh.py ORDER

ORDER is JSON: what is to be imported and called. What is measured is printed as the last line, as JSON.
It holds what its process has cost until the first answer, and of each further time by itself.
"""

# ruff: noqa: PLC0415, PTH123, SLF001 - what is imported here costs what is measured

import sys
import time


class Context:
    """What the functions and Powertools read of Lambda's context."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "request"

    def get_remaining_time_in_millis(self):
        return 60_000


def main(order):
    sys.path[:0] = order["path"]
    if order.get("read"):
        with open(order["read"], "rb") as file:
            made = len(file.read().decode().split())
    elif order.get("clients"):
        made = clients(order["clients"], order["requests"])
    else:
        module, _, name = order["handler"].rpartition(".")
        handler = getattr(__import__(module, fromlist=[name]), name)
        imported = time.process_time()
        with open(order["event"], encoding="utf-8") as file:
            event = json().loads(file.read())
        made = handler(event, Context())
    told = {"cpu": time.process_time(), "at": time.monotonic(), "answer": str(made)}
    told["peak_kb"] = peak_kb()
    if order.get("handler"):
        told["imported_cpu"] = imported
    if order.get("times"):
        told |= repeated(handler, event, order["times"])
    print("\n" + json().dumps(told))


def clients(services, requests):
    """The floor: botocore's core, the clients that a function makes, and what it asks them."""
    from botocore.exceptions import ClientError
    from botocore.session import get_session

    session = get_session()
    made = {each: session.create_client(each) for each in services}
    for service, operation, parameters in requests:
        asked = json().loads(parameters, object_hook=decoded)
        try:
            answer = made[service]._make_api_call(operation, asked)
        except ClientError:
            continue
        if "Body" in answer:
            answer["Body"].read()
    return len(made)


def decoded(value):
    if set(value) != {"base64"}:
        return value
    import base64

    return base64.b64decode(value["base64"])


def repeated(handler, event, times):
    """Time the handler, and its requests to AWS alone, one after the other; in seconds."""
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

    ask = BaseClient._make_api_call
    asked = []

    def note(self, operation, params):
        asked.append((self, operation, params))
        return ask(self, operation, params)

    BaseClient._make_api_call = note
    handler(event, Context())
    BaseClient._make_api_call = ask

    def requests_alone():
        for client, operation, params in asked:
            try:
                answer = ask(client, operation, params)
            except ClientError:  # one that the function reckons with
                continue
            if "Body" in answer:
                answer["Body"].read()

    ours, alone = [], []
    for _ in range(times):
        ours.append(timed(lambda: handler(event, Context())))
        alone.append(timed(requests_alone))
    return {"ours": ours, "alone": alone, "asked": [operation for _, operation, _ in asked]}


def timed(call):
    clock, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - clock, time.process_time() - cpu


def peak_kb():
    """Return the process's peak: getrusage would count what it was forked from."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def json():
    import json

    return json


if __name__ == "__main__":
    main(json().loads(sys.argv[1]))
