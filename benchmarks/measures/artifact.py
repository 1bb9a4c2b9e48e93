"""The size of each function's artifact, zipped as it is uploaded.

python -m benchmarks artifact
"""

import tempfile
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.functions.artifacts import built, zipped


def figures() -> list[Figure]:
    told = []
    artifacts = built()
    with tempfile.TemporaryDirectory() as name:
        archive = Path(name) / "artifact.zip"
        for function, artifact in artifacts.artifacts.items():
            code = zipped(artifact, archive, leaving_out=".pyc")
            whole = zipped(artifact, archive)
            note = f"{code / 1e6:.2f} MB without its bytecode; boto3 is the runtime's own"
            told.append(
                Figure(group="Functions", name=f"artifact of {function}, zipped", value=whole / 1e6,
                       unit="MB", most=1.0, note=note)
            )  # fmt: skip
    return told
