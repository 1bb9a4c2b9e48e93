"""The decisions that the code must not lose, by the part of the system that they are in.

What the template holds is tests/template's business; slips within a pure function are a mutation tool's.
"""

from tests.mutants.mutant import Mutant

# A mutant a paragraph: name and reason, place, what to find there, what to put instead, who must notice.
# fmt: off

REQUESTS = ("tests/unit/submitter/test_whole_requests.py",)
ASKS = ("tests/unit/summaries/test_whole_asks.py",)
ENGINE = ("tests/unit/summaries/test_engine.py",)
HABITS = ("tests/unit/summaries/test_habits.py",)
REPORTS = ("tests/unit/runpod/test_reports.py",)
HTTP = ("tests/contract/test_whole_http_requests.py",)
TIMES = ("tests/functions/test_times.py",)
S3 = ("tests/contract/test_s3_files.py",)
SETTLING = ("tests/functions/test_settling.py", "tests/unit/jobs/test_decide.py")
FIGURES = ("tests/functions/test_whose_figures.py",)
SUBMITTING = ("tests/functions/test_submitting.py",)
CALLBACKS = ("tests/unit/jobs/test_callback.py",)
STORE = ("tests/contract/test_job_store.py",)
MESSAGES = ("tests/unit/submitter/test_messages.py",)
NOTICES = ("tests/functions/test_notices.py",)
WEBHOOKS = ("tests/functions/test_sending_webhooks.py", "tests/functions/test_webhook_requests.py")
ADDRESSES = ("tests/unit/webhook_sender/test_addresses.py",)
WORKER = ("tests/worker/test_orders.py", "tests/worker/test_presigned_urls.py")

_UPLOADS = (
    Mutant("key-not-decoded", "S3 encodes a notification's key: names with spaces would not be found",
           "submitter/messages.py::_from_notification", "unquote_plus(A, errors='strict')", "A", MESSAGES),
    Mutant("own-output-taken", "a summary in the input bucket must not become a transcript",
           "submitter/messages.py::is_for_a_job", "not is_ours", "True", MESSAGES),
    Mutant("job-named-at-random", "every announcement of one upload must lead to one job",
           "core/jobs/job.py::job_id_for", "hashlib.sha256(A).hexdigest()[:32]",
           "__import__('uuid').uuid4().hex", ("tests/unit/jobs/test_model.py",)),
    Mutant("gzip-unpacked-whole", "a small file can unpack to gigabytes",
           "core/transcripts/reader.py::_unpacked", "A.read(B + 1)",
           "A.read()", ("tests/unit/transcripts/formats/test_refusals.py",)),
    Mutant("any-version-read", "the version that was announced is read, not what stands there by now",
           "core/aws/files.py::which",
           "return place | {'VersionId': source.version_id}", "return place", S3),
    Mutant("tail-of-a-line-lost", "a line of any length is read to its end",
           "core/transcripts/turns.py::_parts", "[A for B in C] + [len(text)]",
           "[A for B in C] or [len(text)]", ("tests/unit/transcripts/test_long_lines.py",)),
)

_RECORDS = (
    Mutant("write-without-condition", "a write holds only on the revision that it was decided on",
           "core/aws/expressions.py::update_of", "'#revision = :seen'",
           "'attribute_exists(job_id)'", STORE),
    Mutant("created-over-a-record", "a job is recorded once, however often its upload is announced",
           "core/aws/expressions.py::put_of_new", "'attribute_not_exists(job_id)'",
           "'attribute_not_exists(nothing)'", STORE),
    Mutant("counted-in-any-stage", "a late call of an earlier stage must not fill this one",
           "core/aws/job_store.py::DynamoJobStore.count_done",
           "'#state = :active AND stage = :stage'",
           "'#state = :active'", STORE),
    Mutant("eventually-consistent-read", "a decision is made on what is stored, not on what was",
           "core/aws/job_store.py::DynamoJobStore._read",
           "{A: {'Keys': B, 'ConsistentRead': True}}",
           "{A: {'Keys': B}}", ("tests/contract/test_consistent_reads.py",)),
)

