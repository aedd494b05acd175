"""A bundle's numbers over HTTP, in the shapes that OpenAI's, Cohere's and Jina's clients speak."""
