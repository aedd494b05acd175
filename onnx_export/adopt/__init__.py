"""A folder that already holds ONNX becomes a bundle, without torch."""
