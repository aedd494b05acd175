"""Graphs in fewer bits, made from the float32 graph with onnxruntime's own tools."""
