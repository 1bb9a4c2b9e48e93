"""Secrets and words of a transcript in places where they don't belong."""

from defects.plant import Edit, Kind, Plant

_SUBMIT = "submitter/submit.py"

_HANDLERS = "tests/functions/test_handlers.py"
_CLIENT = "tests/contract/test_runpod_client.py"
_RESOURCES = "tests/template/test_resources.py"

PLANTS = (
    Plant(
        "callback-logged",
        Kind.LEAK,
        "The receiver logs the event as it came: the token, and the summary.",
        (
            Edit(
                "webhook_receiver/app.py",
                "    settler, secrets, runpod = _wiring()\n",
                '    logger.info("callback", extra={"event": event})\n'
                "    settler, secrets, runpod = _wiring()\n",
            ),
        ),
        _HANDLERS,
        "test_leaves_nothing_secret_and_no_words_in_logs_and_metrics",
    ),
    Plant(
        "request-printed",
        Kind.LEAK,
        "The submitter prints what it sends: the transcript, and the callback's URL.",
        (
            Edit(
                _SUBMIT,
                "            return self._taken(job",
                "            print(request)\n            return self._taken(job",
            ),
        ),
        _HANDLERS,
        "test_leaves_nothing_secret_and_no_words_in_logs_and_metrics",
    ),
    Plant(
        "callback-url-in-the-audit",
        Kind.LEAK,
        "The record of a call holds the URL, and so the token, of its callback.",
        (
            Edit(
                _SUBMIT,
                "self._taken(job, call, self.runpod.run(request), now)",
                'self._taken(job, call, self.runpod.run(request), now, request["webhook"])',
            ),
            Edit(
                _SUBMIT,
                "def _taken(self, job: Job, call: Call, runpod_id: str, now: datetime)",
                "def _taken(self, job: Job, call: Call, runpod_id: str, now: datetime, url: str)",
            ),
            Edit(
                _SUBMIT,
                "told = event(now, attempt=number, runpod_id=runpod_id)",
                "told = event(now, attempt=number, runpod_id=runpod_id, url=url)",
            ),
        ),
        _HANDLERS,
        "test_keeps_secrets_and_words_out_of_the_table",
    ),
    Plant(
        "worker-error-kept",
        Kind.LEAK,
        "A worker's error text, which may quote the prompt, becomes the job's reason.",
        (
            Edit(
                "core/reports.py",
                "    return _WORKER_ERROR\n",
                '    return Failure(code="worker-error", message=text, may_help_to_retry=True)\n',
            ),
        ),
        "tests/unit/test_reports.py",
        "test_runpods_own_words_about_a_failure_are_not_kept",
    ),
    Plant(
        "refusal-quoted",
        Kind.LEAK,
        "RunPod's words about a request that it refused, which may quote the prompt, become the job's"
        " reason.",
        (
            Edit(
                "core/runpod.py",
                'RunPodRefused(f"RunPod refused the request with {code}: {hint}")',
                'RunPodRefused(f"RunPod refused the request with {code}: {hint} {answer.text}")',
            ),
        ),
        _CLIENT,
        "test_no_error_tells_a_secret",
    ),
    Plant(
        "token-in-the-access-log",
        Kind.LEAK,
        "API Gateway logs the path of each callback, which ends in its token.",
        (
            Edit(
                "template.yaml",
                '"routeKey":"$context.routeKey"',
                '"path":"$context.path"',
            ),
        ),
        _RESOURCES,
        "test_the_access_log_never_holds_the_path_of_a_callback",
    ),
    Plant(
        "key-in-the-environment",
        Kind.LEAK,
        "The functions' environment holds the RunPod key itself.",
        (
            Edit(
                "template.yaml",
                "RUNPOD_API_KEY_SECRET: !Ref RunpodApiKeySecretName",
                "RUNPOD_API_KEY_SECRET: !Sub"
                ' "{{resolve:secretsmanager:${RunpodApiKeySecretName}}}"',
            ),
        ),
        "tests/template/test_environment.py",
        "test_secrets_reach_a_function_by_name_only",
    ),
)
