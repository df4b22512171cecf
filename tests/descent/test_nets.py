"""The given network: right gradients in both modes, honest records, resumable trainings."""

import os
import subprocess
import sys
from functools import partial

import nbclient
import nbformat
import numpy as np
import pytest
from descent.data import blobs, digits, patterns, spirals, split
from descent.nets import (
    Checkpoint,
    CheckpointError,
    Network,
    load_checkpoint,
    refresh_statistics,
    save_checkpoint,
    train,
)
from descent.progress_bar import ProgressBar
from hypothesis import given, settings
from hypothesis import strategies as st

seeds = st.integers(0, 2**32 - 1)
hidden = st.lists(st.integers(2, 7), max_size=3)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return split(*blobs(rng, num_features=4, distance=6), rng)


def numerical_gradients(loss_at, params, h=1e-5):
    """Centred differences of every coordinate of every parameter."""
    grads = {name: np.empty_like(w) for name, w in params.items()}
    for name, w in params.items():
        for at in np.ndindex(w.shape):
            kept = w[at]
            w[at] = kept + h
            plus = loss_at(params)
            w[at] = kept - h
            minus = loss_at(params)
            w[at] = kept
            grads[name][at] = (plus - minus) / (2 * h)
    return grads


def jittered(network, rng):
    """The network's parameters away from their special starting values (zeros and ones)."""
    return {name: w + 0.3 * rng.standard_normal(w.shape) for name, w in network.params.items()}


@given(seeds, hidden, st.booleans(), st.booleans(), st.sampled_from([0.0, 0.7]))
@settings(max_examples=40, deadline=None)
def test_gradients_agree_with_centred_differences(seed, hidden, batch_norm, training, reg):
    rng = np.random.default_rng(seed)
    # tanh has no kinks, so that every coordinate of every example counts.
    network = Network((3, *hidden, 4), rng, activation="tanh", batch_norm=batch_norm)
    for name in network.running:
        network.running[name] += rng.uniform(0, 0.5, network.running[name].shape)
    X, y = rng.standard_normal((9, 3)), rng.integers(0, 4, 9)
    params = jittered(network, rng)

    def loss_at(params):
        return network.loss_and_grads(params, X, y, reg=reg, train=training)[0]

    _, grads = network.loss_and_grads(params, X, y, reg=reg, train=training)
    for name, expected in numerical_gradients(loss_at, params).items():
        np.testing.assert_allclose(grads[name], expected, rtol=1e-5, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_relu_gradients_agree_where_no_kink_is_near(batch_norm, training):
    rng = np.random.default_rng(5)
    network = Network((3, 6, 5, 4), rng, batch_norm=batch_norm)
    X, y = rng.standard_normal((12, 3)), rng.integers(0, 4, 12)
    params = jittered(network, rng)

    def loss_at(params):
        return network.loss_and_grads(params, X, y, train=training)[0]

    _, grads = network.loss_and_grads(params, X, y, train=training)
    for name, expected in numerical_gradients(loss_at, params, h=1e-6).items():
        np.testing.assert_allclose(grads[name], expected, rtol=1e-4, atol=1e-8, err_msg=name)


def test_the_loss_is_the_mean_cross_entropy_with_half_the_squared_weights():
    rng = np.random.default_rng(1)
    network = Network((5, 4, 3), rng)
    X, y = rng.standard_normal((7, 5)), rng.integers(0, 3, 7)
    params = jittered(network, rng)
    of_truth = network.probabilities(X, params)[np.arange(7), y]
    penalty = sum((params[name] ** 2).sum() for name in ("W1", "W2"))
    value, _ = network.loss_and_grads(params, X, y, reg=2.0)
    np.testing.assert_allclose(value, -np.log(of_truth).mean() + penalty, rtol=1e-12)


def test_huge_scores_keep_the_loss_finite():
    network = Network((1, 3), np.random.default_rng(0), init=lambda n, m, rng: [[0, 1e4, -1e4]])
    value, grads = network.loss_and_grads(network.params, np.ones((2, 1)), np.array([1, 2]))
    np.testing.assert_allclose(value, 1e4)
    assert all(np.isfinite(grad).all() for grad in grads.values())


@given(seeds, st.booleans())
@settings(max_examples=20, deadline=None)
def test_asking_changes_nothing(seed, batch_norm):
    rng = np.random.default_rng(seed)
    network = Network((4, 6, 3), rng, batch_norm=batch_norm)
    X, y = rng.standard_normal((8, 4)), rng.integers(0, 3, 8)
    kept = [X.copy(), y.copy()], network.copy()
    first = network.loss_and_grads(network.params, X, y, reg=1.0)
    network.predict(X), network.probabilities(X), network.activations(X)
    again = network.loss_and_grads(network.params, X, y, reg=1.0)
    assert first[0] == again[0]
    for name, grad in first[1].items():
        np.testing.assert_array_equal(grad, again[1][name])
        assert grad is not again[1][name]
    np.testing.assert_array_equal(X, kept[0][0])
    same_state(network, kept[1])


def same_state(network, other):
    for mine, theirs in ((network.params, other.params), (network.running, other.running)):
        assert list(mine) == list(theirs)
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


def test_parameters_carry_the_courses_names():
    rng = np.random.default_rng(0)
    plain = Network((4, 6, 5, 3), rng)
    assert {name: w.shape for name, w in plain.params.items()} == {
        "W1": (4, 6), "b1": (6,), "W2": (6, 5), "b2": (5,), "W3": (5, 3), "b3": (3,),
    }  # fmt: skip
    normed = Network((4, 6, 3), rng, batch_norm=True)
    assert list(normed.params) == ["W1", "gamma1", "beta1", "W2", "b2"]
    assert list(normed.running) == ["mean1", "var1"]


@pytest.mark.parametrize(
    ("init", "std"),
    [("zeros", 0), ("small", 0.01), ("unit", 1), ("xavier", 0.1), ("glorot", 0.08164965809),
     ("he", 0.1414213562), (0.3, 0.3)],
)  # fmt: skip
def test_initial_weights_have_the_named_spread(init, std):
    network = Network((100, 200, 3), np.random.default_rng(0), init=init)
    np.testing.assert_allclose(network.params["W1"].std(), std, rtol=0.02)
    assert not network.params["b1"].any()


def test_batch_norm_normalises_by_the_batch_when_training_and_by_averages_after():
    rng = np.random.default_rng(3)
    network = Network((4, 5, 3), rng, batch_norm=True, activation="tanh")
    X = 10 + 3 * rng.standard_normal((50, 4))
    y = rng.integers(0, 3, 50)
    pre = X @ network.params["W1"]
    network.loss_and_grads(network.params, X, y)
    network.update_running(momentum=0.9)
    np.testing.assert_allclose(network.running["mean1"], 0.1 * pre.mean(axis=0))
    np.testing.assert_allclose(network.running["var1"], 0.9 + 0.1 * pre.var(axis=0))
    alone = np.vstack([network.scores(row[None]) for row in X])
    np.testing.assert_allclose(alone, network.scores(X), rtol=1e-9, atol=1e-12)


def test_refreshed_statistics_are_those_of_the_data_under_the_present_parameters():
    rng = np.random.default_rng(3)
    network = Network((4, 6, 5, 3), rng, batch_norm=True)
    X, y = 2 + rng.standard_normal((60, 4)), rng.integers(0, 3, 60)
    refresh_statistics(network, X)
    np.testing.assert_allclose(network.running["mean1"], (X @ network.params["W1"]).mean(axis=0))
    # With the whole set as the batch, both modes must now see the same numbers in every layer.
    seen, running = (
        network.loss_and_grads(network.params, X, y, train=mode)[0] for mode in (True, False)
    )
    np.testing.assert_allclose(seen, running, rtol=1e-12)


def test_layer_report_and_activations_describe_the_hidden_layers():
    rng = np.random.default_rng(4)
    X = rng.standard_normal((30, 4))
    for activation, saturated in (("relu", lambda a: a == 0), ("tanh", lambda a: abs(a) > 0.99)):
        network = Network((4, 8, 6, 3), rng, activation=activation, init=2.0)
        outputs = network.activations(X)
        report = network.layer_report()
        assert [out.shape for out in outputs] == [(30, 8), (30, 6)]
        np.testing.assert_allclose(report["std"], [out.std() for out in outputs])
        np.testing.assert_allclose(report["mean"], [out.mean() for out in outputs])
        np.testing.assert_allclose(report["saturated"], [saturated(out).mean() for out in outputs])


# --- training ---------------------------------------------------------------------------------


def descend_in_place(w, dw, state=None, *, learning_rate):
    w -= learning_rate * dw
    return w, state


def descend(w, dw, state=None, *, learning_rate):
    return w - learning_rate * dw, state


def heavy_ball(w, dw, state=None, *, learning_rate, mu=0.9):
    state = {"v": np.zeros_like(w), "steps": (0,)} if state is None else state
    velocity = mu * state["v"] - learning_rate * dw
    return w + velocity, {"v": velocity, "steps": (state["steps"][0] + 1,)}


def training(data, rule=None, *, seed=1, batch_norm=False, dtype=float, **settings):
    rng = np.random.default_rng(seed)
    network = Network((data.num_features, 12, data.num_classes), rng, batch_norm=batch_norm,
                      dtype=dtype)  # fmt: skip
    settings = {
        "learning_rate": 0.1,
        "batch_size": 32,
        "num_epochs": 4,
        "progress": False,
    } | settings
    return network, train(network, data, rule, rng=rng, **settings)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_digits_are_learnt(batch_norm, dtype):
    network, history = training(
        digits(), batch_norm=batch_norm, dtype=dtype, num_epochs=25, learning_rate=0.3
    )
    assert history.val_accuracy[-1] > 0.93
    assert history.loss[-1] < 0.2 * history.loss[0]
    assert all(w.dtype == dtype for w in network.params.values())


def test_spirals_need_the_hidden_layer():
    rng = np.random.default_rng(0)
    data = split(*spirals(rng), rng)
    _, history = training(data, heavy_ball, num_epochs=150)
    assert history.val_accuracy[-1] > 0.8


def test_filters_of_patterns_become_smooth():
    rng = np.random.default_rng(0)
    data = split(*patterns(rng), rng)
    network = Network((64, 24, 4), rng, init="small")

    def roughness():
        filters = network.params["W1"].T.reshape(-1, 8, 8)
        steps = np.square(np.diff(filters, axis=1)).sum() + np.square(np.diff(filters)).sum()
        return steps / np.square(filters).sum()

    at_first = roughness()
    train(network, data, learning_rate=0.3, num_epochs=40, batch_size=50, reg=5e-3, rng=rng,
          progress=False)  # fmt: skip
    assert roughness() < at_first / 4
    assert network.accuracy(data.X_val, data.y_val) > 0.95


@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_way_to_write_plain_descent_gives_the_same_training(data, batch_norm):
    (plain, record), *others = (
        training(data, rule, batch_norm=batch_norm) for rule in (None, descend, descend_in_place)
    )
    for network, history in others:
        for name in plain.params:
            np.testing.assert_allclose(network.params[name], plain.params[name], rtol=1e-12)
        for name, ratios in record.batch_ratio.items():
            np.testing.assert_allclose(history.batch_ratio[name], ratios, rtol=1e-6, err_msg=name)


def test_ratios_measure_the_update_that_was_made(data):
    moves = []

    def spy(w, dw, state=None, *, learning_rate):
        after, state = heavy_ball(w, dw, state, learning_rate=learning_rate)
        if w.shape == (4, 12):
            moves.append(np.linalg.norm(after - w) / np.linalg.norm(w))
        return after, state

    network, history = training(data, spy)
    np.testing.assert_allclose(history.batch_ratio["W1"], moves, rtol=1e-10)
    assert np.isnan(history.batch_ratio["b1"][0])
    assert set(history.batch_ratio) == set(network.params)
    batches = len(history.batch_loss) // 4
    last = [history.batch_ratio[name][-batches:] for name in ("W1", "W2")]
    np.testing.assert_allclose(history.update_ratio[-1], np.mean(last))


def test_every_example_is_seen_once_an_epoch_and_the_loss_is_their_mean(data):
    seen = []

    def spy(scores, rows):
        seen.append(rows)
        return float(len(rows)), np.zeros_like(scores)

    _, history = training(data, loss=spy, num_epochs=2)
    half = len(seen) // 2
    for epoch in (seen[:half], seen[half:]):
        assert sorted(np.concatenate(epoch)) == list(range(len(data.X_train)))
    assert [len(rows) for rows in seen[:half]] == [32] * 5 + [20]
    assert not np.array_equal(seen[0], seen[half])
    np.testing.assert_allclose(history.loss, (5 * 32**2 + 20**2) / 180)


def test_the_records_have_one_entry_an_epoch_or_iteration(data):
    network, history = training(data)
    assert set(history.epochs()) == {"loss", "train_accuracy", "val_accuracy", "update_ratio"}
    assert all(curve.shape == (4,) for curve in history.epochs().values())
    assert len(history) == len(history.layers) == len(history.val_loss) == 4
    assert len(history.batch_loss) == 4 * 6
    assert history.val_accuracy[-1] == network.accuracy(data.X_val, data.y_val)
    assert history.train_accuracy[-1] == network.accuracy(data.X_train, data.y_train)
    np.testing.assert_allclose(
        history.val_loss[-1],
        network.loss_and_grads(network.params, data.X_val, data.y_val, train=False)[0],
    )


def test_randomness_comes_from_the_generator_alone(data):
    first, again, other = (training(data, seed=seed)[1].batch_loss for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_schedules_go_by_epoch_or_by_iteration(data):
    halve = lambda rate0, epoch: rate0 * 0.5**epoch  # noqa: E731
    _, by_epoch = training(data, schedule=halve)
    assert by_epoch.learning_rate == [0.1, 0.05, 0.025, 0.0125]
    _, by_step = training(data, schedule=halve, schedule_every="iteration", num_epochs=1)
    np.testing.assert_allclose(by_step.learning_rate, [0.1 * 0.5**5])


def test_callbacks_see_every_epoch_may_set_the_rate_and_stop(data):
    seen = []

    def watch(run):
        seen.append((run.epoch, run.learning_rate, len(run.history)))
        run.learning_rate = 0.01
        return run.epoch == 3

    _, history = training(data, callbacks=[watch, lambda run: None], num_epochs=9)
    assert seen == [(1, 0.1, 1), (2, 0.01, 2), (3, 0.01, 3)]
    assert len(history) == 3


@pytest.mark.filterwarnings("error")
def test_a_diverging_training_is_recorded_without_warnings(data):
    _, history = training(data, learning_rate=1e30)
    assert len(history) == 4
    assert not np.isfinite(history.loss[-1])


def test_wrong_settings_and_rules_are_refused_in_a_sentence(data):
    with pytest.raises(ValueError, match=r"given W1 with shape \(4, 12\) and returned shape \(\)"):
        training(data, lambda w, dw, state=None, *, learning_rate: (0.0, state))
    with pytest.raises(ValueError, match="must be at least 1"):
        training(data, batch_size=0)
    with pytest.raises(ValueError, match="takes 64 features, the data have 4"):
        train(Network((64, 3), np.random.default_rng(0)), data, learning_rate=1,
              rng=np.random.default_rng(0))  # fmt: skip
    with pytest.raises(ValueError, match="activation must be one of"):
        Network((2, 2), np.random.default_rng(0), activation="sin")
    with pytest.raises(ValueError, match="init must be one of"):
        Network((2, 2), np.random.default_rng(0), init="lucky")
    with pytest.raises(ValueError, match=r"init must return shape \(2, 3\), not \(3,\)"):
        Network((2, 3), np.random.default_rng(0), init=lambda n, m, rng: np.ones(3))
    with pytest.raises(ValueError, match="sizes must be"):
        Network((2,), np.random.default_rng(0))
    with pytest.raises(ValueError, match="this network has"):
        Network((2, 2), np.random.default_rng(0)).load({"W1": np.ones((3, 2))})


# --- checkpoints ------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("rule", [None, heavy_ball, partial(heavy_ball, mu=0.5)])
def test_a_resumed_training_ends_as_an_uninterrupted_one(tmp_path, data, rule, batch_norm):
    path = tmp_path / "net.npz"

    def save(run):
        save_checkpoint(path, run.checkpoint(trial=7))
        return run.epoch == 3

    whole, expected = training(data, rule, batch_norm=batch_norm, num_epochs=6)
    training(data, rule, batch_norm=batch_norm, num_epochs=6, callbacks=[save])
    checkpoint = load_checkpoint(path)
    assert (checkpoint.epoch, checkpoint.notes) == (3, {"trial": 7})
    for _ in range(2):  # a checkpoint isn't used up by resuming from it
        network, history = training(
            data, rule, seed=99, batch_norm=batch_norm, num_epochs=6, resume=checkpoint
        )
        same_state(network, whole)
        assert history.batch_loss == expected.batch_loss
        assert history.val_accuracy == expected.val_accuracy


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(notes=st.dictionaries(st.text(), plain, max_size=3))
@settings(max_examples=60, deadline=None)
def test_plain_data_survive_the_disk(tmp_path_factory, notes):
    path = tmp_path_factory.mktemp("notes") / "c.npz"
    save_checkpoint(path, Checkpoint(params={"W1": np.arange(6.0).reshape(2, 3)}, notes=notes))
    loaded = load_checkpoint(path)
    assert loaded.notes == notes
    np.testing.assert_array_equal(loaded.params["W1"], [[0, 1, 2], [3, 4, 5]])


def test_numpy_numbers_and_nan_survive_the_disk(tmp_path):
    state = {"t": np.int64(3), "rate": np.float32(0.5), "loss": [float("nan"), float("inf")]}
    save_checkpoint(tmp_path / "c", Checkpoint(params={}, states=state))
    loaded = load_checkpoint(tmp_path / "c").states
    assert (loaded["t"], loaded["rate"]) == (3, 0.5)
    np.testing.assert_equal(loaded["loss"], state["loss"])


def test_every_truncated_or_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, Checkpoint(params={"W1": np.random.default_rng(0).random((8, 8))}))
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match=r"c\.npz is not a whole checkpoint"):
            load_checkpoint(path)
    body = whole.index(b"NUMPY") + 200
    path.write_bytes(whole[:body] + bytes([whole[body] ^ 1]) + whole[body + 1 :])
    with pytest.raises(CheckpointError):
        load_checkpoint(path)


