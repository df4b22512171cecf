"""The bundled digits and the generated sets keep what their docstrings promise."""

import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
from descent.data import (
    Dataset,
    blobs,
    digits,
    patterns,
    ravine,
    scramble_features,
    spirals,
    split,
)
from descent_autograder.publishing.data_files.digits import digits_arrays
from hypothesis import given
from hypothesis import strategies as st

seeds = st.integers(0, 2**32 - 1)


def test_digits_have_the_documented_sizes_and_classes():
    data = digits()
    assert [len(data.y_train), len(data.y_val), len(data.y_test)] == [1097, 300, 400]
    assert np.bincount(data.y_val).tolist() == [30] * 10
    assert np.bincount(data.y_test).tolist() == [40] * 10
    assert (data.num_features, data.num_classes, data.image_shape) == (64, 10, (8, 8))


def test_digits_are_scaled_to_the_unit_interval():
    data = digits()
    assert data.X_train.dtype == np.float64
    for X in (data.X_train, data.X_val, data.X_test):
        assert X.min() == 0.0
        assert X.max() == 1.0


def test_centred_digits_lose_the_mean_of_the_training_set_alone():
    plain, centred = digits(), digits(center=True)
    np.testing.assert_allclose(centred.X_train.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(
        plain.X_test - centred.X_test, np.tile(plain.X_train.mean(axis=0), (400, 1)), atol=1e-14
    )
    assert abs(centred.X_test.mean(axis=0)).max() > 1e-3


def test_digits_keep_the_type_asked_for():
    assert digits(dtype=np.float32, center=True).X_val.dtype == np.float32


def test_no_picture_stands_in_two_sets():
    data = digits()
    pictures = {X.tobytes() for X in [*data.X_train, *data.X_val, *data.X_test]}
    assert len(pictures) == 1797


def test_the_digits_file_is_fresh_and_small():
    path = files("descent.data") / "digits.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        for name, expected in digits_arrays().items():
            np.testing.assert_array_equal(stored[name], expected, strict=True)
    assert len(path.read_bytes()) <= 100_000


def test_the_licence_travels_with_the_digits():
    text = (files("descent.data") / "digits-licence.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    assert "Alpaydin" in text


def test_importing_the_data_needs_numpy_alone():
    code = (
        "import sys; import descent.data; "
        "print([m for m in ('matplotlib', 'scipy', 'pooch', 'IPython', 'requests') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@given(seeds, st.integers(1, 30), st.integers(1, 6))
def test_spirals_and_blobs_have_the_shapes_asked_for(seed, num_per_class, num_classes):
    rng = np.random.default_rng(seed)
    sizes = {"num_per_class": num_per_class, "num_classes": num_classes}
    for X, y, features in (
        (*spirals(rng, **sizes), 2),
        (*blobs(rng, num_features=5, **sizes), 5),
        (*patterns(rng, size=3, **sizes), 9),
    ):
        assert X.shape == (num_per_class * num_classes, features)
        assert np.bincount(y).tolist() == [num_per_class] * num_classes
        assert np.isfinite(X).all()


@pytest.mark.parametrize("draw", [spirals, blobs, patterns, ravine])
def test_the_same_generator_state_gives_the_same_data(draw):
    first, again, other = (draw(np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


@given(seeds, st.floats(1.0, 1e4), st.floats(0, np.pi))
def test_the_ravine_has_exactly_the_condition_number_asked_for(seed, condition_number, angle):
    X, _ = ravine(np.random.default_rng(seed), condition_number=condition_number, angle=angle)
    eigenvalues, vectors = np.linalg.eigh(X.T @ X / len(X))
    np.testing.assert_allclose(eigenvalues, [1 / condition_number, 1.0], rtol=1e-9)
    if condition_number > 2:
        floor = vectors[:, 0]
        cosine = abs(floor @ [np.cos(angle), np.sin(angle)])
        np.testing.assert_allclose(cosine, 1, atol=1e-9)


def test_the_ravines_targets_come_from_unit_weights():
    X, y = ravine(np.random.default_rng(0), condition_number=2, num_examples=4000)
    weights, *_ = np.linalg.lstsq(X, y, rcond=None)
    np.testing.assert_allclose(weights, [1, 1], atol=0.01)
    np.testing.assert_allclose(np.std(y - X @ [1, 1]), 0.1, rtol=0.05)


def test_spirals_cannot_be_parted_by_lines_but_blobs_can():
    rng = np.random.default_rng(1)
    assert linear_accuracy(*spirals(rng, num_per_class=400)) < 0.65
    assert linear_accuracy(*blobs(rng, num_per_class=400, num_features=10, distance=12)) > 0.95


def test_every_pixel_of_the_patterns_varies_and_no_template_will_do():
    X, y = patterns(np.random.default_rng(2))
    assert X.std(axis=0).min() > 0.5
    assert linear_accuracy(X, y) < 0.5


@given(seeds)
def test_scrambling_keeps_every_column_and_breaks_the_rows(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 5))
    kept = X.copy()
    scrambled = scramble_features(X, rng)
    np.testing.assert_array_equal(X, kept)
    np.testing.assert_array_equal(np.sort(scrambled, axis=0), np.sort(X, axis=0))
    assert not np.array_equal(scrambled, X)


def test_scrambled_digits_generalise_no_better_than_chance():
    data = digits()
    scrambled = scramble_features(data.X_train, np.random.default_rng(0))
    weights = linear_fit(scrambled, data.y_train)
    accuracy = np.mean(predict(weights, data.X_val) == data.y_val)
    assert accuracy < 0.25


@given(seeds, st.integers(5, 60))
def test_split_uses_every_example_once(seed, num_examples):
    X = np.arange(num_examples, dtype=float)[:, None]
    data = split(X, np.arange(num_examples) % 3, np.random.default_rng(seed))
    rows = np.concatenate([data.X_train, data.X_val, data.X_test])[:, 0]
    assert sorted(rows) == X[:, 0].tolist()
    for part in ("train", "val", "test"):
        np.testing.assert_array_equal(
            getattr(data, f"X_{part}")[:, 0] % 3, getattr(data, f"y_{part}")
        )
    assert data.num_classes == 3


def test_nonsense_is_refused_in_a_sentence():
    rng = np.random.default_rng(0)
    data = digits()
    with pytest.raises(ValueError, match="leave a set empty"):
        split(np.ones((2, 1)), np.zeros(2, int), rng)
    with pytest.raises(ValueError, match="num_classes must be at least 1"):
        spirals(rng, num_classes=0)
    with pytest.raises(ValueError, match="condition_number must be at least 1"):
        ravine(rng, condition_number=np.nan)
    with pytest.raises(ValueError, match="between 1 and 1097"):
        data.subset(2000)
    with pytest.raises(ValueError, match="must be"):
        Dataset(*[np.ones(3)] * 6, num_classes=2)


def test_a_subset_takes_only_training_examples_away():
    data = digits()
    few = data.subset(20)
    np.testing.assert_array_equal(few.X_train, data.X_train[:20])
    np.testing.assert_array_equal(few.y_train, data.y_train[:20])
    assert few.X_val is data.X_val
    assert repr(few) == "Dataset(train=20, val=300, test=400, features=64, classes=10)"


def linear_fit(X, y):
    return np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), np.eye(y.max() + 1)[y])[0]


def predict(weights, X):
    return np.argmax(np.column_stack([X, np.ones(len(X))]) @ weights, axis=1)


def linear_accuracy(X, y):
    return np.mean(predict(linear_fit(X, y), X) == y)
