"""`conn.k8s.pod.*`: known to the language, always empty here (language spec, section 3.6)."""

from __future__ import annotations

from policy.cel.types import STRING, MapType, ObjectType
from policy.variables.lazy import variable

METADATA = ObjectType(
    "pod_metadata",
    {
        "name": STRING,
        "namespace": STRING,
        "annotations": MapType(STRING, STRING, missing=""),
        "error_code": STRING,
        "error_message": STRING,
    },
)


class PodMetadata:
    """The pod that nobody told us of."""

    name = ""
    namespace = ""
    annotations: dict[str, str] = {}  # noqa: RUF012 - never written
    error_code = ""
    error_message = ""


class PodVariables:
    """Identity of a Kubernetes pod; the reference product fills it, a proxy of its own can't."""

    @variable("conn.k8s.pod.id", STRING, "Pod id; always empty.")
    def conn_k8s_pod_id(self) -> str:
        return ""

    @variable("conn.k8s.pod.metadata", METADATA, "Pod metadata; always empty.")
    def conn_k8s_pod_metadata(self) -> PodMetadata:
        return PodMetadata()
