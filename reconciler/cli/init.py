"""`reconciler init`: start a repository for the limits of a portal.

What is written is decided first, as a list of files; then those that are not there yet are written,
each completely, and none outside the folder. Nothing is overwritten.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from textwrap import dedent

import click

from reconciler.cli import import_, output
from reconciler.cli.files import replace_file
from reconciler.cli.options import PortalOptions, portal_options
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.progress import reporting
from reconciler.cli.schema import portal_schema
from reconciler.cli.session import Session
from reconciler.cli.workspace import know_environment
from reconciler.config.schema import pair_schema, workspace_schema
from reconciler.config.workspace import EnvToken, PortalSettings, Workspace
from reconciler.errors import ExitCode, ReconcilerError, UsageProblem
from reconciler.http.clock import Stop, SystemClock
from reconciler.http.connection import parse_base_url
from reconciler.http.messages import report_to
from reconciler.outgoing import harmless_json

FORGES = ("github", "gitlab", "none")
WORKSPACE = "reconciler.yaml"
SCHEMAS = ".reconciler"
"""The folder of the JSON Schemas that editors read."""


_PORTAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VARIABLE = re.compile(r"HUBSPOT_[A-Za-z0-9_]+")
_SOURCE = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+@[0-9a-f]{40}")


@click.command("init")
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--ci",
    "forge",
    type=click.Choice(FORGES),
    help="Recipe to write.  [default: asked on a terminal, else by the remote `origin`]",
)
@click.option(
    "--portal-id", type=click.IntRange(1), metavar="N", help="Portal that the token belongs to."
)
@click.option(
    "--token-env",
    "token",
    default="HUBSPOT_ACCESS_TOKEN",
    show_default=True,
    metavar="NAME",
    help="Variable that holds the token.",
)
@click.option(
    "--source",
    metavar="OWNER/REPOSITORY@COMMIT",
    help="Where CI takes reconciler from.  [default: left to be filled in]",
)
@click.option(
    "--import/--no-import",
    "imports",
    default=None,
    help="Whether to write pair files from the portal.  [default: if the token is at hand]",
)
@portal_options
def command(
    options: PortalOptions,
    directory: Path,
    forge: str | None,
    portal_id: int | None,
    token: str,
    source: str | None,
    imports: bool | None,  # noqa: FBT001 - click passes flags by name
) -> int:
    """Start a repository in DIR: workspace file, pair files, CI recipe, editor settings.

    With a token at hand the pair files are written from the portal, otherwise there is a commented
    example; pair files that are there already are left to `reconciler import`. No file is
    overwritten. --portal names the portal in the
    workspace file. Nothing is written to the portal.
    """
    portal = _portal_name(options)
    if source is not None and not _SOURCE.fullmatch(source):
        raise UsageProblem("--source is OWNER/REPOSITORY@COMMIT, with all 40 digits of the commit")
    if not _VARIABLE.fullmatch(token):
        raise UsageProblem(
            "--token-env names a variable that begins with HUBSPOT_: letters, digits, underscores"
        )
    at_hand = bool(os.environ.get(token, "").strip())
    if imports and not at_hand:
        raise ReconcilerError(f"{token} is not set", hint=f"export {token}=…, or use --no-import")
    asks = at_hand if imports is None else imports
    known = _known(options, portal, token) if asks else Known(portal_id, pair_schema())
    if portal_id not in (None, known.portal_id):
        raise UsageProblem(f"the token belongs to portal {known.portal_id}, not to {portal_id}")
    forge = forge or _asked_forge(directory)
    kept = _has_pair_files(directory)
    wanted = Wanted(forge, portal, token, known, source, example=not asks and not kept)
    names = options.names if (directory / WORKSPACE).exists() else (portal,)
    for line in _written(directory, tuple(starting_files(wanted))):
        output.result(line)
    if imports or (asks and not kept):
        _import(options, directory, names)
        if not _has_pair_files(directory):  # a portal without limits
            for line in _written(directory, [EXAMPLE]):
                output.result(line)
    elif kept:
        output.result("kept     configs")
    output.result(_next(directory, wanted, at_hand=at_hand))
    return int(ExitCode.DONE)


def _portal_name(options: PortalOptions) -> str:
    if options.every or len(options.names) > 1:
        raise UsageProblem("init starts with one portal: name it with --portal")
    name = options.names[0] if options.names else "production"
    if not _PORTAL.fullmatch(name):
        raise UsageProblem(f"--portal {name}: letters, digits, dots, dashes and underscores only")
    return name


def _asked_forge(directory: Path) -> str:
    """Which recipe: what the repository's remote says, confirmed by whoever sits at a terminal."""
    likely = _likely_forge(directory)
    if not (sys.stdin is not None and sys.stdin.isatty()):
        return likely
    asked: str = click.prompt(
        "CI recipe", type=click.Choice(FORGES), default=likely, err=True, show_choices=True
    )
    return asked


