"""Rows of learned sparse encoders."""

from onnx_export.tests.matrix.row import Row

ROWS: tuple[Row, ...] = ()
