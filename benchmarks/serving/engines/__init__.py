"""One module for each library that can run the two models."""
