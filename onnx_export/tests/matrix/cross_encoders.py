"""Rows of cross-encoders."""

from onnx_export.tests.matrix.row import Row

ROWS: tuple[Row, ...] = ()
