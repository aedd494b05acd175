"""How fast bicross serves, beside what else serves the same models."""
