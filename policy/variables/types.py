"""The types that several variables share."""

from __future__ import annotations

from policy.cel.types import (
    BOOL,
    DURATION,
    STRING,
    TIMESTAMP,
    ListType,
    MapType,
    NullableType,
    ObjectType,
)
from policy.cookies import ABSENT

STRINGS = ListType(STRING, missing="")
FIELD_MAP = MapType(STRING, STRINGS, missing=(), folded=True)
PARAMETER_MAP = MapType(STRING, STRING, missing="")
COOKIE = ObjectType(
    "cookie",
    {
        "name": STRING,
        "value": STRING,
        "domain": STRING,
        "path": STRING,
        "same_site": STRING,
        "secure": BOOL,
        "http_only": BOOL,
        "expires": NullableType(TIMESTAMP),
        "max_age": DURATION,
        "unparsed_attributes": MapType(STRING, STRING, missing=""),
    },
)
COOKIE_MAP = MapType(STRING, ListType(COOKIE, missing=ABSENT), missing=())
