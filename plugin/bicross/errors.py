"""Every error that bicross raises on purpose.

    BicrossError
    ├── UsageError                     the command was called wrongly            exit 2
    │   └── ClusterConflict            the cluster holds something else
    ├── EnvironmentProblem             a package, Java, a port, a cluster        exit 5
    ├── DocumentsFailed                some documents were not indexed           exit 1
    ├── GateFailed, FlatSample         the export is not proven                  exit 3
    ├── BundleError                    a bundle or model cannot be used          exit 4
    │   ├── ManifestError              InvalidManifest, UnsupportedFormatVersion, MissingFile,
    │   │                              SizeMismatch, DigestMismatch, UnsafePath, NotARegularFile,
    │   │                              ForbiddenFileType, UnsafeGraph
    │   ├── GoldenMismatch             wrong numbers on this machine
    │   └── UnsupportedArchitecture, RemoteCodeRefused, PickleRefused
    └── RequestError                   a request to the server is refused        HTTP status
        ├── InvalidRequest, InvalidJson, UnsupportedMediaType, RouteNotFound, MethodNotAllowed
        ├── BodyTooLarge, TooManyInputs, TextTooLarge, TextTooLong, QueryTooLong
        ├── InvalidApiKey, ModelNotFound, WrongTask
        └── Overloaded, NotReady, ShuttingDown, DeadlineExceeded, ModelFailed

Each class's `code` is a row of plugin/protocol/errors.json, which the node's plugin shares; that
file gives its type, status and exit status. A message says what was found, what is allowed, and
what to do; it may hold values and names, never a passage, a query or a key.
"""


class BicrossError(Exception):
    """The root: catch it to catch everything that bicross raises on purpose."""

    code: str
    exit_status: int = 1


class UsageError(BicrossError):
    code = "usage"
    exit_status = 2


class ClusterConflict(UsageError):
    code = "cluster_conflict"


class EnvironmentProblem(BicrossError):
    code = "environment"
    exit_status = 5


class DocumentsFailed(BicrossError):
    code = "documents_failed"
    exit_status = 1


class GateFailed(BicrossError):
    """`case` tells the worst case with texts of the user's sample: for a terminal, never a log."""

    code = "gate_failed"
    exit_status = 3

    def __init__(self, message: str, *, case: str = "") -> None:
        super().__init__(message)
        self.case = case


class FlatSample(BicrossError):
    code = "flat_sample"
    exit_status = 3


class BundleError(BicrossError):
    exit_status = 4


class ManifestError(BundleError):
    """The folder is not a bundle that may be loaded."""


class InvalidManifest(ManifestError):
    code = "invalid_manifest"


class UnsupportedFormatVersion(ManifestError):
    code = "unsupported_format_version"


class MissingFile(ManifestError):
    code = "missing_file"


class SizeMismatch(ManifestError):
    code = "size_mismatch"


class DigestMismatch(ManifestError):
    code = "digest_mismatch"


class UnsafePath(ManifestError):
    code = "unsafe_path"


class NotARegularFile(ManifestError):
    code = "not_a_regular_file"


class ForbiddenFileType(ManifestError):
    code = "forbidden_file_type"


class UnsafeGraph(ManifestError):
    code = "unsafe_graph"


class GoldenMismatch(BundleError):
    code = "golden_mismatch"


class UnsupportedArchitecture(BundleError):
    code = "unsupported_architecture"


class RemoteCodeRefused(BundleError):
    code = "remote_code_refused"


class PickleRefused(BundleError):
    code = "pickle_refused"


class RequestError(BicrossError):
    """A request that the server refuses.

    `param` names the field, as `input[3]`; `retry_after_s` is set where sending again may help.
    """

    type: str = "invalid_request_error"
    status: int = 400

    def __init__(
        self, message: str, *, param: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s


class InvalidRequest(RequestError):
    code = "invalid_request"


class InvalidJson(RequestError):
    code = "invalid_json"


class UnsupportedMediaType(RequestError):
    code = "unsupported_media_type"
    status = 415


class RouteNotFound(RequestError):
    code = "route_not_found"
    status = 404


class MethodNotAllowed(RequestError):
    code = "method_not_allowed"
    status = 405


class BodyTooLarge(RequestError):
    code = "body_too_large"
    status = 413


class TooManyInputs(RequestError):
    code = "too_many_inputs"
    status = 413


class TextTooLarge(RequestError):
    code = "text_too_large"
    status = 413


class TextTooLong(RequestError):
    code = "text_too_long"


class QueryTooLong(RequestError):
    code = "query_too_long"


class InvalidApiKey(RequestError):
    code = "invalid_api_key"
    type = "authentication_error"
    status = 401


class ModelNotFound(RequestError):
    code = "model_not_found"
    status = 404


class WrongTask(RequestError):
    code = "wrong_task"


class Overloaded(RequestError):
    code = "overloaded"
    type = "overloaded_error"
    status = 429


class NotReady(RequestError):
    code = "not_ready"
    type = "unavailable_error"
    status = 503


class ShuttingDown(RequestError):
    code = "shutting_down"
    type = "unavailable_error"
    status = 503


class DeadlineExceeded(RequestError):
    code = "deadline_exceeded"
    type = "timeout_error"
    status = 504


class ModelFailed(RequestError):
    code = "model_failed"
    type = "server_error"
    status = 500
