"""The cache: that no stale, damaged or foreign entry can give wrong numbers.

What its keys tell apart is tested with `fingerprint`.
"""

import os
import pickle
import shutil
import stat
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from hpt_helpers.classroom.computing import cache as module
from hpt_helpers.classroom.computing.cache import cache_folder, cached, cached_each

ARRAYS = {
    "loss": np.linspace(0, 1, 12).reshape(3, 4),
    "name with a space / and more": np.arange(3),
    "none": np.empty(0),
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Return the path of this test's own cache folder, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HPT_CACHE_DIR", str(folder))
    return folder


COMPUTED = []  # grows by one for each computation


RETURNED = []  # what is computed next


def arrays_of(key, progress=None):
    """Return ARRAYS. A function of a module: its key has this file, and not what it changes."""
    COMPUTED.append((key, progress))
    return ARRAYS


def pops():
    return RETURNED.pop()


@pytest.fixture
def computed():
    COMPUTED.clear()
    return COMPUTED


@pytest.fixture
def make(computed):
    """Return a function that asks the cache for ARRAYS under a key."""
    return partial(cached, arrays_of, 1)


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def the_entry(cache):
    (entry,) = cache.iterdir()
    return entry


# --- what it gives back ---------------------------------------------------------------------------


def test_the_second_time_the_file_answers(make, cache, computed):
    assert_same(make(), ARRAYS)
    assert_same(make(), ARRAYS)
    assert len(computed) == 1 and [p.suffix for p in cache.iterdir()] == [".npz"]


def test_what_is_returned_is_what_the_file_says(make, cache, computed):
    """Not some copy in memory: change the numbers in the file and the change comes back."""
    make()
    entry = the_entry(cache)
    with np.load(entry) as stored:
        stamp, loss, *rest = (stored[name] for name in stored.files)
    np.savez(entry, stamp, loss + 1, *rest)
    assert_same(make(), ARRAYS | {"loss": ARRAYS["loss"] + 1})
    assert len(computed) == 1


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        st_numpy.arrays(
            st.sampled_from(["f8", "f4", "i8", "u1", "?", "c16", "U3"]),
            st_numpy.array_shapes(min_dims=0, min_side=0, max_side=4),
        ),
    )
)
def test_any_arrays_come_back_as_they_were(tmp_path_factory, arrays):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HPT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        RETURNED.append(arrays)
        assert_same(cached(pops), arrays)
        assert_same(cached(pops), arrays)  # there is nothing left to pop


def test_numbers_and_lists_come_back_as_arrays():
    RETURNED.append({"mean": 0.5, "losses": [0.5, np.nan]})
    for _ in range(2):
        found = cached(pops)
        assert_same(found, {"mean": np.array(0.5), "losses": np.array([0.5, np.nan])})


