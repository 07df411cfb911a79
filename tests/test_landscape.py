"""Landscapes: the curves of `fit`, cached so that no stale, damaged or foreign entry can give wrong numbers."""

import ast
import importlib
import os
import pickle
import shutil
import stat
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpt_helpers import landscape as module
from hpt_helpers.data import load_splits
from hpt_helpers.landscape import landscape
from hpt_helpers.training import fit

IRIS = load_splits("iris")
CONFIGS = [
    {"lr": 0.01, "batch_size": 16, "hidden_size": 8},
    {"lr": 0.1, "batch_size": 32},
    {"lr": 0.05, "batch_size": 90, "hidden_size": 3},
]
DIVERGING = {"lr": 1e200, "batch_size": 16}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Return the path of this test's own cache folder, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HPT_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def trainings(monkeypatch):
    """Return a list that grows by one for each call of the trainer."""
    calls = []

    def counting(configs, *args, **kwargs):
        calls.append(len(configs))
        return original(configs, *args, **kwargs)

    original = module.fit_many
    monkeypatch.setattr(module, "fit_many", counting)
    return calls


def make(configs=CONFIGS, splits=IRIS, n_epochs=3, seeds=(0, 4)):
    return landscape(configs, splits, n_epochs=n_epochs, seeds=seeds)


def assert_same(one, two):
    np.testing.assert_array_equal(one.val_loss, two.val_loss)
    np.testing.assert_array_equal(one.val_accuracy, two.val_accuracy)


def the_entry(cache):
    (entry,) = cache.iterdir()
    return entry


# --- what it holds --------------------------------------------------------------------------------


def test_its_curves_are_those_of_fit():
    found = make()
    assert found.val_loss.shape == found.val_accuracy.shape == (3, 2, 3)
    for i, config in enumerate(CONFIGS):
        for j, seed in enumerate((0, 4)):
            curve = fit(config, IRIS, n_epochs=3, seed=seed)
            np.testing.assert_allclose(found.val_loss[i, j], curve.val_loss, rtol=0, atol=1e-9)
            np.testing.assert_array_equal(found.val_accuracy[i, j], curve.val_accuracy)


def test_a_number_of_seeds_means_that_many_from_0():
    assert_same(make(seeds=3), make(seeds=[0, 1, 2]))


def test_lookup_counts_epochs_from_1():
    found = make()
    curve = fit(CONFIGS[1], IRIS, n_epochs=3, seed=4)
    for epoch in (1, 2, 3):
        loss, accuracy = found.lookup(CONFIGS[1], epoch, 4)
        assert loss == pytest.approx(curve.val_loss[epoch - 1], abs=1e-9) and accuracy == curve.val_accuracy[epoch - 1]


def test_lookup_takes_a_config_in_any_order_with_numpy_values_and_the_default_hidden_size():
    found = make()
    expected = found.lookup({"lr": 0.1, "batch_size": 32, "hidden_size": 16}, 2, 0)
    assert found.lookup({"batch_size": np.int64(32), "lr": np.float64(0.1)}, np.int64(2), np.int64(0)) == expected


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (({"lr": 0.02, "batch_size": 16, "hidden_size": 8}, 1, 0), ValueError, "not among the landscape's 3"),
        ((CONFIGS[0], 0, 0), ValueError, "epoch is 0"),
        ((CONFIGS[0], 4, 0), ValueError, "epoch is 4; the landscape has 3"),
        ((CONFIGS[0], -1, 0), ValueError, "epoch is -1"),
        ((CONFIGS[0], 1.5, 0), TypeError, "epoch is 1.5"),
        ((CONFIGS[0], 1, 1), ValueError, "seed is 1"),
    ],
)
def test_lookup_of_what_is_not_there(arguments, error, says):
    with pytest.raises(error, match=says):
        make().lookup(*arguments)


def test_the_table_has_a_row_for_each_configuration_and_seed():
    found = make()
    table = found.table(2)
    assert list(table.columns) == ["lr", "batch_size", "hidden_size", "epochs", "seed", "val_loss", "val_accuracy"]
    assert list(table.index) == list(range(6))
    assert table["seed"].tolist() == [0, 4] * 3 and table["hidden_size"].tolist() == [8, 8, 16, 16, 3, 3]
    for r in table.to_dict("records"):
        config = {k: r[k] for k in ("lr", "batch_size", "hidden_size")}
        assert (r["val_loss"], r["val_accuracy"]) == found.lookup(config, 2, r["seed"])
    assert isinstance(table, pd.DataFrame)
    for bad in (0, 4, [1, 4]):
        with pytest.raises(ValueError, match="epoch"):
            found.table(bad)