_PROMPTS = (
    Mutant("no-lead-in", "a section begins in the middle: the model sees the turns before its own",
           "core/summaries/asking.py::Asker.section", "keyword: before=before", "keyword: before=()", ASKS),
    Mutant("part-not-named", "the prompt of a part says which of how many it is",
           "core/summaries/asking.py::Asker.section", "A if parts > 1 else ''", "''", ASKS),
    Mutant("language-not-named", "the summary is in the language that was chosen",
           "core/summaries/asking.py::Asker._language_rule",
           "if self.progress.goal.language:\n    return A", "pass", ASKS),
    Mutant("other-prompts", "the uploader's set of prompts is the one that is used",
           "core/summaries/asking.py::Asker._ask", "instructions.filled(prompts, A, B)",
           "instructions.filled('default', A, B)", ASKS),
    Mutant("fault-not-told", "a call that is made again says what was wrong with the answer",
           "core/summaries/asking.py::Asker._ask", "if fault:\n    told = A", "pass", ASKS),
    Mutant("same-seed-again", "the same request with the same seed would get the same bad answer",
           "core/summaries/asking.py::Asker._ask", "keyword: seed=attempt", "keyword: seed=1", ASKS),
    Mutant("answer-without-bound", "prompt and answer together must fit the model's context",
           "core/summaries/asking.py::Asker.fits", "A + ask.max_tokens", "A", ENGINE),
    Mutant("control-tokens-pass", "a transcript must not end the user's turn and speak as the operator",
           "core/summaries/messages.py::as_material", "_CONTROL_TOKENS.sub(A, text)",
           "text", ("tests/unit/summaries/test_messages.py",)),
    Mutant("material-last", "calls that read the same turns share them as a prefix, which vLLM caches",
           "core/summaries/messages.py::_user_message", "(*blocks, ask.instructions)",
           "(ask.instructions, *blocks)", ("tests/unit/summaries/test_shared_prefixes.py",)),
    Mutant("temperature-crossed", "each setting goes where its name says",
           "core/summaries/messages.py::chat_request",
           "options.temperature", "options.top_p", ASKS),
    Mutant("ttl-at-the-deadline",
           "RunPod deletes at its ttl, also what runs: we must have given it up before",
           "submitter/requests.py", "_TTL_PAST_DEADLINE = A",
           "_TTL_PAST_DEADLINE = timedelta(0)", REQUESTS),
)

_WRITING = (
    Mutant("turns-in-a-gap-lost", "every turn belongs to a topic, whatever the model's outline leaves out",
           "core/summaries/outline.py::_owned", "shares[current].append(A)",
           "owned_by is not None and shares[current].append(A)",
           ("tests/unit/summaries/test_outline.py",)),
    Mutant("topic-left-out-unseen", "a summary that leaves out a topic of its outline is never published",
           "core/summaries/finishing.py::missing_topics",
           "block.startswith('### ') and not following.startswith('#')", "block.startswith('### ')",
           HABITS),
    Mutant("refusal-published", "a refusal is no summary, however long it took to come",
           "core/summaries/checks.py::is_refusal", "return A", "return False",
           ("tests/unit/summaries/test_checks.py",)),
    Mutant("hopeless-calls-multiplied", "a model that declines is given up after a few calls",
           "core/summaries/writing.py::Writing.refused", "refused if A else 0", "0", HABITS),
    Mutant("budget-not-kept", "further tries cost GPU time, of which a job has so much",
           "core/summaries/stage.py::Stage.allows", "can_afford and A", "A",
           ("tests/unit/summaries/test_budget.py",)),
    Mutant("last-answer-stands", "of several answers the best stands, not the last",
           "core/summaries/single.py::Single._best", "min(A, key=B, default=None)", "A[-1]", HABITS),
    Mutant("cut-sentence-published", "an answer that was cut off ends with a whole sentence",
           "core/summaries/judging.py::Judge._look_at", "whole_sentences(A) if answer.was_cut else A", "A",
           HABITS),
    Mutant("invented-quote-published", "only words that somebody said are published as quoted",
           "core/summaries/quoted.py::QuotationCheck._in_sentence",
           "_replaced(sentence, found, words, keeps_marks=False)", "sentence",
           ("tests/unit/summaries/test_quoted.py",)),
    Mutant("quote-given-to-another", "words are given to the one who said them",
           "core/summaries/quoted.py::QuotationCheck._is_given_to_another",
           "return A", "return False", ("tests/unit/summaries/test_quoted.py",)),
    Mutant("altered-quote-found", "a quote of other words than the transcript's is not found there",
           "core/summaries/quotes.py::_compared", "never = most + 1", "never = 1",
           ("tests/unit/summaries/test_quotes.py",)),
    Mutant("times-not-shown", "times that are to be cited stand in the text, from the turns",
           "core/summaries/document.py::_Builder.time_of", "return stamp(A, number)", "return ''", ENGINE),
    Mutant("reasoning-published", "what a model thinks aloud is no part of its answer",
           "core/summaries/cleaning.py", "('reasoning', _without_reasoning)", "('reasoning', str)",
           ("tests/unit/summaries/test_cleaning.py",)),
    Mutant("plan-of-the-second-stands", "of two who ask for the next stage the first one's plan holds",
           "core/jobs/material.py::MaterialStore.keep_stage", "planned_stage_in(A)", "stage",
           ("tests/unit/jobs/test_material.py",)),
)