@pytest.mark.parametrize(
    "returned", [None, [1, 2], np.zeros(3), {1: np.zeros(3)}, {"x": np.array([{}])}]
)
def test_what_is_no_mapping_from_names_to_arrays_is_refused(returned, cache):
    RETURNED.append(returned)
    with pytest.raises(TypeError, match=r"function returned .*; names with arrays of numbers"):
        cached(pops)
    assert not any(cache.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_the_computation_raises_goes_on_and_nothing_is_kept(error, make, cache, computed):
    def fail():
        raise error

    with pytest.raises(error):
        cached(fail)
    assert not any(cache.iterdir())
    assert_same(make(), ARRAYS)


# --- the key --------------------------------------------------------------------------------------


def test_the_key_is_the_function_and_all_its_arguments_but_not_progress(cache, computed):
    for arguments in [(1,), (2,), ("1",), ([1, 2],), ([2, 1],)]:
        cached(arrays_of, *arguments, progress=True)
        cached(arrays_of, *arguments, progress=False)
    assert computed == [(1, True), (2, True), ("1", True), ([1, 2], True), ([2, 1], True)]
    assert_same(cached(lambda n: {"n": n}, 1), {"n": np.array(1)})
    assert len(list(cache.iterdir())) == 6


def test_each_of_several_is_an_entry_and_only_what_is_not_there_is_computed(computed):
    cached(arrays_of, 2)
    for found in cached_each(arrays_of, [(1,), (2,), (3,)]):
        assert_same(found, ARRAYS)
    cached(arrays_of, 3)
    assert computed == [(2, None), (1, None), (3, None)]


@pytest.mark.parametrize("library", ["torch", "numpy", "scikit-learn", "scikit-optimize", "scipy"])
def test_another_version_of_a_library_is_another_key(library, make, monkeypatch, computed):
    make()
    version = module.metadata.version
    monkeypatch.setattr(
        module.metadata, "version", lambda name: "99.9" if name == library else version(name)
    )
    make()
    make()
    assert len(computed) == 2


# --- the folder -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("unix")
def test_the_folder_and_its_files_are_private(make, cache):
    previous = os.umask(0)
    try:
        make()
    finally:
        os.umask(previous)
    assert cache_folder() == cache
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(the_entry(cache).stat().st_mode) == 0o600


def test_without_the_variable_the_users_cache_folder_is_used(tmp_path, monkeypatch, make):
    monkeypatch.delenv("HPT_CACHE_DIR")
    asked = []

    def user_cache_dir(*args, **kwargs):
        asked.append(args)
        return str(tmp_path / "home" / "hpt_helpers")

    monkeypatch.setattr(module.platformdirs, "user_cache_dir", user_cache_dir)
    make()
    assert set(asked) == {("hpt_helpers",)}
    assert len(list((tmp_path / "home" / "hpt_helpers").iterdir())) == 1


def assert_unusable(make, reason):
    """One warning, at the first call; and whoever asks for the folder is told the reason every
    time.
    """
    with pytest.warns(UserWarning, match=reason) as warned:
        assert_same(make(), ARRAYS)
    assert len(warned) == 1 and warned[0].filename == __file__
    assert_same(make(), ARRAYS)  # quiet: once is enough
    for _ in range(2):
        with pytest.raises(OSError, match=f"no cache in .*: .*{reason}"):
            cache_folder()


@pytest.mark.usefixtures("unix")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_may_write_is_refused_with_one_warning(mode, make, cache, computed):
    make()
    entry = the_entry(cache)
    before = entry.read_bytes(), entry.stat().st_mtime_ns
    cache.chmod(mode)
    assert_unusable(make, "others may write")
    assert len(computed) == 3 and before == (entry.read_bytes(), entry.stat().st_mtime_ns)
    cache.chmod(0o700)
    make()
    assert len(computed) == 3


@pytest.mark.usefixtures("unix")
def test_a_folder_of_another_user_is_refused(make, computed, monkeypatch):
    make()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert_unusable(make, "belongs to another user")
    assert len(computed) == 3


@pytest.mark.parametrize("where", ["cache", "cache/below"])
def test_a_folder_that_cannot_be_made_means_no_cache_and_one_warning(
    where, tmp_path, monkeypatch, make, computed
):
    """A file in the way of the folder: unlike permission bits, it stops root as well."""
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path / where))
    assert_unusable(make, "File exists" if where == "cache" else "Not a directory")
    assert len(computed) == 2
    assert (tmp_path / "cache").read_text(encoding="utf-8") == "in the way"


def test_a_folder_that_cannot_be_written_means_no_cache_and_one_warning(
    cache, monkeypatch, make, computed
):
    cache.mkdir(mode=0o700)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != cache)
    assert_unusable(make, "it cannot be written")
    assert len(computed) == 2 and not any(cache.iterdir())


