"""What is told of the work: metrics, stages, traces, the slow-request log; never a text."""
