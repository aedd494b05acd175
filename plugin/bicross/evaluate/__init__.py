"""From hits to a decision: judged queries, runs through the cluster, measures, comparison."""

__all__: list[str] = []
