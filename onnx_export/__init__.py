"""Hugging Face and sentence-transformers models to bundles, each proven against the original."""
