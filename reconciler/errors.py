"""One family of exceptions: each has words for the user, a place, a hint and an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar, Protocol


class ExitCode(IntEnum):
    """The exit codes of the command line."""

    DONE = 0
    ERROR = 1
    PENDING = 2
    INVALID = 3
    REFUSED = 4
    INCOMPLETE = 5
    USAGE = 64


WORST_FIRST = (
    ExitCode.INCOMPLETE,
    ExitCode.REFUSED,
    ExitCode.INVALID,
    ExitCode.ERROR,
    ExitCode.USAGE,
    ExitCode.PENDING,
    ExitCode.DONE,
)
"""Every exit code: what several portals end with together is the first one of these."""


def worst(codes: Iterable[int]) -> ExitCode:
    """The code that several portals end with together; DONE for none of them."""
    return min(map(ExitCode, codes), key=WORST_FIRST.index, default=ExitCode.DONE)


def worst_of_applies(codes: Iterable[int], *, is_written: bool) -> ExitCode:
    """As `worst`, for applies. ERROR says that nothing was written: where something was, INCOMPLETE."""
    code = worst(codes)
    return ExitCode.INCOMPLETE if code is ExitCode.ERROR and is_written else code


def plural(count: int, noun: str) -> str:
    """`1 limit`, `2 limits`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def first_few(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


class Located(Protocol):
    """Anything that knows its file, line and column (counted from 1), such as `model.Place`.

    `end` is the column behind its last character, None where that is not known.
    """

    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def end(self) -> int | None: ...


class Severity(StrEnum):
    """Whether a diagnostic stops the run."""

    ERROR = "error"
    WARNING = "warning"


class DiagnosticCode(StrEnum):
    """Every code of a diagnostic, its subject first. They are public: SARIF's rule IDs."""

    API_VERSION_UNKNOWN = "api-version-unknown"
    CATEGORY_UNKNOWN = "category-unknown"
    CHARACTER_FORBIDDEN = "character-forbidden"
    DIRECTION_DECLARES_NOTHING = "direction-declares-nothing"
    DIRECTION_DUPLICATE = "direction-duplicate"
    DIRECTORY_LOOP = "directory-loop"
    FILE_DECLARES_NOTHING = "file-declares-nothing"
    FILE_HIDDEN = "file-hidden"
    FILE_MISSING = "file-missing"
    FILE_NOT_UTF_8 = "file-not-utf-8"
    FILE_SUFFIX = "file-suffix"
    FILE_TOO_LARGE = "file-too-large"
    FILE_UNREADABLE = "file-unreadable"
    FILES_TOO_MANY = "files-too-many"
    FOLDERS_TOO_DEEP = "folders-too-deep"
    FORMAT_UNSAFE = "format-unsafe"
    INVERSE_OF_ITSELF = "inverse-of-itself"
    KEY_DUPLICATE = "key-duplicate"
    KEY_EMPTY = "key-empty"
    KEY_MISSING = "key-missing"
    KEY_NOT_TEXT = "key-not-text"
    KEY_UNKNOWN = "key-unknown"
    LABEL_ABOVE_OBJECT_LIMIT = "label-above-object-limit"
    LABEL_AMBIGUOUS = "label-ambiguous"
    LABEL_CATEGORY_UNKNOWN = "label-category-unknown"
    LABEL_EMPTY = "label-empty"
    LABEL_SPELLING = "label-spelling"
    LABEL_UNKNOWN = "label-unknown"
    LIMIT_ABOVE_UI_MAXIMUM = "limit-above-ui-maximum"
    LIMIT_DUPLICATE = "limit-duplicate"
    LIMIT_NOT_A_NUMBER = "limit-not-a-number"
    LIMIT_OUT_OF_RANGE = "limit-out-of-range"
    MERGE_CONFLICT = "merge-conflict"
    MISTAKES_TOO_MANY = "mistakes-too-many"
    OBJECT_LIMIT_UNAVAILABLE = "object-limit-unavailable"
    OBJECT_TYPE_AMBIGUOUS = "object-type-ambiguous"
    OBJECT_TYPE_INVALID = "object-type-invalid"
    OBJECT_TYPE_NEAR_STANDARD = "object-type-near-standard"
    OBJECT_TYPE_UNKNOWN = "object-type-unknown"
    OVERLAY_MISSING = "overlay-missing"
    OVERLAY_ONLY = "overlay-only"
    OVERLAY_REMOVES_NOTHING = "overlay-removes-nothing"
    PAIR_FILES_MISSING = "pair-files-missing"
    PAIR_INCOMPLETE = "pair-incomplete"
    PATH_INVALID = "path-invalid"
    PATH_OUTSIDE = "path-outside"
    PORTAL_DUPLICATE = "portal-duplicate"
    PORTAL_NAME_INVALID = "portal-name-invalid"
    PORTALS_MISSING = "portals-missing"
    SAVED_PLAN = "saved-plan"
    TOKEN_IN_FILE = "token-in-file"  # noqa: S105 - a code, no password
    TOKEN_INVALID = "token-invalid"  # noqa: S105 - a code, no password
    TOKEN_MISSING = "token-missing"  # noqa: S105 - a code, no password
    TOKEN_SOURCE = "token-source"  # noqa: S105 - a code, no password
    TYPE_DUPLICATE = "type-duplicate"
    TYPE_UNKNOWN = "type-unknown"
    VALUE_INVALID = "value-invalid"
    VALUE_NOT_A_BOOLEAN = "value-not-a-boolean"
    VALUE_NOT_A_LIST = "value-not-a-list"
    VALUE_NOT_A_MAPPING = "value-not-a-mapping"
    VALUE_NOT_A_NUMBER = "value-not-a-number"
    VALUE_NOT_TEXT = "value-not-text"
    VALUE_NULL = "value-null"
    VERSION_UNKNOWN = "version-unknown"
    WORKSPACE_DOCUMENTS = "workspace-documents"
    YAML_ALIAS = "yaml-alias"
    YAML_ANCHOR = "yaml-anchor"
    YAML_COMMENT = "yaml-comment"
    YAML_DEPTH = "yaml-depth"
    YAML_DIRECTIVE = "yaml-directive"
    YAML_INDENTATION = "yaml-indentation"
    YAML_INDICATOR = "yaml-indicator"
    YAML_MERGE_KEY = "yaml-merge-key"
    YAML_SYNTAX = "yaml-syntax"
    YAML_TAB = "yaml-tab"
    YAML_TAG = "yaml-tag"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing wrong with a file: its code, the words, the place and the fix.

    `secret_from`: from this line of its file on, no source line is shown, since it may hold a token.
    """

    code: DiagnosticCode
    message: str
    place: Located
    hint: str | None = None
    severity: Severity = Severity.ERROR
    related: Located | None = None
    secret_from: int | None = None

    @property
    def order(self) -> tuple[str, int, int, str]:
        """Sorts diagnostics by file, line and column."""
        return (self.place.path, self.place.line, self.place.column, self.code)


def severities(diagnostics: Iterable[Diagnostic]) -> str:
    """`3 errors, 1 warning`: the counts that are not zero."""
    counts = Counter(each.severity for each in diagnostics)
    return ", ".join(plural(counts[each], str(each)) for each in Severity if counts[each])


class ReconcilerError(Exception):
    """The root: `message` says what happened, `hint` what to do next."""

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[..., ReconcilerError], tuple[object, ...]]:
        """As it is, without `__init__`, which takes other arguments in every kind of error."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(
    kind: type[ReconcilerError], arguments: tuple[object, ...], state: dict[str, object]
) -> ReconcilerError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class ConfigurationInvalid(ReconcilerError):
    """Files say what cannot be: all diagnostics of all files at once."""

    exit_code = ExitCode.INVALID

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=lambda each: each.order))
        super().__init__(f"configuration invalid: {severities(self.diagnostics)}")


