"""Which engine, precision and sizes serve a bundle fastest on this machine, by measurement."""