_RUNPOD = (
    Mutant("post-repeated-on-503",
           "a request that may have been taken is not sent twice: each costs a GPU run",
           "core/runpod/client.py::retries", "{429}", "{429, 503}", HTTP),
    Mutant("redirect-followed-with-the-key", "the key goes to RunPod alone",
           "core/runpod/client.py::HttpRunPod._exchange", "keyword: allow_redirects=False",
           "keyword: allow_redirects=True", ("tests/contract/test_runpod_client.py",)),
    Mutant("connection-kept",
           "a kept connection can die while the function is frozen, and with it a request",
           "core/runpod/client.py::HttpRunPod._connection_header", "'close'", "'keep-alive'", HTTP),
    Mutant("any-id-believed", "RunPod's id becomes part of a path that is asked with our key",
           "core/runpod/reports.py::is_runpod_id", "_RUNPOD_ID.fullmatch(A)",
           "_RUNPOD_ID.match(A)", (*REPORTS, "tests/contract/test_runpod_client.py")),
    Mutant("empty-output-a-success", "nothing is never published as a summary",
           "core/runpod/reports.py::_completed",
           "Failure('no-output')", "None", REPORTS),
)

_CALLBACKS = (
    Mutant("token-not-compared", "RunPod signs nothing: the token is the only proof",
           "core/jobs/callback.py::is_token_of", "any(A)", "True", CALLBACKS),
    Mutant("token-of-any-attempt", "one attempt's token opens nothing else",
           "core/jobs/callback.py::token_for", "ref.attempt", "0", CALLBACKS),
    Mutant("another-requests-report", "a report must be about the attempt's own request",
           "core/jobs/decide.py::attempt_of", "A.runpod_id != runpod_id", "False", SETTLING),
    Mutant("late-failure-counts", "a failure counts only from the attempt that is open",
           "core/jobs/decide.py::decide", "attempt.number != call.attempt.number or A", "False", SETTLING),
    Mutant("retried-without-bound", "MaxAttempts bounds what a call can cost",
           "core/jobs/decide.py::_of_failure",
           "call.paid_attempts < max_attempts", "True", SETTLING),
)