@given(junk=st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_junk_is_never_a_checkpoint(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("junk") / "c.npz"
    path.write_bytes(junk)
    with pytest.raises(CheckpointError):
        load_checkpoint(path)


def test_foreign_archives_and_pickles_are_refused_unread(tmp_path):
    path = tmp_path / "c.npz"
    np.savez(path, W1=np.ones(3))
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    np.savez(path, tree=np.frombuffer(b'{"format": "other", "tree": {}}', np.uint8))
    with pytest.raises(CheckpointError, match="its format is 'other'"):
        load_checkpoint(path)

    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    np.savez(path, tree=np.array([Trap()], object))
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.npz")


def test_what_cannot_be_stored_is_named_and_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, Checkpoint(params={}, epoch=1))
    for state in (object(), np.array([object()]), {"f": print}):
        with pytest.raises(CheckpointError, match="can't be stored in a checkpoint"):
            save_checkpoint(path, Checkpoint(params={}, epoch=2, states={"W1": state}))
    assert load_checkpoint(path).epoch == 1
    assert [item.name for item in tmp_path.iterdir()] == ["c.npz"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_leaves_the_old_file_alone_and_nothing_beside_it(tmp_path):
    code = """
import resource, signal, sys
import numpy as np
from descent.nets import Checkpoint, load_checkpoint, save_checkpoint
path = sys.argv[1]
save_checkpoint(path, Checkpoint(params={}, epoch=1))
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    save_checkpoint(path, Checkpoint(params={"W1": np.ones(100_000)}, epoch=2))
except OSError:
    print("refused", load_checkpoint(path).epoch)
"""
    path = tmp_path / "c.npz"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.stdout.strip() == "refused 1", done.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["c.npz"]


# --- progress ---------------------------------------------------------------------------------


def test_scripts_and_graders_see_no_progress_bar(capfd, data):
    training(data, progress=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_sees_the_bar_move():
    code = (
        "import time\nfrom descent.progress_bar import ProgressBar\n"
        "with ProgressBar(4, 'epoch') as bar:\n"
        "    for done in range(1, 5):\n        time.sleep(0.15); bar.show(done, 'loss 1')\n"
    )
    ours, theirs = os.openpty()
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True)
    os.close(theirs)
    text = b""
    while True:
        try:
            text += os.read(ours, 4096)
        except OSError:
            break
        if not text or text.endswith(b"\r\n"):
            break
    os.close(ours)
    assert b"epoch 1/4" in text
    assert b"[########################] epoch 4/4" in text


def test_a_notebook_sees_one_display_updated_in_place():
    code = """
import time
from descent.progress_bar import ProgressBar
with ProgressBar(3, "epoch") as bar:
    for done in (1, 2, 3):
        time.sleep(0.15)
        bar.show(done, "<b>")
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    (output,) = nbclient.NotebookClient(notebook, timeout=60).execute().cells[0].outputs
    assert output.output_type == "display_data"
    assert "epoch 3/3" in output.data["text/plain"]
    assert "value='1.000'" in output.data["text/html"]
    assert "&lt;b&gt;" in output.data["text/html"]


def test_a_bar_that_is_switched_off_draws_nowhere():
    with ProgressBar(3, "epoch", enabled=False) as bar:
        bar.show(1)
    assert bar._draw is None
