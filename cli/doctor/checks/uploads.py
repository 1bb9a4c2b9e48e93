"""From a bucket to the submitter, and the summary away from it again."""

from collections.abc import Iterator

from cli.doctor.readings import SUBMITTER, Bucket, Readings
from cli.doctor.registry import REVERT, Trouble, check, doubtful, wrong

_USABLE_KEY = "Enabled"
_WAITS_DAYS = (
    7  # four days in the queue, then a day on hold; as the least of TranscriptRetentionDays
)
_LIVES_DAYS = 2  # as the least of WorkFileRetentionDays


@check("buckets-there")
def buckets_there(readings: Readings) -> Iterator[Trouble]:
    parts = (
        ("InputBucketName", readings.input_bucket),
        ("OutputBucketName", readings.output_bucket),
    )
    for parameter, bucket in parts:
        if bucket.problem:
            yield wrong(
                f"bucket {bucket.name} can't be used: {bucket.problem}",
                f"make it again in this account, or deploy with another {parameter}",
            )


@check("input-region")
def input_region(readings: Readings) -> Iterator[Trouble]:
    bucket, stack = readings.input_bucket, readings.stack
    if bucket.region and bucket.region != stack.region:
        yield wrong(
            f"bucket {bucket.name} is in {bucket.region} and the stack in {stack.region}: its events never"
            " arrive here",
            "deploy to the bucket's Region, or name a bucket of this one as InputBucketName",
        )


@check("uploads-announced")
def uploads_announced(readings: Readings) -> Iterator[Trouble]:
    bucket = readings.input_bucket
    if bucket.problem:
        return
    if readings.stack.owns_input:
        yield from _by_notification(bucket, readings.queue_arn)
    else:
        yield from _by_eventbridge(bucket)


def _by_notification(bucket: Bucket, queue: str) -> Iterator[Trouble]:
    if queue in bucket.queues:
        return
    if queue in bucket.filtered_queues:
        yield doubtful(
            f"bucket {bucket.name} announces some of its new objects only: somebody set a filter, or took"
            " events away",
            "set the bucket's notification as template.yaml has it: s3:ObjectCreated:* without a filter",
        )
        return
    yield wrong(
        f"bucket {bucket.name} does not announce new objects to the stack's queue: uploads go unnoticed",
        "set its event notification (s3:ObjectCreated:*, to the queue of UploadQueueUrl); setting another"
        " notification by hand replaces the stack's. What was uploaded meanwhile has to be uploaded again",
    )


def _by_eventbridge(bucket: Bucket) -> Iterator[Trouble]:
    if not bucket.announces_to_eventbridge:
        yield wrong(
            f"bucket {bucket.name} does not tell EventBridge of new objects: uploads go unnoticed",
            "switch it on (bucket, Properties, Amazon EventBridge); see docs/deploying.md. What was"
            " uploaded meanwhile has to be uploaded again",
        )


@check("upload-rule")
def upload_rule(readings: Readings) -> Iterator[Trouble]:
    if readings.stack.owns_input:
        return
    rule, bucket = readings.upload_rule, readings.input_bucket.name
    if rule is None:
        yield wrong("the EventBridge rule for uploads is gone", REVERT)
    elif rule.state != "ENABLED":
        yield wrong(
            f"the EventBridge rule for uploads is {rule.state.lower()}: uploads go unnoticed",
            "enable it (`aws events enable-rule`)",
        )
    elif readings.queue_arn not in rule.targets:
        yield wrong("the EventBridge rule for uploads does not send to the stack's queue", REVERT)
    elif bucket not in rule.buckets:
        yield wrong(f"the EventBridge rule for uploads is not about bucket {bucket}", REVERT)