_RESULTS = (
    Mutant("written-over-what-is-there", "only the first creation of a text counts",
           "core/aws/objects.py::Objects.put",
           "A if replacing else {'IfNoneMatch': '*'}", "{}", HTTP),
    Mutant("conflict-taken-for-there", "S3 says to ask again after a 409: nobody's text may be there",
           "core/aws/objects.py", "_ANOTHER_IS_THERE = A",
           "_ANOTHER_IS_THERE = frozenset({'PreconditionFailed', 'ConditionalRequestConflict', '409'})",
           ("tests/contract/test_s3_conditions.py",)),
    Mutant("newer-summary-replaced", "the newer version's summary stays, in whatever order both come",
           "core/aws/files.py::S3Summaries._put_newest",
           "is_of(job, A) or is_of_newer_upload(job, A)",
           "is_of(job, A)", (*S3, "tests/contract/test_s3_conditions.py")),
    Mutant("facts-without-type", "a browser shows the facts as JSON",
           "core/aws/files.py::S3Summaries._put_facts", "self._put_newest(A, B, C, JSON, D)",
           "self._put_newest(A, B, C, TEXT, D)", HTTP),
    Mutant("figures-of-another-attempt", "the facts name the attempt whose text stands there",
           "core/jobs/publishing.py::_summary_of", "keyword: attempt=attempt.number",
           "keyword: attempt=call.attempt.number", FIGURES),
    Mutant("lost-message-noticed-tomorrow",
           "a call whose message was lost is due minutes later, not when RunPod has forgotten",
           "core/jobs/lifecycle.py::Lifecycle.retry", "keyword: due_at=A",
           "keyword: due_at=now + timedelta(days=1)", TIMES),
    Mutant("taken-over-at-once", "a function that publishes is left alone as long as any function may run",
           "core/jobs/lifecycle.py",
           "PUBLISHING_TIME = A", "PUBLISHING_TIME = timedelta(seconds=3)", TIMES),
    Mutant("taken-over-too-late",
           "a publication whose function died is taken over before RunPod has forgotten the result",
           "core/jobs/lifecycle.py",
           "PUBLISHING_TIME = A", "PUBLISHING_TIME = timedelta(minutes=40)", TIMES),
    Mutant("manifest-believed", "a summary is published once its checksum was seen to be right",
           "core/jobs/verify.py::checked_text", "A.hexdigest() != sha256",
           "False", ("tests/functions/test_pulling.py",)),
)

_TIMES = (
    Mutant("no-patience-past-the-deadline",
           "a result that is there is not given up for RunPod's bad minute",
           "sweeper/looks.py", "RUNPOD_PATIENCE = A", "RUNPOD_PATIENCE = timedelta(0)", TIMES),
    Mutant("asked-behind-the-deadline", "the last question is asked at the deadline, not after it",
           "sweeper/polling.py::Polling._next_poll", "min(A, job.deadline)", "A", TIMES),
    Mutant("young-request-given-up", "/status may not know a request yet that /run took",
           "sweeper/polling.py", "_YOUNG = A", "_YOUNG = timedelta(0)", TIMES),
    Mutant("resent-at-once", "a message that is on its way is not sent again",
           "core/jobs/lifecycle.py", "LATEST_PICKUP = A", "LATEST_PICKUP = timedelta(0)", TIMES),
    Mutant("secret-kept-for-an-hour", "a secret that was replaced is seen within a minute",
           "core/aws/secrets.py",
           "_REFETCH_PAUSE_SECONDS = A", "_REFETCH_PAUSE_SECONDS = 3600", TIMES),
    Mutant("secret-fetched-each-time", "a stranger's wrong tokens cost no requests to Secrets Manager",
           "core/aws/secrets.py",
           "_REFETCH_PAUSE_SECONDS = A", "_REFETCH_PAUSE_SECONDS = 0", TIMES),
    Mutant("failed-read-kept-for-long", "RunPod's next callback has the secret read anew",
           "core/aws/secrets.py", "_FAILURE_KEPT_SECONDS = A", "_FAILURE_KEPT_SECONDS = 30", TIMES),
    Mutant("failed-read-not-kept", "a secret that can't be read is not asked for by each of hundreds",
           "core/aws/secrets.py", "_FAILURE_KEPT_SECONDS = A", "_FAILURE_KEPT_SECONDS = 0", TIMES),
    Mutant("sent-again-at-once", "what RunPod may have taken has begun before it is sent again",
           "submitter/attempts.py", "_AFTER_RUNPOD_BROKE = A", "_AFTER_RUNPOD_BROKE = timedelta(0)", TIMES),
)

