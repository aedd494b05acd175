"""`onnx-export`: a model to a bundle, a bundle checked, a folder with ONNX adopted.

Torch is imported when a command needs it, never for --help.
"""

import importlib.util
import signal
import sys
from collections.abc import Collection
from types import FrameType
from typing import Annotated, NoReturn

import typer

from bicross import __version__
from bicross.errors import BicrossError, EnvironmentProblem, GateFailed, UsageError
from bicross.exits import INTERRUPTED, TERMINATED, fail
from onnx_export.cli_options import (
    BundleFolder,
    Dimensions,
    Folder,
    Force,
    Json,
    Judgements,
    KeepPadding,
    Label,
    Layers,
    Matryoshka,
    MaxTokens,
    Name,
    Original,
    Out,
    PassagePrompt,
    PrecisionNames,
    QueryPrompt,
    SampleFile,
    TaskOption,
    TrustRemoteCode,
)

EXPORT_PACKAGES = ("torch", "transformers", "sentence_transformers", "onnx", "onnxscript")
ADOPT_PACKAGES = ("numpy", "onnx", "onnxruntime", "tokenizers")
JUDGEMENT_PACKAGES = ("ir_measures",)
RUN_PACKAGES = ("numpy", "onnxruntime", "tokenizers")

app = typer.Typer(
    name="onnx-export",
    help="Hugging Face and sentence-transformers models to bundles, proven against the original.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def model(
    model: Annotated[str, typer.Argument(help="An id of the Hugging Face hub or a local folder.")],
    out: Out,
    *,
    task: TaskOption = None,
    label: Label = None,
    name: Name = None,
    sample: SampleFile = None,
    revision: Annotated[str | None, typer.Option(help="The hub's branch, tag or commit.")] = None,
    max_tokens: MaxTokens = None,
    query_prompt: QueryPrompt = None,
    passage_prompt: PassagePrompt = None,
    layers: Layers = None,
    keep_padding: KeepPadding = False,
    precision: PrecisionNames = None,
    judgements: Judgements = None,
    dimensions: Dimensions = None,
    matryoshka: Matryoshka = None,
    trust_remote_code: TrustRemoteCode = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Export MODEL to a bundle at OUT, if its graph ranks and computes as the original does."""
    require_packages(EXPORT_PACKAGES, "export")
    if judgements is not None:
        require_packages(JUDGEMENT_PACKAGES, "evaluate")
    from bicross.runtime.ranking.samples import read_sample
    from onnx_export.precision.names import read_precisions
    from onnx_export.report import print_manifest, steps
    from onnx_export.source.hub import find_model
    from onnx_export.source.matryoshka import read_offer
    from onnx_export.source.spec import Options

    options = Options(
        task=task,
        label=label,
        name=name,
        max_tokens=max_tokens,
        query_prompt=query_prompt,
        passage_prompt=passage_prompt,
        trust_remote_code=trust_remote_code,
        layers=layers,
        keep_padding=keep_padding,
        dimensions=dimensions,
        matryoshka=None if matryoshka is None else read_offer(matryoshka),
    )
    precisions = read_precisions(precision or ())
    texts = read_sample(sample)
    with steps() as narrate:
        narrate(f"reading {model}")
        folder = find_model(model, revision, trust_remote_code=trust_remote_code)
        # Torch takes seconds to import: what can be refused without it has been by now.
        from onnx_export.publish import Request, export_reporting

        request = Request(folder, out, texts, options, force, precisions, judgements)
        manifest, refused = export_reporting(request, narrate)
    print_manifest(manifest, out, texts, as_json=as_json)
    if refused is not None:
        raise refused


@app.command()
def add(
    bundle: BundleFolder,
    *,
    precision: PrecisionNames = None,
    model: Original = None,
    sample: SampleFile = None,
    judgements: Judgements = None,
    trust_remote_code: TrustRemoteCode = False,
    as_json: Json = False,
) -> None:
    """Add precisions to BUNDLE, whose digest stays; those that the gate refuses are not written."""
    require_packages(EXPORT_PACKAGES, "export")
    if judgements is not None:
        require_packages(JUDGEMENT_PACKAGES, "evaluate")
    from bicross.bundle import open_bundle
    from bicross.runtime.ranking.samples import read_sample
    from onnx_export.precision.names import read_precisions
    from onnx_export.report import print_manifest, steps
    from onnx_export.source.hub import find_model

    precisions, texts = read_precisions(precision or ()), read_sample(sample)
    with steps() as narrate:
        narrate("verifying size and sha256 of every file")
        opened = open_bundle(bundle)
        source = opened.manifest.source
        model = model or (source.model if source.revision else None)
        if model is None:
            raise UsageError(f"{bundle} was made from a local folder; give it with --model")
        narrate(f"reading {model}")
        original = find_model(model, source.revision, trust_remote_code=trust_remote_code)
        from onnx_export.extend import Extension, extend_bundle

        asked = Extension(opened, original, texts, precisions, judgements, trust_remote_code)
        manifest, refused = extend_bundle(asked, narrate)
    print_manifest(manifest, bundle, texts, as_json=as_json)
    if refused is not None:
        raise refused


@app.command()
def check(
    bundle: BundleFolder,
    *,
    model: Original = None,
    sample: SampleFile = None,
    trust_remote_code: TrustRemoteCode = False,
    as_json: Json = False,
) -> None:
    """Verify BUNDLE: digests, golden outputs, and the gate where torch and the original are."""
    require_packages(RUN_PACKAGES, "server")
    from bicross.runtime.ranking.samples import read_sample
    from onnx_export.check import check_bundle
    from onnx_export.report import print_check, steps
    from onnx_export.source.hub import find_model

    texts = read_sample(sample)
    with steps() as narrate:
        opened, findings = check_bundle(bundle, narrate)
        source = opened.manifest.source
        model = model or (source.model if source.revision else None)
        gate: dict[str, float | str] | str = _no_gate(opened.manifest.precisions, model)
        if not gate and model is not None:
            narrate(f"reading {model}")
            original = find_model(model, source.revision, trust_remote_code=trust_remote_code)
            from onnx_export.gate.regate import run_gate_again

            gate = run_gate_again(
                opened, original, texts, narrate, trust_remote_code=trust_remote_code
            )
    print_check(opened, findings, gate, as_json=as_json)


@app.command()
def adopt(
    folder: Folder,
    out: Out,
    *,
    task: TaskOption = None,
    label: Label = None,
    name: Name = None,
    graph: Annotated[
        list[str] | None,
        typer.Option(
            help="Which of FOLDER's .onnx files; once more for each further precision, which is "
            "held to the first one's numbers."
        ),
    ] = None,
    pooling: Annotated[
        str | None,
        typer.Option(
            help="How vectors are pooled, where no file says: cls, mean, max, mean_sqrt_len_tokens,"
            " weightedmean or lasttoken, several joined by +."
        ),
    ] = None,
    normalize: Annotated[
        bool | None,
        typer.Option("--normalize/--no-normalize", help="Likewise, whether their length is one."),
    ] = None,
    sample: SampleFile = None,
    max_tokens: MaxTokens = None,
    query_prompt: QueryPrompt = None,
    passage_prompt: PassagePrompt = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Make a bundle at OUT of FOLDER's ONNX, without torch; its parity is not measured."""
    require_packages(ADOPT_PACKAGES, "adopt")
    from bicross.runtime.ranking.samples import read_sample
    from onnx_export.adopt.adoption import AdoptRequest, adopt_folder
    from onnx_export.adopt.head import HeadOptions
    from onnx_export.report import print_manifest, steps

    head = HeadOptions(label, pooling, normalize, query_prompt, passage_prompt)
    request = AdoptRequest(
        folder, out, read_sample(sample), head, task, name, tuple(graph or ()), max_tokens, force
    )
    with steps() as narrate:
        manifest = adopt_folder(request, narrate)
    print_manifest(manifest, out, as_json=as_json)


def _no_gate(precisions: Collection[str], model: str | None) -> str:
    """Why the gate cannot run; empty where it can."""
    if "fp32" not in precisions:
        return "not run: the bundle has no fp32 graph to compare"
    if model is None:
        return "not run: the bundle was made from a local folder; give it with --model"
    missing = [name for name in EXPORT_PACKAGES if importlib.util.find_spec(name) is None]
    return f"not run: {missing[0]} is not installed" if missing else ""


def require_packages(names: tuple[str, ...], extra: str) -> None:
    """Raises `EnvironmentProblem`, naming the extra that brings the first missing package."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise EnvironmentProblem(
                f"the package {name} is not installed; pip install 'bicross[{extra}]'"
            )


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"onnx-export {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Runs one command; an error of ours is one line on stderr and its own exit status."""
    # As an exception, so that what was begun beside OUT is removed.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except GateFailed as error:
        if error.case:
            typer.echo(error.case, err=True)
        fail(str(error), error.exit_status)
    except BicrossError as error:
        fail(str(error), error.exit_status)
    except OSError as error:
        fail(f"{error.strerror or error}: {error.filename or ''}", EnvironmentProblem.exit_status)
    except KeyboardInterrupt:
        fail("interrupted; nothing was written", INTERRUPTED)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    sys.exit(TERMINATED)


if __name__ == "__main__":
    main()