def test_the_table_of_several_epochs_is_theirs_in_turn():
    found = make()
    table = found.table([3, 1])
    assert table["epochs"].tolist() == [3] * 6 + [1] * 6 and list(table.index) == list(range(12))
    pd.testing.assert_frame_equal(table[:6], found.table(3))
    pd.testing.assert_frame_equal(table[6:].reset_index(drop=True), found.table(np.int64(1)))


@pytest.mark.parametrize("epoch", [1, 3])
def test_the_best_has_the_lowest_mean_loss_over_seeds(epoch):
    found = make(seeds=5)
    means = [np.mean([fit(c, IRIS, n_epochs=3, seed=s).val_loss[epoch - 1] for s in range(5)]) for c in CONFIGS]
    assert found.best(epoch) == {"hidden_size": 16} | CONFIGS[int(np.argmin(means))]


def test_one_that_diverges_is_nan_and_never_the_best():
    found = make([DIVERGING, *CONFIGS])
    assert np.isnan(found.val_loss[0]).all() and np.isfinite(found.val_loss[1:]).all()
    assert found.best(3) == make().best(3)
    with pytest.raises(ValueError, match="every configuration diverged"):
        make([DIVERGING]).best(1)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"configs": []}, ValueError),
        ({"seeds": []}, ValueError),
        ({"seeds": 0}, ValueError),
        ({"seeds": [-1]}, ValueError),
        ({"seeds": [0.5]}, TypeError),
        ({"n_epochs": 0}, ValueError),
        ({"n_epochs": 2.5}, TypeError),
        ({"configs": [{"lr": 0.01, "batch_size": 1000}]}, ValueError),
        ({"configs": [{"lr": 0.01, "batch_size": 16.5}]}, TypeError),
    ],
)
def test_bad_arguments_are_refused(arguments, error):
    with pytest.raises(error):
        make(**arguments)


# --- the cache ------------------------------------------------------------------------------------


def test_a_second_call_reads_the_file_instead_of_training(trainings, cache):
    first = make()
    assert trainings == [6]
    assert_same(make(), first)
    assert trainings == [6]
    assert [p.suffix for p in cache.iterdir()] == [".npz"]


def test_what_is_returned_is_what_the_file_says(trainings, cache):
    """Not some copy in memory: change the numbers in the file and the change comes back."""
    first = make()
    np.savez(the_entry(cache), val_loss=first.val_loss + 1, val_accuracy=first.val_accuracy)
    np.testing.assert_array_equal(make().val_loss, first.val_loss + 1)
    assert trainings == [6]


def test_nan_survives_the_cache(trainings):
    assert_same(make([DIVERGING, *CONFIGS]), make([DIVERGING, *CONFIGS]))
    assert len(trainings) == 1


def test_equal_inputs_in_other_types_share_an_entry(trainings):
    make()
    make([{k: np.array(v)[()] for k, v in c.items()} for c in CONFIGS], seeds=np.array([0, 4]), n_epochs=np.int64(3))
    make([dict(reversed(c.items())) for c in CONFIGS], splits=load_splits("iris"))
    assert len(trainings) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"configs": [CONFIGS[0] | {"lr": float(np.nextafter(0.01, 1))}, *CONFIGS[1:]]},
        {"configs": [CONFIGS[0] | {"batch_size": 17}, *CONFIGS[1:]]},
        {"configs": [CONFIGS[0] | {"hidden_size": 9}, *CONFIGS[1:]]},
        {"configs": CONFIGS[::-1]},
        {"configs": CONFIGS[:2]},
        {"splits": load_splits("wine")},
        {"splits": load_splits("iris", seed=43)},
        {"splits": load_splits("iris", scaled=False)},
        {"n_epochs": 4},
        {"seeds": (0, 5)},
        {"seeds": (4, 0)},
        {"seeds": (0, 4, 5)},
    ],
)
def test_an_entry_is_named_by_configurations_data_epochs_and_seeds(changed, trainings):
    make()
    make(**changed)
    assert len(trainings) == 2


@pytest.mark.parametrize("part", ["X_train", "y_train", "X_val", "y_val"])
def test_one_changed_value_of_the_data_is_other_data(part, trainings):
    make()
    changed = load_splits("iris")
    values = getattr(changed, part).view(-1)
    values[values.argmax()] = 0
    make(splits=changed)
    assert len(trainings) == 2


