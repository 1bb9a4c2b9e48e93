"""Defects at the door that RunPod's callbacks come in by."""

from defects.plant import Edit, Kind, Plant

_CALLBACK = "core/callback.py"
_CALLBACKS = "webhook_receiver/callbacks.py"
_APP = "webhook_receiver/app.py"
_SECRETS = "core/secrets.py"
_HANDLERS = "tests/functions/test_handlers.py"
_TOKENS = "tests/unit/test_callback.py"
_ROTATION = "tests/contract/test_secrets.py"

PLANTS = (
    Plant(
        "missing-token-accepted",
        Kind.FAILS_OPEN,
        "A callback that brings no token is let in.",
        (
            Edit(
                _CALLBACKS,
                "    if not is_token_of(ref, token, secrets.live())",
                "    if token and not is_token_of(ref, token, secrets.live())",
            ),
        ),
        _HANDLERS,
        "test_refuses_a_callback_without_a_token",
    ),
    Plant(
        "empty-secret-accepted",
        Kind.FAILS_OPEN,
        "A token made with an empty secret, as anybody can make it, counts.",
        (
            Edit(
                _CALLBACK,
                """        for secret in secrets
        if secret
""",
                """        for secret in secrets
""",
            ),
            Edit(
                _CALLBACK,
                """    if not secret:
        raise BadToken("an empty secret proves nothing")
""",
                "",
            ),
        ),
        _TOKENS,
        "test_without_a_secret_no_token_is_right",
    ),
    Plant(
        "short-secret-accepted",
        Kind.FAILS_OPEN,
        "A callback secret of one character will do.",
        (Edit(_SECRETS, "        if len(secrets[0]) < 32:", "        if not secrets[0]:"),),
        _ROTATION,
        "test_a_callback_secret_that_could_be_guessed_is_refused",
    ),
    Plant(
        "no-secret-no-check",
        Kind.FAILS_OPEN,
        "Where there is no secret to compare with, every token is right.",
        (Edit(_CALLBACK, "return any(matches)", "return not matches or any(matches)"),),
        _TOKENS,
        "test_without_a_secret_no_token_is_right",
    ),
    Plant(
        "token-of-another-attempt",
        Kind.FAILS_OPEN,
        "A token opens every attempt of its call.",
        (
            Edit(
                _CALLBACK,
                'f"callback-v1 {ref.job_id} {ref.call_id} {ref.attempt}".encode()',
                'f"callback-v1 {ref.job_id} {ref.call_id}".encode()',
            ),
        ),
        _TOKENS,
        "test_a_token_opens_nothing_else",
    ),
    Plant(
        "token-not-ascii",
        Kind.BRITTLE,
        "A token with a letter outside ASCII crashes the comparison, and the answer is 500.",
        (
            Edit(
                _CALLBACK,
                '    claimed = token.encode("utf-8", "surrogatepass")\n',
                "",
            ),
            Edit(
                _CALLBACK,
                "hmac.compare_digest(token_for(ref, secret).encode(), claimed)",
                "hmac.compare_digest(token_for(ref, secret), token)",
            ),
        ),
        _TOKENS,
        "test_nothing_else_is_a_token",
    ),
    Plant(
        "secret-kept-after-its-rotation",
        Kind.BRITTLE,
        "A token that fits no known secret does not make the receiver look for new ones.",
        (
            Edit(
                _CALLBACKS,
                """secrets.live()) and not is_token_of(
        ref, token, secrets.refetched()
    ):""",
                "secrets.live()):",
            ),
        ),
        _HANDLERS,
        "test_takes_a_token_of_a_secret_that_was_rotated_in_meanwhile",
    ),
    Plant(
        "secret-kept-for-ever",
        Kind.BRITTLE,
        "A secret is read once in the life of a function.",
        (Edit(_SECRETS, "_KEPT_SECONDS = 300", "_KEPT_SECONDS = 10**9"),),
        _ROTATION,
        "test_a_secret_is_read_again_after_minutes",
    ),
    Plant(
        "previous-secret-refused",
        Kind.BRITTLE,
        "A rotation makes worthless what is under way.",
        (
            Edit(
                _CALLBACKS,
                "is_token_of(ref, token, secrets.live())",
                "is_token_of(ref, token, [secrets.current()])",
            ),
            Edit(
                _CALLBACKS,
                "ref, token, secrets.refetched()",
                "ref, token, secrets.refetched()[:1]",
            ),
        ),
        _HANDLERS,
        "test_takes_a_token_of_the_secret_that_is_being_replaced",
    ),
    Plant(
        "strangers-drive-secrets-manager",
        Kind.UNBOUNDED,
        "Every wrong token costs a request to Secrets Manager.",
        (Edit(_SECRETS, "_REFETCH_PAUSE_SECONDS = 30", "_REFETCH_PAUSE_SECONDS = 0"),),
        _HANDLERS,
        "test_asks_for_fresh_secrets_once_in_a_while_however_many_tokens_are_wrong",
    ),
    Plant(
        "verification-never-called",
        Kind.FAILS_OPEN,
        "VerifyCallbacks is true, and the callback is believed all the same.",
        (Edit(_APP, "    if runpod:", "    if False:"),),
        _HANDLERS,
        "test_believes_runpod_and_not_the_callback",
    ),
    Plant(
        "foreign-report-accepted",
        Kind.FAILS_OPEN,
        "A report about another request than the attempt's is taken.",
        (
            Edit(
                "core/decide.py",
                "    if attempt.runpod_id and runpod_id and attempt.runpod_id != runpod_id:",
                "    if False:",
            ),
        ),
        "tests/unit/test_decide.py",
        "test_a_report_about_another_request_is_foreign",
    ),
    Plant(
        "receiver-swallows",
        Kind.SWALLOWED,
        "A callback that could not be recorded is answered with 200, and RunPod does not repeat it.",
        (
            Edit(
                _APP,
                """        return _refused(409, "another request's report", ref)
""",
                """        return _refused(409, "another request's report", ref)
    except Exception as exc:
        outcome = type(exc).__name__
""",
            ),
        ),
        _HANDLERS,
        "test_raises_when_it_can_not_write_so_that_runpod_calls_again",
    ),
    Plant(
        "empty-callback-forgotten",
        Kind.TOO_SOON,
        "A callback without a body is answered with 200, and nobody asks RunPod what it was about.",
        (Edit(_APP, '        settler.hurry(ref, what="callback without a body", now=now)\n', ""),),
        _HANDLERS,
        "test_lets_the_sweeper_ask_after_a_callback_without_a_body",
    ),
    Plant(
        "base64-not-decoded",
        Kind.BRITTLE,
        "A body that API Gateway has encoded is not decoded.",
        (Edit(_CALLBACKS, '        if event.get("isBase64Encoded"):', "        if False:"),),
        _HANDLERS,
        "test_takes_the_callback",
    ),
)
