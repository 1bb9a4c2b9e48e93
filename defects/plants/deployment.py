"""Defects in template.yaml."""

from defects.plant import Edit, Kind, Plant

_TEMPLATE = "template.yaml"
_RULES = "tests/template/test_rules.py"
_RESOURCES = "tests/template/test_resources.py"
_PERMISSIONS = "tests/template/test_permissions.py"

PLANTS = (
    Plant(
        "sweeps-too-seldom",
        Kind.TOO_LATE,
        "SweepScheduleMinutes may be 30, which is as long as RunPod keeps a result.",
        (
            Edit(_TEMPLATE, "    AllowedValues: [1, 2, 5]", "    AllowedValues: [1, 2, 5, 30]"),
            Edit(
                _TEMPLATE,
                '    "5": {Rate: rate(5 minutes)}',
                '    "5": {Rate: rate(5 minutes)}\n    "30": {Rate: rate(30 minutes)}',
            ),
        ),
        _RULES,
        "test_what_may_be_deployed_is_exactly_what_finds_a_lost_callback_in_time",
    ),
    Plant(
        "too-few-asks-deployable",
        Kind.TOO_LATE,
        "Three asks in three hours can be deployed, though a lost callback would be found too late.",
        (
            Edit(
                _TEMPLATE,
                '!Contains [["10", "20", "40"], !Ref MaxPollingAttempts]',
                '!Contains [["3", "5", "10", "20", "40"], !Ref MaxPollingAttempts]',
            ),
        ),
        _RULES,
        "test_what_may_be_deployed_is_exactly_what_finds_a_lost_callback_in_time",
    ),
    Plant(
        "schedule-without-singular",
        Kind.WRONG_NAME,
        "`rate(1 minutes)`, which EventBridge refuses: the sweeper can't be deployed.",
        (Edit(_TEMPLATE, "rate(1 minute)", "rate(1 minutes)"),),
        _RESOURCES,
        "test_the_schedule_is_one_that_eventbridge_understands",
    ),
    Plant(
        "one-bucket-without-a-rule",
        Kind.TWICE,
        "One bucket for both without an input prefix can be deployed: each summary would be summarised.",
        (
            Edit(
                _TEMPLATE,
                '      - Assert: !Not [!Equals [!Ref InputPrefix, ""]]',
                "      - Assert: !Equals [!Ref InputBucketName, !Ref OutputBucketName]",
            ),
        ),
        _RULES,
        "test_in_one_bucket_no_summary_is_a_transcript_and_no_transcript_a_summary",
    ),
    Plant(
        "expiry-misnamed",
        Kind.WRONG_NAME,
        "The table expires by an attribute that no item has.",
        (Edit(_TEMPLATE, "AttributeName: expires_at,", "AttributeName: expire_at,"),),
        _RESOURCES,
        "test_the_table_is_encrypted_restorable_and_forgets_old_jobs",
    ),
    Plant(
        "no-dead-letter-queue",
        Kind.LOST,
        "A message that fails again and again is dropped after four days, and nobody sees it.",
        (
            Edit(
                _TEMPLATE,
                """      RedrivePolicy:
        deadLetterTargetArn: !GetAtt UploadDeadLetterQueue.Arn
        maxReceiveCount: 5
""",
                "",
            ),
        ),
        _RESOURCES,
        "test_a_message_that_failed_five_times_is_kept_for_two_weeks",
    ),
    Plant(
        "poison-message-loops",
        Kind.UNBOUNDED,
        "A message that fails is tried a thousand times.",
        (Edit(_TEMPLATE, "maxReceiveCount: 5", "maxReceiveCount: 1000"),),
        _RESOURCES,
        "test_a_message_that_failed_five_times_is_kept_for_two_weeks",
    ),
    Plant(
        "message-visible-too-soon",
        Kind.TWICE,
        "A message comes back while the submitter is still at work on it.",
        (Edit(_TEMPLATE, "VisibilityTimeout: 360", "VisibilityTimeout: 30"),),
        _RESOURCES,
        "test_a_message_stays_hidden_for_six_times_the_submitters_timeout",
    ),
    Plant(
        "batch-failures-not-asked-for",
        Kind.TOO_SOON,
        "Lambda does not look at which messages the submitter wants again, and deletes all.",
        (
            Edit(
                _TEMPLATE,
                "            FunctionResponseTypes: [ReportBatchItemFailures]\n",
                "",
            ),
        ),
        _RESOURCES,
        "test_the_submitter_reports_each_failed_message_and_never_floods_runpod",
    ),
    Plant(
        "submitters-without-bound",
        Kind.UNBOUNDED,
        "As many submitters as the account allows send to RunPod at once.",
        (
            Edit(
                _TEMPLATE,
                """            ScalingConfig:
              MaximumConcurrency: !FindInMap [SubmitterConcurrency, !Ref SubmitterMaxConcurrency, Maximum]
""",
                "",
            ),
        ),
        _RESOURCES,
        "test_the_submitter_reports_each_failed_message_and_never_floods_runpod",
    ),
    Plant(
        "door-without-a-limit",
        Kind.TOO_WIDE,
        "Strangers may call the receiver as often as they like.",
        (
            Edit(
                _TEMPLATE,
                """      DefaultRouteSettings:
        ThrottlingRateLimit: !Ref CallbackRatePerSecond
        ThrottlingBurstLimit: !Ref CallbackBurstRequests
""",
                "",
            ),
        ),
        _RESOURCES,
        "test_strangers_cannot_flood_the_receiver",
    ),
    Plant(
        "wildcard-action",
        Kind.TOO_WIDE,
        "A role may do everything to what it needs to read.",
        (
            Edit(
                _TEMPLATE,
                """              - Sid: FindDue
                Effect: Allow
                Action: "dynamodb:Query\"""",
                """              - Sid: FindDue
                Effect: Allow
                Action: "dynamodb:*\"""",
            ),
        ),
        _PERMISSIONS,
        "test_a_role_allows_what_its_function_does_and_nothing_else",
    ),
    Plant(
        "prefix-not-respected",
        Kind.TOO_WIDE,
        "The submitter may read a given bucket outside its prefix.",
        (
            Edit(
                _TEMPLATE,
                '"${BucketArn}/${InputPrefix}*"',
                '"${BucketArn}/*"',
            ),
        ),
        _PERMISSIONS,
        "test_given_buckets_are_opened_no_wider_than_their_prefixes",
    ),
    Plant(
        "dead-letters-not-seen",
        Kind.TOO_LATE,
        "The alarm counts messages sent to the dead letter queue, which those that SQS moves are not.",
        (
            Edit(
                _TEMPLATE,
                "MetricName: ApproximateNumberOfMessagesVisible",
                "MetricName: NumberOfMessagesSent",
            ),
        ),
        _RESOURCES,
        "test_the_alarms_watch_what_can_lose_a_job",
    ),
    Plant(
        "silent-sweeper-not-seen",
        Kind.TOO_LATE,
        "A sweeper that does not run sends no figures, and the alarm takes none for good.",
        (
            Edit(
                _TEMPLATE,
                "      TreatMissingData: breaching",
                "      TreatMissingData: notBreaching",
            ),
        ),
        _RESOURCES,
        "test_a_sweeper_that_does_not_run_raises_the_alarm_although_it_sends_no_figures",
    ),
    Plant(
        "notes-kept-for-ever",
        Kind.UNBOUNDED,
        "The texts between a transcript and its summary are never deleted.",
        (
            Edit(
                _TEMPLATE,
                """            Prefix: work/
            ExpirationInDays: 7
""",
                """            Prefix: works/
            ExpirationInDays: 7
""",
            ),
        ),
        _RESOURCES,
        "test_the_texts_between_a_transcript_and_its_summary_expire",
    ),
)
