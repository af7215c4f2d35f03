"""Uploads of Italian tax documents as PDF, with a question about them."""

from include.loadtest.scenarios.checks import check_upload
from include.loadtest.scenarios.documents import DOCUMENT_KINDS, UPLOAD_QUESTION, multipart
from include.locustfiles.call import Call, Reply
from include.locustfiles.user_context import UserContext


def next_call(user: UserContext) -> Call:
    """Upload one document; each kind is equally likely."""
    body, content_type = multipart(user.draws.pick(DOCUMENT_KINDS), UPLOAD_QUESTION)
    return Call(
        "document_upload",
        "POST",
        "/documents/upload",
        _check,
        body=body,
        headers={"Content-Type": content_type},
    )


def _check(reply: Reply) -> str | None:
    return check_upload(reply.json(), files=1)
