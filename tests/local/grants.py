"""The roles as they were deployed: what each grants, and what its function is refused without it."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3

from cli.deployment import Deployment
from local.stack.emulator import ACCOUNT, REGION
from local.stack.stack import API_KEY_SECRET, local_session

FUNCTIONS = ("SubmitterFunction", "WebhookReceiverFunction", "SweeperFunction")

_REFUSED = re.compile(r"assumed-role/([\w-]+)/[\w-]+ is not authorized to perform: ([\w:]+)")
# An answer to HEAD has no body that could say what was not allowed.
_HEAD_REFUSED = "An error occurred (403) when calling the HeadObject operation"
# What a secret's reader makes of a refusal: its own words, in which calls are held too.
_SECRET_REFUSED = re.compile(r"secret \S+ can't be read: .*\(AccessDeniedException\)")
GET_SECRET = "secretsmanager:GetSecretValue"


@dataclass(frozen=True, order=True)
class Grant:
    action: str
    on: str  # a resource by its part in the stack, as `table/index/due`

    def __str__(self) -> str:
        return f"{self.action} on {self.on}"


_OWN_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}


@dataclass(frozen=True)
class Role:
    """A role of a deployment, with the one policy that the template gives it."""

    deployment: Deployment
    name: str
    parts: Mapping[str, str]  # ARN to the part's name

    @cached_property
    def arns(self) -> dict[Grant, str]:
        """Each single grant, and the ARN that it is written with."""
        found = {}
        for statement in self._document["Statement"]:
            assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}, (
                statement
            )
            assert statement["Effect"] == "Allow"
            assert statement.get("Condition", _OWN_ACCOUNT) == _OWN_ACCOUNT, statement
            for action in _listed(statement["Action"]):
                for arn in _listed(statement["Resource"]):
                    found[Grant(action, self._part(arn))] = arn
        return found

    @contextmanager
    def without(self, *grants: Grant) -> Iterator[None]:
        """The role less some of its grants, for a while."""
        less = [
            {"Effect": "Allow", "Action": each.action, "Resource": arn}
            for each, arn in self.arns.items()
            if each not in grants
        ]
        assert len(less) == len(self.arns) - len(grants), f"{self.name} lacks one of {grants}"
        whole = self._document
        self._put(whole | {"Statement": less})
        try:
            yield
        finally:
            self._put(whole)

    @cached_property
    def _document(self) -> dict[str, Any]:
        [policy] = self._iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        assert not self._iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]
        found = self._iam.get_role_policy(RoleName=self.name, PolicyName=policy)
        return dict(found["PolicyDocument"])

    def _put(self, document: Mapping[str, Any]) -> None:
        [policy] = self._iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        self._iam.put_role_policy(
            RoleName=self.name, PolicyName=policy, PolicyDocument=json.dumps(document)
        )

    def session(self) -> boto3.Session:
        """Be the role, as its function is."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/{self.name}"
        assumed = self.deployment.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
        given = assumed["Credentials"]
        return local_session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    @property
    def _iam(self) -> Any:
        return self.deployment.client("iam")

    def _part(self, arn: str) -> str:
        for beginning, name in self.parts.items():
            rest = arn.removeprefix(beginning)
            if rest != arn and (not rest or rest[0] in "/:"):
                return name + rest
        return arn


class Refusals:
    """What a function's log says it was refused since this was made."""

    def __init__(self, deployment: Deployment, function: str) -> None:
        self._deployment = deployment
        self._function = function
        self._since_ms = int(time.time() * 1000)

    def actions(self, role: Role) -> set[str]:
        found = set()
        for line in self._deployment.logs(self._function, since_ms=self._since_ms):
            found |= {action for name, action in _REFUSED.findall(line) if name == role.name}
            if _HEAD_REFUSED in line:
                found.add("s3:GetObject")
            if _SECRET_REFUSED.search(line):
                found.add(GET_SECRET)
        return found


def role_of(deployment: Deployment, function: str) -> Role:
    """Return the role of a function, named by the stack output that names the function."""
    name = deployment.outputs[function]
    configuration = deployment.client("lambda").get_function_configuration(FunctionName=name)
    return _role(deployment, configuration["Role"], {_log_group(name): "log"})


def role_of_schedule(deployment: Deployment) -> Role:
    target = sweep_schedule(deployment)["Target"]
    return _role(deployment, target["RoleArn"], {target["Arn"]: "sweeper"})


def sweep_schedule(deployment: Deployment) -> dict[str, Any]:
    scheduler = deployment.client("scheduler")
    stack_name = deployment.outputs["SweeperFunction"].removesuffix("-sweeper")
    [listed] = scheduler.list_schedules(NamePrefix=f"{stack_name}-")["Schedules"]
    return dict(scheduler.get_schedule(Name=listed["Name"]))


def forget_what_it_remembers(deployment: Deployment, function: str) -> None:
    """Give a function a new execution environment, which has read no secret yet, and failed with none."""
    client, name = deployment.client("lambda"), deployment.outputs[function]
    timeout = client.get_function_configuration(FunctionName=name)["Timeout"]
    client.update_function_configuration(FunctionName=name, Timeout=timeout)


def _role(deployment: Deployment, arn: str, own: Mapping[str, str]) -> Role:
    outputs = deployment.outputs
    secrets = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
    queue_url = outputs["UploadQueueUrl"]
    parts = {
        f"arn:aws:s3:::{outputs['InputBucket']}": "input",
        f"arn:aws:s3:::{outputs['OutputBucket']}": "output",
        f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{outputs['JobsTable']}": "table",
        f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_url.rpartition('/')[2]}": "queue",
        outputs["CallbackSecret"]: "callback secret",
        f"{secrets}{API_KEY_SECRET}-??????": "runpod key",
    }
    return Role(deployment, arn.rpartition("/")[2], {**parts, **own})


def _log_group(function_name: str) -> str:
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{function_name}"


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
