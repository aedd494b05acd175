"""What every engine gives for a file."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class LoadedGraph(Protocol):
    """A graph ready to run. `run` may be called by as many threads at once as it has streams, and
    by one more where it has a spare.
    """

    @property
    def inputs(self) -> frozenset[str]: ...

    @property
    def outputs(self) -> Mapping[str, int | None]:
        """The last dimension of each output, None where the graph does not fix it."""
        ...

    def run(self, feeds: Mapping[str, IntArray], output: str) -> FloatArray:
        """`output`, the caller's to keep. Raises whatever the engine does."""
        ...
