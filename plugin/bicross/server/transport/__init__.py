"""How bytes become requests, who may ask, and how failures are told."""
