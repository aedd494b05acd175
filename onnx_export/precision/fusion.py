"""What onnxruntime fuses when it loads a graph, counted; the file itself stays plain.

A plain graph is what other engines read. Of onnxruntime's transformer optimizer only the fused GELU
took less time on all-MiniLM-L6-v2, and that is fused at load (see graph/gelu_order.py).
"""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import onnxruntime

FUSED_DOMAINS = frozenset({"com.microsoft", "com.microsoft.nchwc"})


def fused_at_load(file: Path) -> str:
    """As "12 SkipLayerNormalization, 6 BiasGelu"; empty where the weights lie in another file.

    Only nodes that the file itself does not hold.
    """
    if file.with_name(f"{file.name}.data").exists():
        return ""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # a graph saved for this CPU alone is what is wanted here
    with TemporaryDirectory() as folder:
        optimized = Path(folder, "optimized.onnx")
        options.optimized_model_filepath = str(optimized)
        onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        after = _operators(optimized)
    counts = after - _operators(file)
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _operators(file: Path) -> Counter[str]:
    nodes = onnx.load(file, load_external_data=False).graph.node
    return Counter(node.op_type for node in nodes if node.domain in FUSED_DOMAINS)
