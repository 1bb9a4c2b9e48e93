"""A worker as RunPod's SDK 1.12 is one over HTTP, without the SDK: each request by itself."""

import json
from typing import Any

import requests

from runpod_simulator import Simulator

NEVER_SECONDS = 600.0


class Pod:
    def __init__(self, simulator: Simulator) -> None:
        self._environment = simulator.worker_environment()
        self.id = self._environment["RUNPOD_POD_ID"]
        self._session = requests.Session()
        self._session.headers["Authorization"] = self._environment["RUNPOD_AI_API_KEY"]

    def close(self) -> None:
        self._session.close()

    def ask(self, batch_size: int = 1, timeout_seconds: float = 20) -> requests.Response:
        url = self._environment["RUNPOD_WEBHOOK_GET_JOB"].replace("$ID", self.id)
        if batch_size > 1:
            url = url.replace("/job-take/", "/job-take-batch/") + f"&batch_size={batch_size}"
        return self._session.get(f"{url}&job_in_progress=0", timeout=timeout_seconds)

    def take(self) -> dict[str, Any]:
        answer = self.ask()
        assert answer.status_code == 200, answer.status_code
        return dict(answer.json())

    def stops(self) -> requests.Response:
        url = self._environment["RUNPOD_WEBHOOK_GET_JOB"].replace("$ID", self.id)
        return self._session.get(url.replace("/job-take/", "/job-stop/"), timeout=20)

    def ping(self, *job_ids: str, **params: str) -> requests.Response:
        url = self._environment["RUNPOD_WEBHOOK_PING"].replace("$RUNPOD_POD_ID", self.id)
        named = {"job_id": ",".join(job_ids)} if job_ids else {}
        return self._session.get(url, params=named | params, timeout=20)

    def done(self, job_id: str, posted: Any) -> requests.Response:
        return self._post("RUNPOD_WEBHOOK_POST_OUTPUT", job_id, posted)

    def stream(self, job_id: str, posted: Any) -> requests.Response:
        return self._post("RUNPOD_WEBHOOK_POST_STREAM", job_id, posted)

    def _post(self, variable: str, job_id: str, posted: Any) -> requests.Response:
        url = self._environment[variable].replace("$RUNPOD_POD_ID", self.id)
        body = posted if isinstance(posted, bytes) else json.dumps(posted, ensure_ascii=False)
        return self._session.post(
            url.replace("$ID", job_id) + "&isStream=false",
            data=body if isinstance(body, bytes) else body.encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "X-Request-ID": job_id},
            timeout=20,
        )
