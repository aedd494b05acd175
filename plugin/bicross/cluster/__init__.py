"""What the cluster holds: pipelines, templates, indices, documents, and the searches over them."""

__all__: list[str] = []
