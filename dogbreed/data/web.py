"""Requests that stay within http and https."""

from __future__ import annotations

import http.client
from typing import IO
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlsplit


class _WebRedirects(request.HTTPRedirectHandler):
    """Follows redirects within http and https, and never from https down to http."""

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> request.Request | None:
        new = urlsplit(newurl).scheme
        if new not in ("http", "https") or (req.type, new) == ("https", "http"):
            raise HTTPError(newurl, code, f"a redirect to {newurl}, which is not followed", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def web_opener() -> request.OpenerDirector:
    """Build an opener that knows no other scheme than http and https."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.UnknownHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        _WebRedirects,
        request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener
