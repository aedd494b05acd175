from benchmarks.serving.first_pass import Bm25

PASSAGES = ["the cat sat", "a dog and a cat", "the dog", "birds"]


def test_passages_with_the_rarer_word_come_first() -> None:
    assert Bm25(PASSAGES).window("birds cat", 1) == [3]


def test_the_shorter_of_two_with_the_same_word_comes_first() -> None:
    assert Bm25(PASSAGES).window("dog", 2) == [2, 1]


def test_a_window_is_filled_with_passages_that_match_nothing_in_their_order() -> None:
    assert Bm25(PASSAGES).window("birds", 4) == [3, 0, 1, 2]


def test_a_word_that_stands_more_often_weighs_more_but_less_each_time() -> None:
    passages = ["x a b c", "x x b c", "x x x c", "y y y y"]
    assert Bm25(passages).window("x", 3) == [2, 1, 0]
