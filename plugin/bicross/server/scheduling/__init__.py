"""Which work runs when: batches, fair shares between lanes, models and clients, drain."""