_NOTICES = (
    Mutant("told-at-every-write", "a job that has ended is told of once, however often it is written again",
           "notifier/records.py::ended_job", "before in _ENDS", "False", NOTICES),
    Mutant("given-up-too-early", "what EventBridge may take next time is not kept as if it never would",
           "core/notices/event_bus.py::EventBus.put", "code not in _NEVER", "False", NOTICES),
    Mutant("one-address-suffices", "a name with a private address beside a public one is not sent to",
           "webhook_sender/addresses.py::checked_addresses", "all(map(may_be, found))",
           "any(map(may_be, found))", ADDRESSES),
    Mutant("wrapped-address-believed", "an IPv4 address in an IPv6 one leads home",
           "webhook_sender/addresses.py::is_public", "address in _GLOBAL_UNICAST", "True", ADDRESSES),
    Mutant("name-resolved-again", "who owns a name may answer otherwise once it was checked",
           "webhook_sender/receiver.py::Receiver._pool", "str(address)", "self.host", WEBHOOKS),
    Mutant("certificate-of-anybody", "the certificate is the name's, although an address is connected to",
           "webhook_sender/receiver.py::Receiver._pool", "'CERT_REQUIRED'", "'CERT_NONE'", WEBHOOKS),
    Mutant("gone-tried-again", "410 means never again",
           "webhook_sender/deliver.py::Sender.send", "status == GONE", "False", WEBHOOKS),
)

_WORKER = (
    Mutant("chat-repeated-after-timeout", "the model may still be at it, and would do the work twice",
           "worker/model.py::ModelServer._answer", "raise WorkerError('model-failed', A) from None",
           "return None", HTTP),
    Mutant("put-without-encryption", "a summary leaves the machine by https alone",
           "worker/deliver.py::deliver", "not may_be_called(put_url)", "False", HTTP),
    Mutant("size-not-checked", "another file than the one announced is not summarised",
           "worker/fetch.py::_fetched", "A != order.size_bytes", "False", WORKER),
)

_OPERATOR = (
    Mutant("cancelled-while-published", "a summary that stands must not be a failed job's",
           "cli/operating/cancelling.py::why_not", "job.is_publishing or is_delivered", "False",
           ("tests/cli/operating/test_cancelling.py",)),
    Mutant("rotated-before-it-is-learnt", "a new secret signs once every function knows it",
           "cli/operating/rotation.py::CallbackSecret.next_at", "self.since + pause", "self.since",
           ("tests/cli/operating/test_secrets.py",)),
    Mutant("forgotten-by-a-prefix", "a file whose name begins alike is another file",
           "cli/operating/forgetting.py::_found", "each.key == key", "True",
           ("tests/cli/operating/test_forgetting.py",)),
    Mutant("stopped-with-its-neighbour", "only what feeds the submitter from its own queue is switched",
           "cli/operating/switches.py::queue_switch", "A == queue", "True",
           ("tests/cli/operating/test_stopping.py",)),
    Mutant("page-by-any-name", "a name that somebody lets point to this machine is not this machine",
           "cli/page/guard.py::Guard.refusal", "_hostname(host) not in _LOOPBACK", "False",
           ("tests/page/test_guard.py",)),
    Mutant("page-without-its-token", "other users of a machine reach its loopback too",
           "cli/page/guard.py::Guard.refusal", "needs_token and not self._is_known(A)", "False",
           ("tests/page/test_guard.py",)),
    Mutant("page-of-jobs-by-time-alone", "jobs of one instant are not lost between two pages",
           "cli/page/jobs.py::Cursor.after", "(*shown, *A)", "A",
           ("tests/page/test_reading.py",)),
    Mutant("upload-over-another", "a file is replaced only by who means it",
           "cli/page/changes.py::upload", "is_there(desk, key) and not is_on(asked, 'replace')", "False",
           ("tests/page/test_changing.py",)),
)

MUTANTS = (*_UPLOADS, *_RECORDS, *_PROMPTS, *_WRITING, *_RUNPOD, *_CALLBACKS, *_RESULTS, *_TIMES,
           *_NOTICES, *_WORKER, *_OPERATOR)
