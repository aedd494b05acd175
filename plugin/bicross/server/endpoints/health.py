"""GET /health/live and /health/ready, open to all, and so silent on names and versions."""

from fastapi import APIRouter, Request

from bicross.errors import NotReady
from bicross.server.serving import Serving

router = APIRouter()


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/health/ready")
async def ready(request: Request) -> dict[str, str]:
    """Every bundle has reproduced its goldens on this machine, and no shutdown has begun."""
    serving: Serving = request.app.state.serving
    models = serving.catalog.models
    count = sum(model.ready for model in models)
    if count < len(models) or not models:
        raise NotReady(
            f"{count} of {len(models)} models are ready; the server's log says more",
            retry_after_s=1,
        )
    return {"status": "ready"}
