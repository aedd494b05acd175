"""What is timed has mixed lengths, and every round meets all alike."""

from collections.abc import Callable

from bicross.runtime import BiEncoder, CrossEncoder
from bicross.runtime.ranking.samples import read_sample
from bicross.tuning.choice import Setting
from bicross.tuning.workload import JOINED, WINDOW, interleave, mixed_lengths, runner, workload


def test_texts_are_of_one_passage_to_many() -> None:
    texts = mixed_lengths(["a", "b", "c"], len(JOINED))
    assert texts[:3] == ["a", "b c", "c a b"]
    assert [len(text.split()) for text in texts] == list(JOINED)


def test_a_reranker_has_a_window(bi_encoder: BiEncoder, cross_encoder: CrossEncoder) -> None:
    sample = read_sample()
    assert len(workload(cross_encoder, sample).sequences) == WINDOW
    assert len(workload(bi_encoder, sample).sequences) == len(sample.passages)
    runner(bi_encoder, workload(bi_encoder, sample), Setting())()


def test_rounds_are_interleaved_and_the_first_run_is_not_measured() -> None:
    now, order = [0.0], list[str]()

    def run(name: str, seconds: list[float]) -> Callable[[], None]:
        def spend() -> None:
            order.append(name)
            now[0] += seconds.pop(0)

        return spend

    runs = [run("a", [90.0, 1.0, 2.0, 9.0]), run("b", [90.0, 4.0, 4.0, 4.0])]
    assert interleave(runs, 3, lambda: now[0]) == [2.0, 4.0]
    assert "".join(order) == "abababab"
