"""Rows of late interaction."""

from onnx_export.tests.matrix.row import Row

ROWS: tuple[Row, ...] = ()