@check("submitter-fed")
def submitter_fed(readings: Readings) -> Iterator[Trouble]:
    if readings.feed is None:
        yield wrong(
            "nothing feeds the submitter from its queue: the event source mapping is gone",
            REVERT,
        )
    elif readings.feed in {"Disabled", "Disabling"}:
        yield wrong(
            f"the submitter's event source mapping is {readings.feed.lower()}: uploads wait in the queue,"
            " and are dropped after 4 days",
            "if nobody means it to be stopped, `resume`",
        )


@check("bucket-keys")
def bucket_keys(readings: Readings) -> Iterator[Trouble]:
    buckets = (
        (readings.input_bucket, "InputBucketKmsKeyArn", "read transcripts"),
        (readings.output_bucket, "OutputBucketKmsKeyArn", "write summaries"),
    )
    for bucket, parameter, purpose in buckets:
        granted = readings.stack.parameters.get(parameter, "")
        if not bucket.key_arn:
            continue
        if bucket.key_state not in {"", _USABLE_KEY}:
            yield wrong(
                f"bucket {bucket.name} encrypts with key {bucket.key_arn}, which is {bucket.key_state}",
                "enable the key again in KMS, or cancel its deletion",
            )
        elif bucket.key_arn != granted:
            yield wrong(
                f"bucket {bucket.name} encrypts with key {bucket.key_arn}, and the functions may not use"
                f" it: they can't {purpose}",
                f"deploy with {parameter}={bucket.key_arn}",
            )


@check("key-of-the-rest")
def key_of_the_rest(readings: Readings) -> Iterator[Trouble]:
    if readings.key_state not in {"", _USABLE_KEY}:
        yield wrong(
            f"the key of table, queues, secret and logs (KmsKeyArn) is {readings.key_state}: soon, or by"
            " now, no function can read a record, a message or the secret",
            "enable the key again in KMS, or cancel its deletion",
        )


@check("lifecycle")
def lifecycle(readings: Readings) -> Iterator[Trouble]:
    """Rules that delete what a job still wants. The stack's own buckets have none, unless edited."""
    prefix_in = readings.functions[SUBMITTER].environment.get("INPUT_PREFIX", "")
    wanted = (
        (readings.input_bucket, prefix_in, _WAITS_DAYS, "a transcript waits in the queue"),
        (readings.output_bucket, "work/", _LIVES_DAYS, "a call is held"),
    )
    for bucket, prefix, least, meanwhile in wanted:
        for expiring, days in bucket.expiries:
            overlaps = expiring.startswith(prefix) or prefix.startswith(expiring)
            if overlaps and days < least:
                yield wrong(
                    f"bucket {bucket.name} deletes what lies under {expiring or 'any prefix'} after"
                    f" {_days(days)}, while {meanwhile}: its job would fail",
                    f"let that lifecycle rule wait for {_days(least)} or more, or narrow its prefix",
                )


def _days(days: int) -> str:
    return f"{days} day{'s' * (days != 1)}"


@check("own-output")
def own_output(readings: Readings) -> Iterator[Trouble]:
    """Summaries that are taken for transcripts: each makes another one, without end."""
    environment = readings.functions[SUBMITTER].environment
    source, target = environment.get("INPUT_BUCKET"), environment.get("OUTPUT_BUCKET")
    prefix = environment.get("INPUT_PREFIX", "")
    written = (environment.get("OUTPUT_PREFIX", ""), "work/")
    if source == target and any(
        each.startswith(prefix) or prefix.startswith(each) for each in written
    ):
        yield wrong(
            f"summaries are written to bucket {target} under {written[0]}, where new objects are taken for"
            " transcripts: each summary would be summarised again",
            "deploy with another InputPrefix (not under summaries/ or work/), or another bucket; until then"
            " stop it: disable the submitter's trigger",
        )
        return
    if source != target and readings.queue_arn in {
        *readings.output_bucket.queues,
        *readings.output_bucket.filtered_queues,
    }:
        yield doubtful(
            f"bucket {target}, where summaries are written, announces new objects to the stack's queue;"
            " they are refused one by one, and billed",
            "remove the event notification from that bucket",
        )