def _likely_forge(directory: Path) -> str:
    try:
        text = (directory / ".git" / "config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "none"
    url = re.search(r'\[remote "origin"\][^\[]*?\burl\s*=\s*(\S+)', text)
    host = "" if url is None else url[1]
    return next((forge for forge in ("github", "gitlab") if forge in host), "none")


def _known(options: PortalOptions, name: str, token: str) -> Known:
    """What the portal says of itself; raises where it cannot be asked, before anything is written."""
    know_environment()
    parse_base_url(options.base_url)
    stop, workspace = Stop(), Workspace()
    version = options.api_version or workspace.api_version
    session = Session(workspace, options, version, stop, SystemClock(stop), {})
    settings = PortalSettings(name, token=EnvToken(token))
    with (
        stopping_on_signals(stop),
        reporting(name, options.given) as progress,
        session.connected(settings, report_to(progress)) as portal,
    ):
        return Known(portal.account().portal_id, portal_schema(name, portal))


def _written(directory: Path, wanted: Sequence[File]) -> Iterator[str]:
    """Write the files that are not there yet; a line for each.

    Raises ReconcilerError before the first one is written, where one of them would leave the
    folder or cannot be made.
    """
    if directory.exists() and not directory.is_dir():
        raise UsageProblem(f"{directory}: this is not a folder")
    top = Path(os.path.realpath(directory))
    for each in wanted:
        real = Path(os.path.realpath(directory / each.path))
        if not real.is_relative_to(top):
            raise ReconcilerError(f"{directory / each.path} leads out of {directory} by a link")
    for each in wanted:
        path = directory / each.path
        if os.path.lexists(path):
            yield f"kept     {each.path}"
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReconcilerError(f"cannot write {path}: {error.strerror}") from error
        replace_file(path, each.text.encode(), was=None)
        yield f"written  {each.path}"


def _has_pair_files(directory: Path) -> bool:
    return any((directory / "configs").glob("**/*.y*ml"))


def _import(options: PortalOptions, directory: Path, names: tuple[str, ...]) -> None:
    """Write the pair files, as `reconciler import` in the folder would."""
    with chdir(directory):
        click.get_current_context().invoke(
            import_.command,
            names=names,
            base_url=options.base_url,
            api_version=options.api_version,
            concurrency=options.concurrency,
            timeout=options.timeout,
        )


def _next(directory: Path, wanted: Wanted, *, at_hand: bool) -> str:
    """What to do now, each with its command."""
    steps = []
    if str(directory) != ".":
        steps.append(f"cd {directory}")
    if wanted.example:
        if not at_hand:
            steps.append(f"export {wanted.token}=…   # a key of the portal: see the README")
        steps.append("reconciler import   # or edit configs/contacts-companies.yaml")
    steps += ["git add -A && git commit -m 'Declare the association limits'", "reconciler plan"]
    if wanted.forge != "none" and wanted.source is None:
        steps.append("fill in OWNER/REPOSITORY and a commit in the recipe: what CI installs")
    return "\n".join(["", "Next:", *(f"  {each}" for each in steps)])


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the portal: its ID, None where it is not, and the schema of its pair files."""

    portal_id: int | None
    pair_schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the repository is to have.

    `source`: where a CI job takes reconciler from, `OWNER/REPOSITORY@COMMIT`; None: it stays to be
    filled in.
    """

    forge: str
    portal: str
    token: str
    known: Known
    source: str | None
    example: bool


@dataclass(frozen=True, slots=True)
class File:
    """A file to write, by its path below the repository's folder."""

    path: str
    text: str


def starting_files(wanted: Wanted) -> Iterator[File]:
    """Every file that a new repository gets, in the order in which people meet them."""
    yield File(WORKSPACE, _workspace(wanted))
    if wanted.example:
        yield EXAMPLE
    yield File(".gitignore", _IGNORED)
    yield File(".pre-commit-config.yaml", _PRE_COMMIT)
    yield File(".vscode/settings.json", _EDITOR)
    yield File(".vscode/extensions.json", '{\n  "recommendations": ["redhat.vscode-yaml"]\n}\n')
    yield File(f"{SCHEMAS}/pair.schema.json", _json(wanted.known.pair_schema))
    yield File(f"{SCHEMAS}/workspace.schema.json", _json(workspace_schema()))
    yield from _recipes(wanted)


def _workspace(wanted: Wanted) -> str:
    portal_id = wanted.known.portal_id
    identity = (
        f"    portal_id: {portal_id}"
        if portal_id is not None
        else "    # portal_id: 1234567      # then a token of another portal is refused"
    )
    return f"""\
# yaml-language-server: $schema={SCHEMAS}/workspace.schema.json
version: 1
configs: configs # the folder of the pair files
safety: {{max_deletes: 20, max_delete_percent: 30, max_changes: 500}} # a plan beyond this is refused
portals:
  {wanted.portal}:
{identity}
    token: {{env: {wanted.token}}}
"""


EXAMPLE = File(
    "configs/contacts-companies.yaml",
    dedent("""\
    # yaml-language-server: $schema=../.reconciler/pair.schema.json
    # The limits between contacts and companies. Take away the # in front of what is to hold; a
    # direction that is declared is declared completely: what HubSpot has there and this file does
    # not name is planned for removal, unless it says `prune: false`.
    #
    # from: contacts
    # to: companies
    # max: 5                       # a contact has at most 5 companies
    # labels:
    #   Billing contact: 1         # at most one of them as "Billing contact"
    #   Decision maker: unlimited  # no limit
    # inverse:                     # companies → contacts
    #   labels:
    #     Billing contact: {max: 2, reason: one invoice address and a backup}
    """),
)
"""What a portal that cannot be asked yet, or has no limits, begins with."""

_IGNORED = dedent("""\
    # Plans and journals belong to one run; tokens belong nowhere in here.
    plan*.json
    /plans/
    result*.json
    journal*.jsonl
    *.journal
    .env
    .env.*
    """)

_PRE_COMMIT = dedent("""\
    repos:
      - repo: local
        hooks:
          - id: reconciler-validate
            name: check HubSpot association limits
            entry: reconciler validate
            language: system
            files: (^|/)(configs/.*\\.ya?ml|reconciler\\.yaml)$
            pass_filenames: false
          - id: reconciler-fmt
            name: format HubSpot association limits
            entry: reconciler fmt
            language: system
            files: (^|/)configs/.*\\.ya?ml$
            pass_filenames: false
    """)


def _json(document: object) -> str:
    return harmless_json(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


_EDITOR = _json(
    {
        "yaml.schemas": {
            f"{SCHEMAS}/pair.schema.json": ["configs/**/*.yaml", "configs/**/*.yml"],
            f"{SCHEMAS}/workspace.schema.json": "reconciler.yaml",
        }
    }
)


def _recipes(wanted: Wanted) -> Iterator[File]:
    names: tuple[str, ...]
    match wanted.forge:
        case "github":
            names = ("hubspot-plan.yml", "hubspot-apply.yml", "hubspot-drift.yml")
            folder = ".github/workflows/"
        case "gitlab":
            names, folder = (".gitlab-ci.yml",), ""
        case _:
            return
    for name in names:
        text = (recipes() / wanted.forge / name).read_text(encoding="utf-8")
        yield File(folder + name, _from_source(text, wanted.source))


def recipes() -> Path:
    """Where the recipes are: in the package, or beside it in a checkout."""
    installed = Path(str(package_files("reconciler"))) / "recipes"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "examples" / "ci"


def _from_source(text: str, source: str | None) -> str:
    if source is None:
        return text
    address, _, commit = source.partition("@")
    return text.replace("-your-org-/hubspot-reconciler", address).replace("0" * 40, commit)
