"""GET /v1/models and GET /metrics: what is served, and how it goes."""

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from bicross.bundle.heads import Head, Rerank, Sparse
from bicross.runtime.quantized_vectors import offered_dtypes
from bicross.server.endpoints.schemas import ModelRecord, ModelsAnswer
from bicross.server.models.catalog import ServedModel
from bicross.server.serving import Serving

router = APIRouter()


@router.get("/v1/models", response_model_exclude_none=True)
async def list_models(request: Request) -> ModelsAnswer:
    """Each bundle served, those that are still loading or have failed their self-test included."""
    serving: Serving = request.app.state.serving
    return ModelsAnswer(data=[_record(*each) for each in serving.catalog.listed()])


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    serving: Serving = request.app.state.serving
    return Response(serving.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


def _record(model_id: str, model: ServedModel) -> ModelRecord:
    manifest, head = model.manifest, model.manifest.head
    embedding, reranks = manifest.embedding, manifest.rerank
    return ModelRecord(
        id=model_id,
        digest=manifest.digest,
        task=manifest.task,
        engine=model.engine,
        precision=model.precision,
        max_tokens=manifest.max_tokens,
        dimensions=None if isinstance(head, Rerank) else head.dimensions,
        offered_dimensions=embedding.offered_dimensions if embedding else None,
        output_dtypes=offered_dtypes(embedding) if embedding else None,
        similarity=_similarity(head),
        activation=reranks.activation if reranks else None,
        ready=model.ready,
    )


def _similarity(head: Head) -> Any:  # noqa: ANN401  the union that ModelRecord checks
    if isinstance(head, Rerank):
        return None
    return "dot_product" if isinstance(head, Sparse) else head.similarity