def test_a_full_disk_means_no_cache_and_one_warning_and_leaves_nothing_behind(
    cache, monkeypatch, make, computed
):
    def full(file, *arrays):
        file.write(b"some of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.np, "savez", full)
    with pytest.warns(UserWarning, match="No space left") as warned:
        assert_same(make(), ARRAYS)
    assert len(warned) == 1 and warned[0].filename == __file__
    assert_same(make(), ARRAYS)  # quiet
    assert len(computed) == 2 and not any(cache.iterdir())


# --- damaged entries ------------------------------------------------------------------------------


def truncate(entry):
    entry.write_bytes(entry.read_bytes()[:-200])


def empty(entry):
    entry.write_bytes(b"")


def nonsense(entry):
    entry.write_bytes(b"this is no archive")


def flip_a_bit_of_a_number(entry):
    content = bytearray(entry.read_bytes())
    content[content.index(np.float64(1 / 11).tobytes())] ^= 1
    entry.write_bytes(content)


def an_archive_of_no_arrays(entry):
    np.savez(entry)


def an_archive_without_a_stamp(entry):
    np.savez(entry, **{f"arr_{i}": array for i, array in enumerate(ARRAYS.values())})


def one_array_less(entry):
    with np.load(entry) as stored:
        arrays = [stored[name] for name in stored.files]
    np.savez(entry, *arrays[:-1])


def the_entry_of_another_key(entry):
    RETURNED.append(ARRAYS)
    cached(pops)
    (other,) = set(entry.parent.iterdir()) - {entry}
    other.replace(entry)


def a_plain_array(entry):
    with open(entry, "wb") as file:
        np.save(file, np.zeros((3, 2, 3)))


DAMAGES = [
    truncate,
    empty,
    nonsense,
    flip_a_bit_of_a_number,
    an_archive_of_no_arrays,
    an_archive_without_a_stamp,
    one_array_less,
    the_entry_of_another_key,
    a_plain_array,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
def test_a_damaged_entry_is_computed_again_with_a_warning(damage, cache, make, computed):
    make()
    damage(the_entry(cache))
    with pytest.warns(UserWarning, match="is damaged") as warned:
        assert_same(make(), ARRAYS)
    assert len(warned) == 1 and warned[0].filename == __file__
    assert_same(make(), ARRAYS)  # quiet: the entry has been mended
    assert len(computed) == 2


def test_no_flipped_bit_gives_wrong_numbers_or_names(cache):
    """Every byte of an entry in turn: the arrays come back right, or not at all."""
    arrays = {"loss": np.array([0.5, 0.25]), "accuracy": np.array([1.0])}
    RETURNED.append(arrays)
    cached(pops)
    entry = the_entry(cache)
    content = entry.read_bytes()
    n_refused = 0
    with pytest.warns(UserWarning, match="is damaged"):
        for i in range(len(content)):
            flipped = bytearray(content)
            flipped[i] ^= 1 << i % 8
            entry.write_bytes(flipped)
            found = module._read(cache, entry.stem)
            n_refused += found is None
            if found is not None:
                assert_same(found, arrays)
    assert n_refused > len(content) / 2


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("form", ["pickle", "object array"])
def test_a_pickle_in_the_cache_is_never_loaded(form, cache, tmp_path, make, computed):
    make()
    sprung, entry = tmp_path / "sprung", the_entry(cache)
    if form == "pickle":
        entry.write_bytes(pickle.dumps(Trap(sprung)))
    else:
        trapped = np.empty((3, 4), dtype=object)
        trapped[:] = Trap(sprung)
        np.savez(entry, np.array([entry.stem, *ARRAYS]), trapped, *list(ARRAYS.values())[1:])
    with pytest.warns(UserWarning, match="is damaged"):
        assert_same(make(), ARRAYS)
    assert len(computed) == 2 and not sprung.exists()


def test_an_entry_appears_whole(make, cache, monkeypatch):
    """Written under another name and then moved: no reader ever sees half an entry."""
    moves = []

    def replace(source, target):
        moves.append((Path(source), Path(target)))
        assert not Path(target).exists()
        with np.load(source) as whole:
            assert len(whole.files) == 1 + len(ARRAYS)
        return move(source, target)

    move = os.replace
    monkeypatch.setattr(module.os, "replace", replace)
    make()
    ((source, target),) = moves
    assert source.parent == target.parent == cache and source.suffix != ".npz"
    assert [p for p in cache.iterdir()] == [target]


def test_an_interrupt_while_writing_leaves_no_entry(make, cache, monkeypatch, computed):
    def interrupted(file, *arrays):
        file.write(b"some of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.np, "savez", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make()
    assert not any(cache.iterdir())
    make()
    assert len(computed) == 2


def test_a_removed_cache_is_made_again(make, cache, computed):
    make()
    shutil.rmtree(cache)
    assert_same(make(), ARRAYS)
    assert len(computed) == 2 and len(list(cache.iterdir())) == 1
