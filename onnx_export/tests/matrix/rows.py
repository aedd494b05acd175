"""The whole matrix, in the order in which it is shown."""

from onnx_export.tests.matrix import bi_encoders, cross_encoders, heads, late_interaction, sparse

ROWS = (*bi_encoders.ROWS, *heads.ROWS, *cross_encoders.ROWS, *sparse.ROWS, *late_interaction.ROWS)