class UsageProblem(ReconcilerError):
    """The command line, or an environment variable that stands in for it, is wrong."""

    exit_code = ExitCode.USAGE


class CredentialError(ReconcilerError):
    """There is no usable token."""


class GitError(ReconcilerError):
    """Git cannot tell what was asked of it."""


class PortalError(ReconcilerError):
    """The portal refused, or gave no usable answer. Fields of HubSpot's body may be missing.

    `may_have_been_written`: this attempt of a write, or one before it, left without an answer that
    says what became of it.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        category: str | None = None,
        correlation_id: str | None = None,
        may_have_been_written: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.category = category
        self.correlation_id = correlation_id
        self.may_have_been_written = may_have_been_written


class RequestRefused(PortalError):
    """A refusal that concerns what was asked, its inputs: nothing of this request was written."""


class TurnedAway(PortalError):
    """Nobody looked at the inputs: nothing of this request was written, and no other will do."""


class AuthenticationFailed(TurnedAway):
    """The token is wrong, expired or revoked."""


class PermissionMissing(TurnedAway):
    """The token lacks a scope."""


class EndpointMissing(TurnedAway):
    """There is no such address, or not for this: object types, API version or base URL are wrong."""


class Redirected(TurnedAway):
    """What answers is not HubSpot's API: it redirects, or uses a status that HTTP does not have."""


class PortalSettling(PortalError):
    """Two reads of the same limits disagree: what the portal holds cannot be said yet."""


class AnswerNotSupported(PortalError):
    """A sound answer that this version does not know how to read."""


class DailyLimitReached(PortalError):
    """The portal's requests for today are used up: waiting will not help."""


class PortalUnavailable(PortalError):
    """No answer in the time allowed, or none that says anything of what was asked."""


class AnswerNotUnderstood(PortalUnavailable):
    """The portal answered with success, and nobody can make sense of what it says."""


class Interrupted(ReconcilerError):
    """A signal asked to stop; no further request was sent.

    `may_have_been_written` is set when a request had left and no answer came back.
    """

    def __init__(
        self,
        message: str = "interrupted",
        *,
        hint: str | None = None,
        may_have_been_written: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.may_have_been_written = may_have_been_written


class PlanRefused(ReconcilerError):
    """The plan is stale, altered, unsafe, for another portal, or was not approved."""

    exit_code = ExitCode.REFUSED

    def __init__(
        self, message: str, *, hint: str | None = None, details: Sequence[str] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.details = tuple(details)


class WrongPortal(PlanRefused):
    """The token belongs to another portal than the one meant."""
