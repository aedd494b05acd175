"""`bicross tune-serving`."""

from pathlib import Path
from typing import Annotated

import typer


def tune_serving(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of onnx-export.")],
    *,
    sample: Annotated[
        Path | None,
        typer.Option(help="Your own texts, JSON Lines as onnx-export takes [built-in ones]."),
    ] = None,
    config: Annotated[
        Path, typer.Option(help="Where the model's engine and precision are written.")
    ] = Path("bicross.toml"),
    write: Annotated[bool, typer.Option(help="Write engine and precision there.")] = True,
    again: Annotated[bool, typer.Option("--again", help="Measure anew.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure which engine, precision and sizes serve a bundle fastest on this machine.

    Only what reproduces the bundle's goldens and keeps its ranking is chosen. Streams, threads and
    sizes are kept for this machine, where `bicross serve` finds them.
    """
    import json as jsons
    from dataclasses import asdict

    from rich.console import Console

    from bicross.bundle import open_bundle
    from bicross.runtime.ranking.samples import read_sample
    from bicross.tuning.deployment_file import write_pair
    from bicross.tuning.display import print_tuning
    from bicross.tuning.record import cache_file, load, sample_key, save
    from bicross.tuning.tuning import Bench, tune

    notes = Console(stderr=True)
    opened, texts = open_bundle(bundle), read_sample(sample)
    file = cache_file(opened.manifest.digest)
    found = None if again else load(file, opened.manifest.digest)
    if found and found.sample == sample_key(texts.origin, texts.queries + texts.passages):
        notes.print("measured before on this machine; --again measures anew", highlight=False)
    else:
        found = tune(Bench(opened, texts, lambda line: notes.print(line, highlight=False)))
        save(file, found)
    if json:
        typer.echo(jsons.dumps(asdict(found)))
    else:
        print_tuning(Console(), found)
    if write:
        write_pair(config, opened.manifest, found.chosen.pair)
        notes.print(f"{config}: {opened.manifest.name} runs {found.chosen.pair}", highlight=False)
