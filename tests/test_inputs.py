"""Values typed on a command line: what each form gives, and the fault each mistake is told as."""

import math

import numpy as np
import pytest

from corrente import inputs
from corrente.errors import BadValue

VALUES = [
    ("-2", -2.0),
    ("1.5e3", 1500.0),
    ("pi/2", math.pi / 2),
    ("-inf", -math.inf),
    ("[[1,2],[3,4]]", np.array([[1.0, 2.0], [3.0, 4.0]])),
    ("[]", np.zeros(0)),
    ("[1, NaN]", np.array([1.0, math.nan])),
    ("[" + "9" * 5_000 + "]", np.array([math.inf])),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_numbers_are_floats(text, expected):
    value = inputs.value(text)
    np.testing.assert_equal(value, expected)
    assert np.asarray(value).dtype == np.float64


WHOLE = [
    ("3", 3, int),
    ("-3", -3, int),
    ("3.0", 3.0, float),
    ("true", True, bool),
    ("False", False, bool),
    ("[0, 2, 1]", np.array([0, 2, 1]), np.ndarray),
    ("[true, false]", np.array([True, False]), np.ndarray),
    ("[1, 2.5]", np.array([1.0, 2.5]), np.ndarray),
]


@pytest.mark.parametrize(("text", "expected", "kind"), WHOLE)
def test_whole_numbers_stay_for_a_python_function(text, expected, kind):
    value = inputs.value(text, whole=True)
    assert type(value) is kind
    np.testing.assert_array_equal(value, expected)
    assert np.asarray(value).dtype == np.asarray(expected).dtype


def test_an_object_is_a_tree_of_arrays():
    tree = inputs.value('{"W": [[1.0, 2.0]], "b": 0.5, "n": [1]}', whole=True)
    assert tree["W"].shape == (1, 2)
    assert tree["b"] == 0.5
    assert tree["n"].dtype == np.int64


@pytest.fixture
def files(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3, dtype=">i4"))
    np.save(tmp_path / "s.npy", np.array(["a"]))
    np.save(tmp_path / "o.npy", np.array([{}], object))
    np.savez(tmp_path / "two.npz", W=np.ones(2, np.float32), b=np.zeros(1))
    np.savez(tmp_path / "one.npz", W=np.ones(2))
    (tmp_path / "junk.npy").write_text("junk")
    (tmp_path / "junk.npz").write_bytes(b"PK\x03\x04junk")
    (tmp_path / "empty.npy").write_text("")
    return tmp_path


def test_files(files):
    a = inputs.value(f"@{files}/a.npy")
    assert a.dtype == np.int32
    assert a.dtype.isnative
    assert inputs.value(f"@{files}/two.npz:W").dtype == np.float32
    assert inputs.value(f"@{files}/one.npz").shape == (2,)
    assert inputs.value(f"@{files}/two.npz", whole=True).keys() == {"W", "b"}


BAD_FILES = [
    ("two.npz", "choose one of its arrays: W, b"),
    ("two.npz:k", "choose one of its arrays: W, b"),
    ("s.npy", "holds no numbers"),
    ("o.npy", "no plain array"),
    ("junk.npy", "no plain array"),
    ("junk.npz", "no plain array"),
    ("empty.npy", "no plain array"),
    ("none.npy", "No such file"),
    ("\x00.npy", "no plain array"),
    ("a.txt", "not a .npy or .npz file"),
]


@pytest.mark.parametrize(("name", "said"), BAD_FILES)
def test_bad_files(files, name, said):
    with pytest.raises(BadValue) as caught:
        inputs.value(f"@{files}/{name}")
    assert said in caught.value.what.en
    assert caught.value.what.pt != caught.value.what.en


FAULTS = [
    ("y", "“y” is not NAME=VALUE"),
    ("=3", "“=3” is not NAME=VALUE"),
    ("a b=3", "“a b=3” is not NAME=VALUE"),
    ("\x1b[31m", "“�[31m” is not NAME=VALUE"),
    ("x=", "x: there is no value after ="),
    ("x=abc", "x: cannot read “abc” as a number"),
    ("x=2**10**10", "x: cannot read “2**10**10” as a number"),
    ("x=__import__('os')", "x: cannot read “__import__('os')” as a number"),
    ("x=true", "x: cannot read “true” as a number"),
    ('x="hi"', 'x: “"hi"” is not a number'),
    ('x={"a": 1}', 'x: “{"a": 1}” is not a number'),
    ('x=[1, "2"]', 'x: “"2"” is not a number'),
    ("x=[null]", "x: “null” is not a number"),
    ("x=[true]", "x: “true” is not a number"),
    ("x=[[1,2],[3]]", "x: the rows differ in shape: (2,) and (1,)"),
    ("x=[1,[2]]", "x: the rows differ in shape: a single number and (1,)"),
    ("x=[1,2", "x: not JSON, at character 5"),
    ("x=[1,,2]", "x: not JSON, at character 4"),
    ("x=" + "[" * 33 + "]" * 33, "x: lists are nested more than 32 deep"),
    ("x=" + "[" * 100_000, "x: lists are nested more than 32 deep"),
    ("x=[" + "1," * 600_000 + "1]", "x: more than 1000000 characters"),
]


@pytest.mark.parametrize(("word", "said"), FAULTS)
def test_faults_are_named(word, said):
    given = inputs.take([word])
    assert not given.values
    (fault,) = given.faults
    assert said in fault.en
    assert fault.pt != fault.en
    assert len(fault.en) < 200


def test_every_fault_is_noted_and_the_good_values_kept():
    given = inputs.take(["x=1", "x=2", "µ=3", "y=abc", "z"])
    assert given.values == {"x": 1.0, "μ": 3.0}
    assert given.names == ("x", "μ", "y")
    assert [fault.en.split(" ")[0] for fault in given.faults] == ["x", "y:", "“z”"]


def test_brackets_in_texts_do_not_count():
    with pytest.raises(BadValue, match="not a number"):
        inputs.value('["' + "[" * 50 + '"]')
