"""Whether what is deployed is this checkout's."""

import io
import zipfile
from pathlib import Path

import yaml

from cli.doctor.templates import differing_files, differing_parts, of_checkout

SHORT = """
Resources: # how we write it
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {Days: 30, Name: !Sub "${AWS::StackName}-t", Arn: !GetAtt Queue.Arn, On: true}
  Function:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: ., Role: !Ref Role}
"""
LONG = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      Days: '30'
      Name: {Fn::Sub: '${AWS::StackName}-t'}
      Arn: {Fn::GetAtt: [Queue, Arn]}
      On: true
  Function:
    Type: AWS::Serverless::Function
    Metadata: {SamResourceId: Function}
    Properties: {CodeUri: 's3://b/k', Role: {Ref: Role}}
"""


def archive(files: dict[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
    return held.getvalue()


def checkout(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


class TestTemplates:
    def test_as_sam_writes_it_a_template_is_the_same(self) -> None:
        assert differing_parts(LONG, SHORT) == ()

    def test_a_template_that_aws_returns_as_an_object_is_read_too(self) -> None:
        assert differing_parts(yaml.safe_load(LONG), SHORT) == ()

    def test_what_differs_is_named(self) -> None:
        assert differing_parts(LONG.replace("30", "60"), SHORT) == ("Table",)

    def test_what_only_one_of_them_has_is_named(self) -> None:
        newer = SHORT + "  Alarm: {Type: AWS::CloudWatch::Alarm}\n"

        assert differing_parts(LONG, newer) == ("Alarm",)

    def test_our_own_template_is_like_itself(self) -> None:
        assert differing_parts(of_checkout(), of_checkout()) == ()


class TestCode:
    def test_the_same_files_are_no_difference_whatever_else_is_in_the_archive(
        self, tmp_path: Path
    ) -> None:
        ours = {"core/a.py": "1", "submitter/app.py": "2"}

        found = differing_files(
            archive({**ours, "requests/api.py": "x"}), checkout(tmp_path, {**ours, "cli/b.py": "3"})
        )

        assert found == ()

    def test_changed_new_and_removed_files_are_named(self, tmp_path: Path) -> None:
        deployed = archive({"core/a.py": "old", "core/gone.py": "1"})

        found = differing_files(deployed, checkout(tmp_path, {"core/a.py": "new", "core/b.py": ""}))

        assert found == ("core/a.py", "core/b.py", "core/gone.py")
