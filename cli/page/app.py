"""Requests to answers: routes, who may ask, errors as JSON, and the page's own files."""

import hashlib
import json
import mimetypes
import traceback
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from botocore.exceptions import BotoCoreError, ClientError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from cli.operating.desk import LOCAL, Desk, NoSuchJob, explained
from cli.operating.get import FORMATS, NoSummary
from cli.page import api, changes
from cli.page.guard import SECURITY_HEADERS, Guard, Refusal
from core.errors import PipelineError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_ROUTES = Map(
    [
        Rule("/", endpoint="page", methods=["GET"]),
        Rule("/jobs/<name>", endpoint="page", methods=["GET"]),
        Rule("/jobs/<name>/timeline", endpoint="page", methods=["GET"]),
        Rule("/static/<name>", endpoint="static", methods=["GET"]),
        Rule("/api/stack", endpoint="stack", methods=["GET"]),
        Rule("/api/status", endpoint="status", methods=["GET"]),
        Rule("/api/jobs", endpoint="jobs", methods=["GET"]),
        Rule("/api/jobs/<name>", endpoint="job", methods=["GET"]),
        Rule("/api/jobs/<name>/summary", endpoint="summary", methods=["GET"]),
        Rule("/api/jobs/<name>/export/<form>", endpoint="export", methods=["GET"]),
        Rule("/api/jobs/<name>/retry", endpoint="retry", methods=["POST"]),
        Rule("/api/jobs/<name>/cancel", endpoint="cancel", methods=["POST"]),
        Rule("/api/reading", endpoint="reading", methods=["POST"]),
        Rule("/api/uploads", endpoint="upload", methods=["POST"]),
    ]
)
_NOT_FOUND = Refusal(404, "not-found", "there is nothing here")


class PageApp:
    """A WSGI application for one stack."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        self._answers: dict[str, Callable[..., Response]] = {
            "page": self._page,
            "static": self._static,
            "stack": lambda request: _document(request, api.stack(desk)),
            "status": lambda request: _document(request, api.status(desk)),
            "jobs": lambda request: _document(request, api.jobs(desk, request.args)),
            "job": lambda request, name: _document(request, api.job(desk, name)),
            "summary": lambda request, name: _document(request, api.summary(desk, name)),
            "export": self._export,
            "retry": lambda request, name: _json(changes.retry(desk, name, request.args)),
            "cancel": lambda request, name: _json(changes.cancel(desk, name, request.args)),
            "reading": lambda request: _json(changes.read(desk, request)),
            "upload": lambda request: _json(changes.upload(desk, request), 201),
        }

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        response = self._answer(Request(environ))
        response.headers.extend(SECURITY_HEADERS)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        needs_token = request.path.startswith("/api/")
        refusal = self._guard.refusal(request.headers, needs_token=needs_token)
        if refusal:
            return _error(refusal)
        try:
            endpoint, given = _ROUTES.bind_to_environ(request.environ).match()
            return self._answers[endpoint](request, **given)
        except Exception as exc:
            return _error(self._refusal(exc))

    def _refusal(self, exc: Exception) -> Refusal:
        match exc:
            case NoSuchJob():
                return Refusal(404, "no-such-job", exc.message)
            case NoSummary():
                return Refusal(404, "no-summary", exc.message)
            case changes.Conflicts():
                return Refusal(409, "is-there", exc.message)
            case click.ClickException():
                return Refusal(400, "not-understood", exc.message)
            case PipelineError():
                return Refusal(502, "refused", str(exc))
            case ClientError() | BotoCoreError():
                stack = LOCAL if self._desk.deployment.is_local else ""
                return Refusal(502, "aws", explained(exc, stack))
            case MethodNotAllowed():
                return Refusal(405, "not-allowed", "this can't be asked in this way")
            case HTTPException():
                status = exc.code or 500
                code = {404: "not-found", 411: "no-length", 413: "too-large"}.get(status, "refused")
                return Refusal(status, code, exc.description or "this was refused")
            case _:
                return _of_a_bug(exc)

    def _page(self, request: Request, name: str = "") -> Response:  # noqa: ARG002 - a route's part
        return self._static(request, "index.html")

    def _static(self, request: Request, name: str) -> Response:
        if name not in _files():
            return _error(_NOT_FOUND)
        body, kind = _files()[name]
        return _with_tag(request, Response(body, content_type=kind))

    def _export(self, request: Request, name: str, form: str) -> Response:
        if form not in FORMATS:
            return _error(_NOT_FOUND)
        file_name, body = api.export(self._desk, name, form)
        response = Response(body, content_type="application/octet-stream")
        response.headers.set("Content-Disposition", "attachment", filename=file_name)
        return _with_tag(request, response)


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Return the page's files, by their names: no path reaches any other."""
    return {
        path.name: (path.read_bytes(), f"{_type_of(path)}; charset=utf-8")
        for path in _STATIC.iterdir()
        if path.is_file()
    }


def _type_of(path: Path) -> str:
    return _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"


def _document(request: Request, fields: dict[str, Any]) -> Response:
    return _with_tag(request, _json(fields))


def _json(fields: dict[str, Any], status: int = 200) -> Response:
    body = json.dumps(fields, ensure_ascii=False, default=str)
    return Response(body, status=status, content_type="application/json; charset=utf-8")


def _with_tag(request: Request, response: Response) -> Response:
    """Return an answer with its ETag, or 304 to who has it already."""
    tag = hashlib.sha256(response.get_data()).hexdigest()[:32]
    response.set_etag(tag)
    response.headers["Cache-Control"] = "no-cache"
    return response.make_conditional(request.environ)


def _error(refusal: Refusal) -> Response:
    return _json({"error": {"code": refusal.code, "message": refusal.message}}, refusal.status)


def _of_a_bug(exc: Exception) -> Refusal:
    """Say where it happened, in the terminal; what an exception says may hold words of a transcript."""
    at = traceback.extract_tb(exc.__traceback__)[-1]
    what = f"{type(exc).__name__} at {Path(at.filename).name}:{at.lineno}"
    click.echo(f"The page could not answer: {what}", err=True)
    return Refusal(500, "bug", f"the page could not answer ({what}); this is a fault of its own")
