"""The original in torch, run by sentence-transformers itself: what a graph must give again."""
