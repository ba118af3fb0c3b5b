"""Somebody with a browser that only knows links, forms and cookies."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import aiohttp

NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
MAX_STEPS = 15


class Visitor:
    """Follows redirects, and logs in where a provider asks who it is."""

    def __init__(self, name: str = "alice") -> None:
        self.name = name
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.steps: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.session.close()

    async def open(self, url: str) -> tuple[int, str, str]:
        """Open a page as a person would; return its status, its text and where it is."""
        self.steps = [url]
        method, form = "GET", None
        for _ in range(MAX_STEPS):
            async with self.session.request(
                method, url, data=form, allow_redirects=False, headers=NAVIGATION
            ) as answer:
                text = await answer.text()
                status, location = answer.status, answer.headers.get("Location")
            if location is not None:
                url, method, form = urljoin(url, location), "GET", None
            elif '"prompt"' in text:
                # The provider's own page, which wants a name or an agreement.
                found = re.search(r'action="([^"]+)"', text)
                prompt = re.search(r'name="prompt" value="(\w+)"', text)
                assert found is not None
                assert prompt is not None
                url, method = urljoin(url, found[1]), "POST"
                form = {"prompt": prompt[1]}
                if prompt[1] == "login":
                    form |= {"login": self.name, "password": "any"}
            elif 'name="xsrf"' in text:
                found = re.search(r'action="([^"]+)"', text)
                secret = re.search(r'name="xsrf" value="([^"]+)"', text)
                assert found is not None
                assert secret is not None
                url, method = urljoin(url, found[1]), "POST"
                form = {"xsrf": secret[1], "logout": "yes"}
            else:
                return status, text, url
            self.steps.append(url)
        raise AssertionError(f"going in circles: {self.steps}")

    async def status(self, url: str) -> int:
        """Ask for something as a script would."""
        headers = {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}
        async with self.session.get(url, allow_redirects=False, headers=headers) as answer:
            await answer.read()
            return answer.status
