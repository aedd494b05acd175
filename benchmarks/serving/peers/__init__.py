"""Other servers, run for comparison."""
