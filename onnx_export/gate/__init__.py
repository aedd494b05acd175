"""Does the graph compute and rank as the original does? Samples, figures, bounds, verdict."""
