"""The options and arguments that several commands of `onnx-export` share."""

from pathlib import Path
from typing import Annotated

import typer

from bicross.bundle.record import Task

Folder = Annotated[Path, typer.Argument(help="A folder that holds a model as ONNX.")]
BundleFolder = Annotated[Path, typer.Argument(help="A bundle's folder.")]
Out = Annotated[Path, typer.Argument(help="The folder to write; it must not hold anything.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what stands at OUT.")]
Name = Annotated[str | None, typer.Option(help="The bundle's name; else the model's last part.")]
Label = Annotated[
    str | None, typer.Option(help="The label that means relevant, by name or number.")
]
TaskOption = Annotated[Task | None, typer.Option(help="Else found in the model's files.")]
MaxTokens = Annotated[
    int | None, typer.Option(min=2, help="Cut sequences here; at most the model's own limit.")
]
QueryPrompt = Annotated[str | None, typer.Option(help="Goes before each query.")]
PassagePrompt = Annotated[str | None, typer.Option(help="Goes before each passage.")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run the code in the model's repository.")
]
SampleFile = Annotated[
    Path | None,
    typer.Option(
        "--sample",
        help='Texts for the gate, JSON Lines of {"query": "..."} and {"passage": "..."}: at least '
        "8 and 16, of which the first 8 and 16 are kept in the bundle.",
    ),
]
Dimensions = Annotated[
    int | None,
    typer.Option(min=1, help="Keep the first N numbers of each vector, of unit length again."),
]
Layers = Annotated[
    int | None,
    typer.Option(help="Keep the first N layers under the model's head, for an early exit."),
]
KeepPadding = Annotated[
    bool,
    typer.Option(
        "--keep-padding",
        help="Compute on padding as on tokens, for engines that know no shape which depends on "
        "what a batch holds.",
    ),
]
Matryoshka = Annotated[
    str | None,
    typer.Option(
        help="Dimensions below the vectors' own that a request may ask for, such as 256,128; "
        "else those of the model card's Matryoshka loss.",
    ),
]
PrecisionNames = Annotated[
    list[str] | None,
    typer.Option(
        "--precision",
        help="A further precision beside fp32: fp16, bf16, int8, int8_static, int8_weight or "
        "int4_weight; may be given several times.",
    ),
]
Judgements = Annotated[
    Path | None,
    typer.Option(
        "--judgements",
        help="A judged collection in BEIR's layout: the precisions' nDCG@10 beside fp32's.",
    ),
]
Original = Annotated[
    str | None, typer.Option("--model", help="The original, for the gate; else the hub's.")
]
