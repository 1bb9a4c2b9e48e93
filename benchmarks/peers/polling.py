"""A Lambda that submits, polls until the summary is there, and stores it: the design this project replaces.

Written as it usually is: read the file, POST /run, GET /status every POLLING_INTERVAL seconds, at most
MAX_POLLING_ATTEMPTS times, put the summary under summaries/. Everything it talks to is given, so that it
can be run against a clock that does not wait.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

POLLING_INTERVAL_SECONDS = 5


@dataclass(frozen=True)
class Polling:
    get_object: Callable[[str, str], bytes]
    put_object: Callable[[str, bytes], None]
    run: Callable[[Mapping[str, Any]], str]
    status: Callable[[str], Mapping[str, Any]]
    sleep: Callable[[float], None]
    max_polling_attempts: int

    def handler(self, event: Mapping[str, Any]) -> str:
        upload = event["Records"][0]["s3"]
        key = upload["object"]["key"]
        transcript = self.get_object(upload["bucket"]["name"], key).decode()
        prompt = f"Summarise this transcript in 4,000 words:\n{transcript}"
        request_id = self.run({"input": {"prompt": prompt, "max_tokens": 6000}})
        for _ in range(self.max_polling_attempts):
            answer = self.status(request_id)
            if answer["status"] == "COMPLETED":
                self.put_object(f"summaries/{key}", answer["output"].encode())
                return "COMPLETED"
            if answer["status"] in ("FAILED", "CANCELLED", "TIMED_OUT"):
                raise RuntimeError(f"RunPod: {answer['status']}")
            self.sleep(POLLING_INTERVAL_SECONDS)
        raise TimeoutError("the summary did not come in time")
