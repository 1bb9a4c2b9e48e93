"""Defects between an upload and the text that is read from it."""

from defects.plant import Edit, Kind, Plant

_APP = "submitter/app.py"
_MESSAGES = "submitter/messages.py"
_NAMES = "core/names.py"
_FILES = "core/files.py"
_HANDLERS = "tests/functions/test_handlers.py"
_MESSAGE_TESTS = "tests/unit/test_messages.py"
_S3_TESTS = "tests/contract/test_s3_files.py"

PLANTS = (
    Plant(
        "submitter-swallows",
        Kind.SWALLOWED,
        "An upload that could not be submitted is logged, and its message deleted.",
        (Edit(_APP, "    except UnknownCall as exc:", "    except Exception as exc:"),),
        _HANDLERS,
        "test_returns_every_message_when_the_table_is_out_of_reach",
    ),
    Plant(
        "submitter-answers-500",
        Kind.SWALLOWED,
        "An event by itself that could not be taken is answered with a status code, so Lambda does not"
        " try again.",
        (
            Edit(
                _APP,
                """    for source in parse_uploads(event):
        _take(source)
    return {}""",
                """    try:
        for source in parse_uploads(event):
            _take(source)
    except Exception as exc:
        return {"statusCode": 500, "body": str(exc)}
    return {}""",
            ),
        ),
        _HANDLERS,
        "test_raises_for_an_event_by_itself_so_that_lambda_tries_again",
    ),
    Plant(
        "batch-failures-not-reported",
        Kind.TOO_SOON,
        "The whole batch is acknowledged, also what failed of it.",
        (
            Edit(
                _APP,
                """processor=processor, context=context
            )
        )""",
                """processor=processor, context=context
            )
        ) | {"batchItemFailures": []}""",
            ),
        ),
        _HANDLERS,
        "test_returns_exactly_the_message_that_is_garbage",
    ),
    Plant(
        "first-message-only",
        Kind.LOST,
        "Only the first message of a batch is looked at.",
        (
            Edit(
                _APP,
                "event=event, record_handler",
                'event={"Records": event["Records"][:1]}, record_handler',
            ),
        ),
        _HANDLERS,
        "test_takes_the_event",
    ),
    Plant(
        "first-record-only",
        Kind.LOST,
        "Only the first upload of a notification is looked at.",
        (
            Edit(
                _MESSAGES,
                'for record in event["Records"] if',
                'for record in event["Records"][:1] if',
            ),
        ),
        _MESSAGE_TESTS,
        "test_every_record_of_a_notification_counts",
    ),
    Plant(
        "key-not-decoded",
        Kind.LOST,
        "A notification's key is used as it comes, URL-encoded: names with spaces are not found.",
        (
            Edit(
                _MESSAGES,
                'unquote_plus(str(s3_object["key"]), errors="strict")',
                'str(s3_object["key"])',
            ),
        ),
        _MESSAGE_TESTS,
        "test_a_key_in_a_notification_is_decoded",
    ),
    Plant(
        "key-decoded-twice",
        Kind.LOST,
        "EventBridge's key, which is not encoded, is decoded: names with `+` or `%` are not found.",
        (
            Edit(
                _MESSAGES,
                """        key=str(s3_object["key"]),""",
                """        key=unquote_plus(str(s3_object["key"])),""",
            ),
        ),
        _MESSAGE_TESTS,
        "test_a_key_from_eventbridge_is_as_it_is",
    ),
    Plant(
        "summary-triggers-itself",
        Kind.TWICE,
        "A summary in the bucket that transcripts come from is taken for a transcript.",
        (Edit(_MESSAGES, "\n        and not is_output", ""),),
        _MESSAGE_TESTS,
        "test_our_own_output_is_never_taken_for_a_transcript",
    ),
    Plant(
        "random-job-id",
        Kind.TWICE,
        "Every announcement of an upload starts a job of its own.",
        (
            Edit(
                "core/jobs.py",
                """hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]""",
                """hashlib.sha256(__import__("os").urandom(16)).hexdigest()[:32]""",
            ),
        ),
        "tests/unit/test_jobs.py",
        "test_is_the_same_for_every_announcement_of_one_upload",
    ),
    Plant(
        "summary-named-by-basename",
        Kind.OVERWRITTEN,
        "Two uploads of the same name in two folders share one summary.",
        (
            Edit(
                _NAMES,
                "    is_anothers = is_transcript_name(",
                '    key = key.rpartition("/")[2]\n    is_anothers = is_transcript_name(',
            ),
        ),
        "tests/unit/test_summary_keys.py",
        "test_no_two_transcripts_share_a_summary",
    ),
    Plant(
        "newest-version-read",
        Kind.MIXED_UP,
        "Whatever the key holds by now is read, not the version that was announced.",
        (Edit(_FILES, "    if source.version_id:", "    if False:"),),
        _S3_TESTS,
        "test_brings_exactly_the_version_that_was_announced",
    ),
    Plant(
        "announced-size-believed",
        Kind.UNBOUNDED,
        "A file that is larger than its event said is read to its end.",
        (Edit(_FILES, "        if len(received) > max_bytes:", "        if False:"),),
        _S3_TESTS,
        "test_stops_at_the_limit",
    ),
    Plant(
        "gzip-bomb",
        Kind.UNBOUNDED,
        "A small file that unpacks to gigabytes is unpacked, and only then found too large.",
        (Edit("core/transcripts.py", "packed.read(max_bytes + 1)", "packed.read()"),),
        "tests/unit/formats/test_refusals.py",
        "test_gzip_that_unpacks_to_too_much_is_refused_without_unpacking_it",
    ),
    Plant(
        "undecodable-bytes-dropped",
        Kind.CUT,
        "Bytes that are not UTF-8 are left out of the transcript.",
        (
            Edit(
                "core/transcripts.py",
                """        return body.decode("utf-8")
    except""",
                """        return body.decode("utf-8", "ignore")
    except""",
            ),
        ),
        "tests/unit/test_transcripts.py",
        "test_an_old_windows_file_is_read",
    ),
)
