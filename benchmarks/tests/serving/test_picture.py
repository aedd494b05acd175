from xml.etree import ElementTree as ET

from benchmarks.serving.picture import HEIGHT, Axis, Line, draw

LINES = [Line("16 tokens", [(10, 5.0), (100, 50.0)]), Line("a < b", [(10, 20.0), (1000, 900.0)])]
SVG = "{http://www.w3.org/2000/svg}"


def drawn() -> ET.Element:
    return ET.fromstring(draw("title", "x", "y", LINES))  # noqa: S314  our own text


def test_a_picture_is_xml_with_a_line_for_each_series_and_a_dot_for_each_point() -> None:
    picture = drawn()
    assert len(picture.findall(f"{SVG}polyline")) == 2
    assert len(picture.findall(f"{SVG}circle")) == 4


def test_names_are_escaped() -> None:
    assert "a < b" in [text.text for text in drawn().iter(f"{SVG}text")]


def test_larger_values_stand_higher_on_the_page() -> None:
    first = drawn().findall(f"{SVG}polyline")[0].attrib["points"]
    begin, end = (float(point.split(",")[1]) for point in first.split())
    assert 0 < end < begin < HEIGHT


def test_each_power_of_ten_is_as_far_from_the_last() -> None:
    axis = Axis(1, 1000, 0, 300)
    assert [round(axis.place(tick)) for tick in axis.ticks()] == [0, 100, 200, 300]


def test_an_axis_of_one_value_has_a_place_for_it() -> None:
    assert Axis(5, 5, 10, 20).place(5) == 10
