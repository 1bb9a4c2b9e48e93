"""Deploys a build to the emulator's CloudFormation, as `sam deploy` does: code to S3, then the template."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local.stack.build import functions_of
from local.stack.processes import StackError
from local.waiting import wait_for

STACK_NAME = "summaries-local"  # as in samconfig.toml
_ARTIFACTS = "local-artifacts"  # the bucket that CloudFormation takes everything from
_POLL_SECONDS = 0.05
_LONGEST_SECONDS = 300.0  # 2 s on an idle machine
_NO_UPDATES = "No updates are to be performed"


def deploy(
    session: boto3.Session,
    build: Path,
    *,
    endpoint_url: str,
    parameters: Mapping[str, str],
    stack_name: str = STACK_NAME,
) -> None:
    """Create or update a stack, and wait for it. Raises StackError."""
    with (
        closing(session.client("s3", endpoint_url=endpoint_url)) as s3,
        closing(session.client("cloudformation", endpoint_url=endpoint_url)) as cloudformation,
    ):
        s3.create_bucket(Bucket=_ARTIFACTS)
        key = _packaged(s3, build, stack_name)
        request = {
            "StackName": stack_name,
            "TemplateURL": f"{endpoint_url}/{_ARTIFACTS}/{key}",
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        try:
            _start(cloudformation, stack_name, request)
        except ClientError as exc:
            told = exc.response["Error"]["Message"]
            if _NO_UPDATES not in told:
                raise StackError(f"CloudFormation does not take the template: {told}") from None
        _wait(cloudformation, stack_name)


def _packaged(s3: Any, build: Path, stack_name: str) -> str:
    """Put the code into S3, then the template that names it; return the template's key."""
    template = json.loads((build / "template.yaml").read_text(encoding="utf-8"))
    for name in functions_of(template):
        archive = _zipped(build / name)
        # Named by what is in it: other code has to look like an update.
        key = f"{hashlib.sha256(archive).hexdigest()}.zip"
        s3.put_object(Bucket=_ARTIFACTS, Key=key, Body=archive)
        template["Resources"][name]["Properties"]["CodeUri"] = f"s3://{_ARTIFACTS}/{key}"
    key = f"{stack_name}.json"
    s3.put_object(Bucket=_ARTIFACTS, Key=key, Body=json.dumps(template).encode())
    return key


def _zipped(folder: Path) -> bytes:
    """Return an archive of a folder, the same for the same files; it goes no farther than this machine."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as zipped:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            zipped.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return archive.getvalue()


def _start(cloudformation: Any, stack_name: str, request: Mapping[str, Any]) -> None:
    if _stack(cloudformation, stack_name):
        cloudformation.update_stack(**request)
    else:
        cloudformation.create_stack(**request)


def _stack(cloudformation: Any, stack_name: str) -> dict[str, Any] | None:
    try:
        described = cloudformation.describe_stacks(StackName=stack_name)
    except ClientError:  # there is none of this name
        return None
    return dict(described["Stacks"][0])


def _wait(cloudformation: Any, stack_name: str) -> None:
    def ended() -> str | None:
        state = str((_stack(cloudformation, stack_name) or {}).get("StackStatus", ""))
        return None if state.endswith("_IN_PROGRESS") else state

    state = wait_for(
        ended,
        what=f"the deployment of {stack_name}",
        timeout_seconds=_LONGEST_SECONDS,
        every_seconds=_POLL_SECONDS,
    )
    if state not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
        reasons = [
            f"{each['LogicalResourceId']}: {each['ResourceStatusReason']}"
            for each in events
            if each["ResourceStatus"].endswith("_FAILED") and each.get("ResourceStatusReason")
        ]
        raise StackError("\n".join([f"stack {stack_name} is {state}.", *reversed(reasons)]))