def modules_behind(name):
    """Return the names of the package's modules that this one imports, directly or not, itself included."""
    found, waiting = set(), [name]
    while waiting:
        found.add(name := waiting.pop())
        tree = ast.parse(Path(importlib.import_module(name).__file__).read_text())
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        waiting += [m for m in imported if m and m.startswith("hpt_helpers.") and m not in found]
    return found


# What training's numbers can depend on, from the imports themselves. A bar changes no number.
TRAINING_MODULES = sorted(modules_behind("hpt_helpers.population") - {"hpt_helpers.progress"})


def test_the_training_modules_are_known():
    names = {"data", "model", "training", "stack", "population"}
    assert set(TRAINING_MODULES) >= {f"hpt_helpers.{name}" for name in names}


@pytest.mark.parametrize("name", TRAINING_MODULES)
def test_a_change_to_a_training_module_cannot_serve_stale_curves(name, trainings, tmp_path, monkeypatch):
    make()
    changed = importlib.import_module(name)
    copy = tmp_path / "changed.py"
    copy.write_bytes(Path(changed.__file__).read_bytes() + b"\n")
    monkeypatch.setattr(changed, "__file__", str(copy))
    make()
    assert len(trainings) == 2
    make()
    assert len(trainings) == 2


def test_the_name_is_a_sha_256(cache):
    make()
    name = the_entry(cache).stem
    assert len(name) == 64 and int(name, 16) >= 0


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_the_folder_and_its_files_are_private(cache):
    previous = os.umask(0)
    try:
        make()
    finally:
        os.umask(previous)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(the_entry(cache).stat().st_mode) == 0o600


def test_without_the_variable_the_users_cache_folder_is_used(tmp_path, monkeypatch, trainings):
    monkeypatch.delenv("HPT_CACHE_DIR")
    asked = []

    def user_cache_dir(*args, **kwargs):
        asked.append(args)
        return str(tmp_path / "home" / "hpt_helpers")

    monkeypatch.setattr(module.platformdirs, "user_cache_dir", user_cache_dir)
    make()
    assert asked == [("hpt_helpers",)]
    assert len(list((tmp_path / "home" / "hpt_helpers").iterdir())) == 1


# --- folders that are not used --------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_may_write_is_refused_with_one_warning(mode, cache, trainings):
    expected = make()
    entry = the_entry(cache)
    np.savez(entry, val_loss=expected.val_loss - 1, val_accuracy=expected.val_accuracy)  # a stranger's
    cache.chmod(mode)
    with pytest.warns(UserWarning, match="others may write") as warned:
        assert_same(make(), expected)
    assert len(warned) == 1 and warned[0].filename == __file__
    assert_same(make(), expected)  # quiet: once is enough
    assert len(trainings) == 3
    cache.chmod(0o700)
    np.testing.assert_array_equal(make().val_loss, expected.val_loss - 1)  # so it was not written either


@pytest.mark.skipif(os.name != "posix", reason="owners are POSIX")
def test_a_folder_of_another_user_is_refused(cache, monkeypatch):
    expected = make()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.warns(UserWarning, match="belongs to another user"):
        assert_same(make(), expected)


@pytest.mark.parametrize("where", ["cache", "cache/below"])
def test_a_folder_that_cannot_be_made_means_no_cache_and_one_warning(where, tmp_path, monkeypatch, trainings):
    """A file in the way of the folder: unlike permission bits, it stops root as well."""
    (tmp_path / "cache").write_text("in the way")
    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path / where))
    with pytest.warns(UserWarning, match="no cache in") as warned:
        found = make()
    assert len(warned) == 1 and warned[0].filename == __file__
    assert_same(make(), found)  # quiet
    assert len(trainings) == 2
    assert (tmp_path / "cache").read_text() == "in the way"


def test_a_folder_that_cannot_be_written_means_no_cache_and_one_warning(cache, monkeypatch, trainings):
    cache.mkdir(mode=0o700)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != cache)
    with pytest.warns(UserWarning, match="it cannot be written"):
        make()
    make()
    assert len(trainings) == 2 and not any(cache.iterdir())


