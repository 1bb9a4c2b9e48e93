"""What is read from AWS; each method is one reading."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from cli.deployment import Deployment
from cli.doctor import templates
from cli.doctor.buckets import bucket_as_it_is, key_as_it_is
from cli.doctor.readings import (
    RECEIVER,
    SUBMITTER,
    SWEEPER,
    Bucket,
    Concurrency,
    Function,
    Jobs,
    Rule,
    Schedule,
    Stack,
    Ttl,
)
from core.aws.job_index import JobIndex
from core.aws.secrets import ManagedCallbackSecrets, SecretReader
from core.errors import SecretUnusable
from core.jobs.job import JobState

_FUNCTIONS = {
    SUBMITTER: "SubmitterFunction",
    RECEIVER: "WebhookReceiverFunction",
    SWEEPER: "SweeperFunction",
}
_SERVICES = (
    "cloudformation", "dynamodb", "events", "kms", "lambda", "s3", "scheduler", "secretsmanager", "sns",
    "sqs",
)  # fmt: skip
_GONE = frozenset({"ResourceNotFoundException", "NotFoundException"})
_ENDED = (JobState.SUCCEEDED, JobState.FAILED)
Note = Callable[[str, str], None]  # whom, Date header


class Unreadable(Exception):
    """Something can't be read; the text says why, and holds no secret."""


