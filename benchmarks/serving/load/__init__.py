"""Requests over HTTP: their bodies, their pace, what came back."""
