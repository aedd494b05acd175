"""Which work runs when: admission, fair shares between lanes, models and clients, drain."""
