from pathlib import Path

import pytest

from onnx_export.source.licence import read_licence


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model", "apache-2.0"),
        ('---\nlicense: "MIT"\n---\n', "mit"),
        ("---\r\nlicense: cc-by-nc-4.0\r\n---\r\n", "cc-by-nc-4.0"),
        ("---\nlicense:\n- mit\n---\n", None),
        ("---\nlicense: two words\n---\n", None),
        ("# A model\nlicense: mit\n", None),
        ("", None),
    ],
)
def test_licence_is_what_the_front_matter_names(
    tmp_path: Path, card: str, licence: str | None
) -> None:
    (tmp_path / "README.md").write_bytes(card.encode())
    assert read_licence(tmp_path) == licence


def test_folder_without_a_card_names_none(tmp_path: Path) -> None:
    assert read_licence(tmp_path) is None


def test_card_that_is_no_text_names_none(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"---\nlicense: \xff\n---\n")
    assert read_licence(tmp_path) is None