class Account:
    def __init__(self, deployment: Deployment, note: Note) -> None:
        self.deployment = deployment
        self._outputs = deployment.outputs
        self._note = note
        self._code_url = ""
        # Made here, one after the other: a session must not make clients in several threads.
        self._clients = {service: deployment.client(service) for service in _SERVICES}

    def stack(self) -> Stack:
        formation, name = self._clients["cloudformation"], self.deployment.stack_name
        answer = formation.describe_stacks(StackName=name)
        self._note("AWS", answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))
        (stack,) = answer["Stacks"]
        pages = formation.get_paginator("list_stack_resources").paginate(StackName=name)
        return Stack(
            name=name,
            region=formation.meta.region_name,
            status=stack["StackStatus"],
            parameters={
                each["ParameterKey"]: each.get("ParameterValue", "")
                for each in stack.get("Parameters", [])
            },
            outputs=self._outputs,
            resources={
                each["LogicalResourceId"]: each.get("PhysicalResourceId", "")
                for page in pages
                for each in page["StackResourceSummaries"]
            },
        )

    def functions(self) -> Mapping[str, Function]:
        return {part: self._function(output) for part, output in _FUNCTIONS.items()}

    def feed(self) -> str | None:
        return self._state_of_feed(self._outputs[_FUNCTIONS[SUBMITTER]], self.queue_arn())

    def notice_feed(self, stack: Stack) -> str | None:
        if "NotifierFunction" not in stack.resources:
            raise Unreadable("the stack is older than notices: deploy again")
        table = self._outputs["JobsTable"]
        return self._state_of_feed(stack.resources["NotifierFunction"], f":table/{table}/stream/")

    def queue_arn(self) -> str:
        return self._queue("UploadQueueUrl", "QueueArn")

    def dead_letters(self) -> int:
        return int(self._queue("UploadDeadLetterQueueUrl", "ApproximateNumberOfMessages"))

    def dead_notices(self, stack: Stack) -> int:
        if "NoticeDeadEnd" not in stack.resources:
            raise Unreadable("the stack is older than notices: deploy again")
        return int(self._queue("NoticeDeadEndUrl", "ApproximateNumberOfMessages"))

    def bucket(self, output: str) -> Bucket:
        return bucket_as_it_is(self._clients["s3"], self._clients["kms"], self._outputs[output])

    def key_state(self, stack: Stack) -> str:
        """Return the state of KmsKeyArn; "" where there is none, or it can't be seen."""
        return key_as_it_is(self._clients["kms"], stack.parameters.get("KmsKeyArn", "")).state

    def upload_rule(self, stack: Stack) -> Rule | None:
        if stack.owns_input or "UploadRule" not in stack.resources:
            return None
        events, name = self._clients["events"], stack.resources["UploadRule"].rsplit("/", 1)[-1]
        try:
            rule = events.describe_rule(Name=name)
        except ClientError as exc:
            if exc.response["Error"]["Code"] in _GONE:
                return None
            raise
        pattern = json.loads(rule.get("EventPattern") or "{}")
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
        return Rule(
            state=rule.get("State", ""),
            buckets=tuple(pattern.get("detail", {}).get("bucket", {}).get("name", ())),
            targets=tuple(each["Arn"] for each in targets),
        )

    def schedule(self, stack: Stack) -> Schedule | None:
        name = stack.resources.get("SweepSchedule", "").rsplit("/", 1)[-1]
        if not name:
            return None
        try:
            found = self._clients["scheduler"].get_schedule(Name=name)
        except ClientError as exc:
            if exc.response["Error"]["Code"] in _GONE:
                return None
            raise
        return Schedule(
            state=found["State"],
            expression=found["ScheduleExpression"],
            target=found["Target"]["Arn"],
        )

    def subscriptions(self, stack: Stack, topic_name: str) -> Mapping[str, bool]:
        topic = stack.resources.get(topic_name)
        if not topic:
            return {}
        sns = self._clients["sns"]
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        return {
            each["Endpoint"]: self._is_confirmed(each["SubscriptionArn"])
            for page in pages
            for each in page["Subscriptions"]
        }

    def ttl(self) -> Ttl:
        table = self._outputs["JobsTable"]
        told = self._clients["dynamodb"].describe_time_to_live(TableName=table)
        found = told["TimeToLiveDescription"]
        return Ttl(
            status=found.get("TimeToLiveStatus", ""), attribute=found.get("AttributeName", "")
        )

    def jobs(self) -> Jobs:
        index = JobIndex(self._clients["dynamodb"], self._outputs["JobsTable"])
        oldest = [next(index.jobs(each, oldest_first=True, page_size=1), None) for each in _ENDED]
        newest = [next(index.jobs(each, page_size=1), None) for each in JobState]
        return Jobs(
            oldest_ended_at=min((job.created_at for job in oldest if job), default=None),
            newest_at=max((job.created_at for job in newest if job), default=None),
            read_at=datetime.now(UTC),
        )

    def concurrency(self) -> Concurrency:
        limit = self._clients["lambda"].get_account_settings()["AccountLimit"]
        return Concurrency(
            limit=limit["ConcurrentExecutions"],
            unreserved=limit["UnreservedConcurrentExecutions"],
        )

    def template_differences(self) -> tuple[str, ...]:
        deployed = self._clients["cloudformation"].get_template(
            StackName=self.deployment.stack_name, TemplateStage="Original"
        )
        return templates.differing_parts(deployed["TemplateBody"], templates.of_checkout())

    def code_differences(self) -> tuple[str, ...]:
        if not self._code_url:
            raise Unreadable("AWS gave no address of the submitter's code")
        return templates.differing_files(templates.fetched_code(self._code_url))

    def callback_secret(self, functions: Mapping[str, Function]) -> str:
        name = functions[RECEIVER].environment.get("CALLBACK_SECRET", "")
        try:
            ManagedCallbackSecrets(SecretReader(self._clients["secretsmanager"], name)).current()
        except SecretUnusable as exc:
            return str(exc)
        return ""

    def secret(self, name: str) -> tuple[str, str]:
        """Return a secret's value, and what is wrong where there is none. The value is not a reading."""
        try:
            answer = self._clients["secretsmanager"].get_secret_value(SecretId=name)
        except ClientError as exc:
            match exc.response["Error"]["Code"]:
                case "ResourceNotFoundException":
                    return "", "does not exist, or has no value"
                case "InvalidRequestException":
                    return "", "is marked for deletion"
            raise
        return str(answer.get("SecretString", "")).strip(), ""

    def _function(self, output: str) -> Function:
        name = self._outputs[output]
        found = self._clients["lambda"].get_function(FunctionName=name)
        settings = found["Configuration"]
        if output == _FUNCTIONS[SUBMITTER]:
            self._code_url = found.get("Code", {}).get("Location", "")
        return Function(
            name=name,
            environment=settings.get("Environment", {}).get("Variables", {}),
            state=settings.get("State", "Active"),
            last_update=settings.get("LastUpdateStatus", "Successful"),
            reserved_concurrency=found.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        )

    def _state_of_feed(self, function: str, source: str) -> str | None:
        """Return the state of what feeds a function from a source, named by its ARN or a part of it."""
        listed = self._clients["lambda"].list_event_source_mappings(FunctionName=function)
        states = [
            each.get("State", "")
            for each in listed["EventSourceMappings"]
            if source in each.get("EventSourceArn", "")
        ]
        return str(states[0]) if states else None

    def _queue(self, output: str, attribute: str) -> str:
        told = self._clients["sqs"].get_queue_attributes(
            QueueUrl=self._outputs[output], AttributeNames=[attribute]
        )
        return str(told["Attributes"][attribute])

    def _is_confirmed(self, subscription: str) -> bool:
        if not subscription.startswith("arn:"):  # PendingConfirmation, Deleted
            return False
        told = self._clients["sns"].get_subscription_attributes(SubscriptionArn=subscription)
        return bool(told["Attributes"].get("PendingConfirmation", "false") != "true")
