"""Whether one graph ranks as another: the sample, the figures, and what they must be."""