def test_a_full_disk_means_no_cache_and_one_warning_and_leaves_nothing_behind(cache, monkeypatch, trainings):
    def full(file, **arrays):
        file.write(b"some of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.np, "savez", full)
    with pytest.warns(UserWarning, match="No space left") as warned:
        found = make()
    assert len(warned) == 1 and warned[0].filename == __file__
    assert_same(make(), found)
    assert len(trainings) == 2 and not any(cache.iterdir())


# --- damaged entries ------------------------------------------------------------------------------


def truncate(entry):
    entry.write_bytes(entry.read_bytes()[:-200])


def empty(entry):
    entry.write_bytes(b"")


def nonsense(entry):
    entry.write_bytes(b"this is no archive")


def flip_a_bit_of_a_loss(entry):
    content = bytearray(entry.read_bytes())
    content[content.index(b"NUMPY") + 200] ^= 1
    entry.write_bytes(content)


def one_array_only(entry):
    np.savez(entry, val_loss=np.zeros((3, 2, 3)))


def wrong_shape(entry):
    np.savez(entry, val_loss=np.zeros((3, 2, 4)), val_accuracy=np.zeros((3, 2, 4)))


def wrong_type(entry):
    np.savez(entry, val_loss=np.zeros((3, 2, 3), np.float32), val_accuracy=np.zeros((3, 2, 3), np.float32))


def a_plain_array(entry):
    with open(entry, "wb") as file:
        np.save(file, np.zeros((3, 2, 3)))


DAMAGES = [truncate, empty, nonsense, flip_a_bit_of_a_loss, one_array_only, wrong_shape, wrong_type, a_plain_array]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
def test_a_damaged_entry_is_computed_again_with_a_warning(damage, cache, trainings):
    expected = make()
    damage(the_entry(cache))
    with pytest.warns(UserWarning, match="is damaged") as warned:
        assert_same(make(), expected)
    assert len(warned) == 1 and warned[0].filename == __file__
    assert_same(make(), expected)  # quiet: the entry has been mended
    assert len(trainings) == 2


def test_no_flipped_bit_gives_wrong_numbers(cache):
    """Every byte of an entry in turn: the numbers come back right, or not at all."""
    expected = make(CONFIGS[:1], n_epochs=1, seeds=1)
    entry, arrays = the_entry(cache), (expected.val_loss, expected.val_accuracy)
    content = entry.read_bytes()
    n_refused = 0
    with pytest.warns(UserWarning, match="is damaged"):
        for i in range(len(content)):
            flipped = bytearray(content)
            flipped[i] ^= 1 << i % 8
            entry.write_bytes(flipped)
            found = module._read(entry, (1, 1, 1))
            n_refused += found is None
            assert found is None or all(np.array_equal(a, b) for a, b in zip(found, arrays, strict=True))
    assert n_refused > len(content) / 2


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("form", ["pickle", "object array"])
def test_a_pickle_in_the_cache_is_never_loaded(form, cache, tmp_path, trainings):
    expected = make()
    sprung, entry = tmp_path / "sprung", the_entry(cache)
    if form == "pickle":
        entry.write_bytes(pickle.dumps(Trap(sprung)))
    else:
        trapped = np.empty((3, 2, 3), dtype=object)
        trapped[:] = Trap(sprung)
        np.savez(entry, val_loss=trapped, val_accuracy=trapped)
    with pytest.warns(UserWarning, match="is damaged"):
        assert_same(make(), expected)
    assert len(trainings) == 2 and not sprung.exists()


def test_an_entry_is_a_checksummed_archive_of_two_plain_arrays(cache):
    make()
    with zipfile.ZipFile(the_entry(cache)) as archive:
        assert sorted(archive.namelist()) == ["val_accuracy.npy", "val_loss.npy"]
        assert archive.testzip() is None and all(i.CRC for i in archive.infolist())


def test_an_entry_appears_whole(cache, monkeypatch):
    """Written under another name and then moved: no reader ever sees half an entry."""
    moves = []

    def replace(source, target):
        moves.append((Path(source), Path(target)))
        assert not Path(target).exists()
        with np.load(source) as whole:
            assert set(whole) == {"val_loss", "val_accuracy"}
        return move(source, target)

    move = os.replace
    monkeypatch.setattr(module.os, "replace", replace)
    make()
    ((source, target),) = moves
    assert source.parent == target.parent == cache and source.suffix != ".npz"
    assert [p for p in cache.iterdir()] == [target]


def test_an_interrupt_while_writing_leaves_no_entry(cache, monkeypatch, trainings):
    def interrupted(file, **arrays):
        file.write(b"some of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.np, "savez", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make()
    assert not any(cache.iterdir())
    make()
    assert len(trainings) == 2


def test_a_removed_cache_is_made_again(cache, trainings):
    first = make()
    shutil.rmtree(cache)
    assert_same(make(), first)
    assert len(trainings) == 2 and len(list(cache.iterdir())) == 1
