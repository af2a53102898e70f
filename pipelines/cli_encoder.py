"""The verbs of the encoder: `shardwall weights`, `shardwall head`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filters.errors import ModelError, PolicyError

if TYPE_CHECKING:
    from filters.encoder import ClipEncoder

weights_app = typer.Typer(no_args_is_help=True, help="Get and name what models rest on.", rich_markup_mode=None)
head_app = typer.Typer(no_args_is_help=True, help="Fit heads of your own over the encoder.", rich_markup_mode=None)

POLICY_ENDINGS = (".toml",)


@weights_app.command("fetch")
def weights_fetch(
    what: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model of open_clip, hf-hub:owner/name, or a policy file.")
    ],
    tag: Annotated[str, typer.Argument(metavar="[TAG]", help="The tag of the weights, as open_clip calls them.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Where to put them; left out, your cache folder.")] = None,
) -> None:
    """Download weights from the hub that open_clip names, check them, and tell the digest to pin.

    Example: shardwall weights fetch ViT-B-32 laion2b_s34b_b79k

    Of a policy file it fetches what the encoder names, and compares with its pinned digest. Started again, it goes on
    where it broke off. No run ever downloads anything.
    """
    from pipelines.fetch_weights import fetch_weights

    pinned = ""
    if what.endswith(POLICY_ENDINGS):
        encoder = _encoder(what)
        what, tag, pinned = encoder.model, encoder.pretrained, encoder.sha256
    for line in fetch_weights(what, tag, folder, pinned).lines():
        typer.echo(line)


@weights_app.command("list")
def weights_list(
    model: Annotated[str, typer.Argument(metavar="[MODEL]", help="A model of open_clip, to tell its tags.")] = "",
) -> None:
    """Tell embedded weights, shipped prompts and installed scorers with their digests; or the tags of a model."""
    from filters.towers import import_open_clip
    from pipelines.doctor import materials_here

    if not model:
        typer.echo("\n".join(materials_here()))
        return
    open_clip = import_open_clip()
    tags = open_clip.list_pretrained_tags_by_model(model)
    if not tags:
        from filters.towers import configured, described

        described(configured(model))
        raise ModelError(f"open_clip publishes no weights of the model {model}. Give a checkpoint of your own.")
    for tag in tags:
        typer.echo(f"{model} {tag}  {open_clip.get_pretrained_cfg(model, tag).get('hf_hub', '')}")


@head_app.command("embed")
def head_embed(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="A policy file with an encoder.")],
    source: Annotated[str, typer.Argument(metavar="INPUT", help="A folder, glob or brace range of WebDataset tars.")],
    output: Annotated[Path, typer.Argument(metavar="EMBEDDINGS", help="The file to write, .npz, for you alone.")],
) -> None:
    """Store the embedding of every sample's picture, with shard and key, to fit a head on.

    What a list knows, or a filter could not look at, is not embedded. Faces are not cut out, and nobody is identified.
    """
    from filters.config import load_policy
    from pipelines.embed import embed

    have, lack = embed(load_policy(policy), source, output)
    typer.echo(f"{output}: {have} embeddings; {lack} samples have none")


@head_app.command("fit")
def head_fit(
    embeddings: Annotated[Path, typer.Argument(metavar="EMBEDDINGS", help="What `shardwall head embed` wrote.")],
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="CSV: key, label (0 or 1), shard if keys repeat.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The head to write, .safetensors.")],
) -> None:
    """Fit a linear probe on labelled embeddings with scikit-learn, and tell the digest to pin.

    The area under the ROC curve that it tells is of cross-validation on these very samples: no calibration.
    """
    from pipelines.fit import fit

    done = fit(embeddings, labels, output)
    typer.echo(
        f"{output}: fitted on {done.positives} positive and {done.negatives} negative samples, "
        f"{done.unlabelled} without a label; C={done.strength:g}, area under the ROC curve {done.area:.3f} "
        "in cross-validation (uncalibrated)"
    )
    typer.echo(f'path = "{output}"\nsha256 = "{done.sha256}"')


def _encoder(policy: str) -> "ClipEncoder":
    from filters.config import load_policy
    from filters.encoder import ClipEncoder

    found = [each for each in load_policy(policy).filters if isinstance(each, ClipEncoder)]
    if not found:
        raise PolicyError(f"the policy {policy} has no encoder, so there is nothing to fetch. Enable it.")
    return found[0]
