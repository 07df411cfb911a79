"""The record of a search: its table, the incumbent, ties, and the log that survives being cut."""

import binascii
import json
import math
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpt_helpers import trials as module
from hpt_helpers.trials import (
    DTYPES,
    append_trial,
    best,
    config_of,
    for_export,
    hold_log,
    incumbent,
    ranking,
    read_log,
    same_trials,
    ties,
    trial_record,
    trial_table,
)


def record(loss, n_epochs=10, accuracy=0.5, lr=0.01, **options):
    return trial_record(
        {"lr": lr, "batch_size": 16},
        n_epochs=n_epochs,
        val_loss=loss,
        val_accuracy=accuracy,
        **options,
    )


def table(*losses, n_epochs=None, accuracies=None):
    n_epochs = n_epochs or [10] * len(losses)
    accuracies = accuracies or [0.5] * len(losses)
    return trial_table(record(*row) for row in zip(losses, n_epochs, accuracies, strict=True))


# --- the table ------------------------------------------------------------------------------------


def test_columns_and_types():
    trials = trial_table(
        [
            record(0.3),
            record(math.nan, reason="diverged"),
            record(0.2, charged_epochs=4, runtime_s=1.5),
        ]
    )
    assert list(trials.columns) == [
        "lr",
        "batch_size",
        "n_epochs",
        "charged_epochs",
        "val_loss",
        "val_accuracy",
        "status",
        "reason",
        "runtime_s",
        "config",
    ]
    kinds = "".join(dtype.kind for dtype in trials.dtypes.drop(["status", "reason", "config"]))
    assert kinds == "fiiifff"
    assert all(isinstance(v, str) for name in ("status", "reason") for v in trials[name])
    assert trials.index.name == "trial" and trials.index.tolist() == [0, 1, 2]
    assert trials["status"].tolist() == ["ok", "failed", "ok"]
    assert trials["charged_epochs"].tolist() == [10, 10, 4]


def test_an_empty_search_has_the_same_columns_and_types():
    empty, full = trial_table([]), trial_table([record(0.3)])
    assert len(empty) == 0 and list(empty.columns) == [*DTYPES, "config"]
    assert empty.dtypes.to_dict() == full[[*DTYPES, "config"]].dtypes.to_dict()


def test_types_do_not_depend_on_what_failed():
    all_failed, none_failed = table(math.nan, math.nan), table(0.1, 0.2)
    assert all_failed.dtypes.to_dict() == none_failed.dtypes.to_dict()


def test_numpy_values_become_plain():
    config = {"lr": np.float64(0.01), "batch_size": np.int64(16)}
    made = trial_record(
        config, n_epochs=np.int64(3), val_loss=np.float64(0.5), val_accuracy=np.float32(0.5)
    )
    assert {type(v) for v in made["config"].values()} == {float, int}
    assert [type(made[k]) for k in ("n_epochs", "charged_epochs", "val_loss", "val_accuracy")] == [
        int,
        int,
        float,
        float,
    ]


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_a_failed_trial(loss):
    made = record(loss)
    assert made["status"] == "failed" and str(loss) in made["reason"]
    assert math.isnan(made["val_loss"]) and math.isnan(made["val_accuracy"])


@pytest.mark.parametrize("accuracy", [math.nan, math.inf, -math.inf])
def test_an_accuracy_that_is_not_finite_is_nan_in_a_trial_that_succeeded(accuracy):
    made = trial_record({"lr": 0.1}, n_epochs=3, val_loss=0.5, val_accuracy=accuracy)
    assert (made["status"], made["reason"], made["val_loss"]) == ("ok", "", 0.5)
    assert math.isnan(made["val_accuracy"])


def test_a_reason_makes_a_failed_trial_whatever_the_loss():
    made = record(0.1, reason="out of memory")
    assert (made["status"], made["reason"]) == ("failed", "out of memory") and math.isnan(
        made["val_loss"]
    )


def trials_of(*configs):
    return trial_table(trial_record(config, n_epochs=3, val_loss=0.1) for config in configs)


def test_a_configuration_comes_back_as_plain_values():
    trials = trials_of(
        {"lr": 0.01, "batch_size": 16, "name": "a"}, {"lr": 0.02, "batch_size": 32, "name": "b"}
    )
    config = config_of(trials, 1)
    assert config == {"lr": 0.02, "batch_size": 32, "name": "b"}
    assert [type(v) for v in config.values()] == [float, int, str]


def test_configurations_with_names_that_some_lack_come_back_exactly():
    configs = [
        {"lr": 0.1},
        {"lr": 0.1, "hidden_size": 8},
        {"layers": (8, [4]), "deep": {"a": None}},
        {"lr": None},
    ]
    trials = trials_of(*configs)
    assert repr([config_of(trials, i) for i in trials.index]) == repr(configs)
    # its label, wherever it stands
    assert repr(config_of(ties(trials).iloc[::-1], 2)) == repr(configs[2])


def test_who_changes_a_configuration_changes_no_table():
    given = {"layers": [8, 4]}
    trials = trials_of(given)
    given["layers"].append(2)
    config_of(trials, 0)["layers"].append(1)
    assert config_of(trials, 0) == {"layers": [8, 4]}


OF_TEXT = str(pd.Series(["any"]).dtype)  # "object" before pandas 3, and "str" from it on


@pytest.mark.parametrize(
    ("values", "dtype", "shown"),
    [
        ([1, 2], "int64", [1, 2]),
        ([0.5, 2.0], "float64", [0.5, 2.0]),
        ([1, 0.5], "float64", [1.0, 0.5]),  # numbers to compute with, none changed
        ([2**53 + 1, 0.5], "object", [2**53 + 1, 0.5]),  # which no float can hold
        ([8, None], "Int64", [8, pd.NA]),
        ([2**63, None], "object", [2**63, None]),
        ([True, False], "bool", [True, False]),
        ([True, None], "boolean", [True, pd.NA]),
        ([True, 1], "object", [True, 1]),
        (["relu", "tanh"], OF_TEXT, ["relu", "tanh"]),
        ([(8, 4), [8]], "object", [(8, 4), [8]]),
        ([None, None], "object", [None, None]),
    ],
)
def test_a_column_damages_no_value(values, dtype, shown):
    column = trials_of(*({"x": v} if v is not None else {} for v in values), {"x": values[0]})["x"]
    assert str(column.dtype) == dtype and repr(column.tolist()[:2]) == repr(shown)


def test_a_float_that_is_missing_is_nan():
    column = trials_of({"x": 0.5}, {}, {"x": 1.5})["x"]
    np.testing.assert_array_equal(column, [0.5, math.nan, 1.5])
    assert column.dtype == float


@pytest.mark.parametrize("name", ["trial", *DTYPES, "config"])
def test_a_name_that_the_table_uses_is_refused(name):
    with pytest.raises(ValueError, match=f"config has the name '{name}'"):
        trial_record({name: 3}, n_epochs=3, val_loss=0.1)


def test_a_trial_that_is_not_in_the_table_has_no_configuration():
    trials = trials_of({"lr": 0.1}, {"lr": 0.2})
    for table, trial in (
        (trials, 2),
        (trials, -1),
        (trials.iloc[1:], 0),
        (pd.concat([trials, trials]), 1),
    ):
        with pytest.raises(ValueError, match=f"trial is {trial}"):
            config_of(table, trial)
    with pytest.raises(KeyError, match=r"trials has no column 'config'; it has \['lr'\]"):
        config_of(trials[["lr"]], 0)


def test_what_is_no_table_is_refused():
    for use in (incumbent, lambda trials: config_of(trials, 0)):
        with pytest.raises(TypeError, match=r"trials is \[.*; .* trial_table\(read_log\(path\)\)"):
            use([record(0.3)])


MIXED = [
    {"n": 3, "activation": "relu", "layers": (8, 4)},
    {"n": None, "activation": 1.5, "layers": None},
    {"n": 5, "activation": None, "layers": (8,), "extra": True},
]


def test_a_table_can_be_written_and_a_configuration_is_not_read_as_text(tmp_path):
    trials = trials_of(*MIXED)
    exported = for_export(trials)
    assert exported["activation"].fillna("-").tolist() == ['"relu"', "1.5", "-"]
    assert exported["layers"].fillna("-").tolist() == ["[8, 4]", "-", "[8]"]
    assert exported["val_loss"].equals(trials["val_loss"]) and exported["n"].equals(trials["n"])
    assert json.loads(exported["config"][0]) == {"n": 3, "activation": "relu", "layers": [8, 4]}
    assert [config_of(trials, i) for i in range(3)] == MIXED  # as before
    for table in (trials, exported):
        table.to_csv(tmp_path / "trials.csv")
        read = pd.read_csv(tmp_path / "trials.csv", index_col="trial")
        with pytest.raises(
            TypeError, match=r"as from a CSV; keep the search's log, which is exact"
        ):
            config_of(read, 0)


def test_a_mixed_column_can_be_written_to_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    exported = for_export(trials_of(*MIXED))
    exported.to_parquet(tmp_path / "trials.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "trials.parquet"), exported, check_dtype=False
    )


# --- the best, the incumbent, ties ----------------------------------------------------------------


def test_one_winner_whatever_the_order_of_two_equal_losses():
    for losses, epochs in (([0.5 + 1e-12, 0.5], [9, 27]), ([0.5, 0.5 + 1e-12], [27, 9])):
        winner = best(losses, epochs)
        assert epochs[winner] == 9
        assert incumbent(table(*losses, n_epochs=epochs)) == winner
        assert ties(table(*losses, n_epochs=epochs)).index[0] == winner
        assert ranking(losses, epochs) == [winner, 1 - winner]


def test_many_small_steps_do_not_add_up():
    """2,000 losses .9e-9 apart: the lowest, and the second lowest alone is equal to it."""
    losses = [0.5 + 0.9e-9 * i for i in range(2000)]
    assert best(losses) == 0 and ranking(losses) == list(range(2000))
    falling = list(range(2000, 0, -1))  # the epochs: of each pair that is equal the second is best
    assert best(losses, falling) == 1
    assert ranking(losses, falling) == [i for k in range(0, 2000, 2) for i in (k + 1, k)]
    assert incumbent(table(*losses[::-1])) == 1998  # the first of the two that are equal


@pytest.mark.parametrize(
    ("losses", "epochs", "expected"),
    [
        ([0.3, 0.1, 0.2], None, 1),
        ([0.1, 0.1, 0.1], [9, 3, 3], 1),
        ([math.nan, 0.5], [1, 9], 1),
        ([-math.inf, math.inf, 0.4], [1, 1, 9], 2),
        ([1e-10, 0.0, 2e-9], [3, 3, 1], 0),
        (np.array([0.2, 0.1]), np.array([1, 1]), 1),
        (pd.Series([0.2, 0.1], index=[7, 8]), pd.Series([1, 1], index=[7, 8]), 1),
    ],
)
def test_the_best(losses, epochs, expected):
    assert best(losses, epochs) == expected == ranking(losses, epochs)[0]


def test_without_a_finite_loss_there_is_no_best():
    for losses in ([], [math.nan, math.inf]):
        with pytest.raises(ValueError, match=f"losses has {len(losses)} entries and none is"):
            best(losses)
        assert ranking(losses) == list(range(len(losses)))


def test_as_many_epochs_as_losses_are_needed():
    for function in (best, ranking):
        with pytest.raises(ValueError, match="epochs has 1 entries; there are 2 losses"):
            function([0.1, 0.2], [3])


# Multiples of half the tolerance, so that many are equal to a neighbour and not to the next.
CLOSE = st.integers(0, 8).map(lambda k: 0.25 + k * 0.51e-9) | st.sampled_from([math.nan, math.inf])


@given(st.lists(st.tuples(CLOSE, st.integers(1, 3)), min_size=1, max_size=12))
def test_the_ranking_is_the_best_of_what_is_left_again_and_again(trials):
    left, expected = list(range(len(trials))), []
    while any(math.isfinite(trials[i][0]) for i in left):
        expected.append(left.pop(best(*zip(*(trials[i] for i in left), strict=True))))
    assert ranking(*zip(*trials, strict=True)) == expected + left


@given(st.lists(st.tuples(CLOSE, st.integers(1, 3)), min_size=1, max_size=12))
def test_the_best_is_no_worse_than_any_other_trial(trials):
    """The rule in other words, for each rival of the winner."""
    finite = [loss for loss, _ in trials if math.isfinite(loss)]
    if not finite:
        return
    winner = best(*zip(*trials, strict=True))
    loss, epochs = trials[winner]
    assert loss - min(finite) <= 1e-9
    for i, (other_loss, other_epochs) in enumerate(trials):
        if i != winner and other_loss - min(finite) <= 1e-9:
            assert (epochs, winner) < (other_epochs, i)


@pytest.mark.parametrize(
    ("losses", "n_epochs", "expected"),
    [
        ([0.3, 0.1, 0.2], [9, 9, 9], 1),
        ([0.1, 0.1, 0.1], [9, 3, 9], 1),  # the cheaper
        ([0.2, 0.1, 0.1], [9, 3, 3], 1),  # the earlier
        ([math.nan, 0.5, math.nan], [1, 9, 1], 1),
        ([0.4, math.nan], [9, 9], 0),
        ([math.inf, 0.4], [1, 9], 1),
        ([-math.inf, 0.4], [1, 9], 1),
    ],
)
def test_the_incumbent(losses, n_epochs, expected):
    assert incumbent(table(*losses, n_epochs=n_epochs)) == expected


def test_a_failed_trial_with_the_lowest_loss_never_wins():
    assert incumbent(trial_table([record(0.3), record(0.001, reason="crashed")])) == 0


@pytest.mark.parametrize("trials", [table(math.nan, math.nan), trial_table([])])
def test_without_a_success_there_is_no_incumbent(trials):
    with pytest.raises(ValueError, match="no incumbent"):
        incumbent(trials)


def test_the_incumbent_is_a_label_of_the_table():
    trials = table(0.3, 0.1, 0.2, 0.05)
    assert incumbent(trials.iloc[:3]) == 1 and incumbent(trials[trials["val_loss"] > 0.1]) == 2


def test_ties_by_loss():
    trials = table(0.30, 0.25, math.nan, 0.26, 0.25, n_epochs=[9, 9, 1, 3, 3])
    assert ties(trials).index.tolist() == [4, 1]  # the cheaper first
    assert ties(trials, tolerance=0.0101).index.tolist() == [4, 3, 1]
    assert sorted(ties(trials, tolerance=1.0).index) == [0, 1, 3, 4]


def test_equally_cheap_ties_are_in_the_order_of_their_loss():
    trials = table(0.26, 0.25, 0.27, n_epochs=[3, 3, 3])
    assert ties(trials, tolerance=0.1).index.tolist() == [1, 0, 2]


def test_ties_by_accuracy():
    trials = table(0.4, 0.3, 0.2, math.nan, accuracies=[29 / 30, 29 / 30, 28 / 30, 1.0])
    assert ties(trials, "val_accuracy").index.tolist() == [1, 0]
    assert ties(trials, "val_accuracy", tolerance=1 / 30 + 1e-9).index.tolist() == [2, 1, 0]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=20), st.integers(0, 5))
@settings(max_examples=30)
def test_ties_are_those_within_the_tolerance(values, tolerance):
    trials = table(*map(float, values))
    expected = [i for i, v in enumerate(values) if v - min(values) <= tolerance]
    found = ties(trials, tolerance=tolerance)
    assert sorted(found.index) == expected
    assert found.index[0] == incumbent(trials)  # all trials are as cheap


def test_no_ties_among_failed_trials():
    assert ties(table(math.nan, math.nan)).empty


@pytest.mark.parametrize("options", [{"by": "loss"}, {"tolerance": -0.1}, {"tolerance": math.nan}])
def test_bad_options_of_ties_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        ties(table(0.1), **options)


# --- the same trials ------------------------------------------------------------------------------


def changed(trials, name, row, value):
    copied = trials.copy()
    copied.loc[row, name] = value
    return copied


def test_the_same_trials_are_those_that_agree_in_all_but_what_they_took():
    trials = table(0.3, 0.1, math.nan)
    assert same_trials(trials, trials.assign(runtime_s=[9.0, 8.0, 7.0]))
    assert same_trials(trials, changed(trials, "val_loss", 0, 0.3 + 5e-10))
    # as a lesson's table by hand, with fewer columns
    assert same_trials(trials, trials[["val_loss"]])
    assert same_trials(trials, trials.set_index(pd.Index([7, 8, 9])))


@pytest.mark.parametrize(
    ("name", "row", "value"),
    [
        ("val_loss", 0, 0.3 + 5e-9),
        ("val_loss", 2, 0.2),
        ("n_epochs", 1, 99),
        ("status", 0, "failed"),
        ("lr", 1, 0.7),
    ],
)
def test_one_difference_is_enough_for_other_trials(name, row, value):
    trials = table(0.3, 0.1, math.nan)
    assert not same_trials(trials, changed(trials, name, row, value))


def test_other_orders_and_other_numbers_of_trials_are_not_the_same():
    trials = table(0.3, 0.1)
    assert not same_trials(trials, trials.iloc[::-1]) and not same_trials(trials, trials[:1])
    with pytest.raises(ValueError, match="share no column"):
        same_trials(trials[["val_loss"]], trials[["n_epochs"]])


# --- the log --------------------------------------------------------------------------------------


def equal(one, two):
    return (
        pd.testing.assert_frame_equal(trial_table(one), trial_table(two), check_exact=True) is None
    )


RECORDS = [
    record(0.1 + 1e-17),
    record(math.nan, reason='it said "ß\nno"'),
    record(1 / 3, charged_epochs=2, lr=1e-300),
]


def write(path, records):
    for i, r in enumerate(records):
        append_trial(path, r, trial=i)


def nested(inner):
    few = st.lists(inner, max_size=2)
    return few | few.map(tuple) | st.dictionaries(st.text(max_size=2), inner, max_size=2)


@given(
    st.lists(
        st.builds(
            trial_record,
            st.fixed_dictionaries(
                {
                    "lr": st.floats(allow_nan=False, allow_infinity=False),
                    "kind": st.text() | st.recursive(st.none() | st.integers(), nested),
                }
            ),
            n_epochs=st.integers(1, 2**40),
            val_loss=st.floats(),
            val_accuracy=st.floats(0, 1),
            reason=st.text(max_size=5),
            runtime_s=st.floats(0, 1e6),
        ),
        max_size=5,
    )
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_log_gives_back_what_was_written(tmp_path, records):
    path = tmp_path / "log.jsonl"
    path.unlink(missing_ok=True)
    write(path, records)
    assert equal(read_log(path), records)
    # repr tells a tuple from a list, and 1 from 1.0
    assert [repr(r["config"]) for r in read_log(path)] == [repr(r["config"]) for r in records]


def test_a_log_is_one_json_object_a_line(tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, RECORDS)
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    assert [json.loads(line, parse_constant=pytest.fail)["n_epochs"] for line in lines] == [
        10,
        10,
        10,
    ]


def test_a_log_is_only_ever_appended_to(tmp_path):
    path, before = tmp_path / "log.jsonl", b""
    for i, r in enumerate(RECORDS):
        append_trial(path, r, trial=i)
        now = path.read_bytes()
        assert now.startswith(before) and len(now) > len(before)
        before = now
    read_log(path)
    assert path.read_bytes() == before


def test_an_absent_log_is_empty(tmp_path):
    assert read_log(tmp_path / "none.jsonl") == [] and not any(tmp_path.iterdir())


def test_a_last_line_cut_anywhere_is_set_aside_and_the_rest_kept(tmp_path):
    """From its first character to where nothing but its line end is missing."""
    path = tmp_path / "log.jsonl"
    write(path, RECORDS)
    whole = path.read_bytes()
    start = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in (*range(start + 1, len(whole) - 1, 7), len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.warns(UserWarning, match="last line of log.jsonl was cut") as warned:
            found = read_log(path)
        assert len(warned) == 1 and equal(found, RECORDS[:2])
        assert path.read_bytes() == whole[:start]
        assert (tmp_path / "log.jsonl.cut").read_bytes() == whole[start:end]
    append_trial(path, RECORDS[2], trial=2)  # and going on gives a sound log
    assert path.read_bytes() == whole and equal(read_log(path), RECORDS)


def test_blank_lines_and_line_ends_of_windows_are_no_damage(tmp_path):
    """As editors leave them; more can be appended."""
    path = tmp_path / "log.jsonl"
    write(path, RECORDS[:2])
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"\n")
    assert equal(read_log(path), RECORDS[:2])
    append_trial(path, RECORDS[2], trial=2)
    assert equal(read_log(path), RECORDS)


# --- a log that a search holds --------------------------------------------------------------------

HEADER = {"search": "grid_search", "name": "wine"}


def test_a_log_says_what_its_search_is_in_its_first_line(tmp_path):
    path = tmp_path / "log.jsonl"
    file, records = hold_log(path, HEADER)
    file.close()
    write(path, RECORDS)
    first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert records == [] and {k: first[k] for k in ("format", *HEADER)} == {"format": 2, **HEADER}
    file, records = hold_log(path, HEADER)
    file.close()
    assert equal(records, RECORDS) and equal(read_log(path), RECORDS)
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=r"log\.jsonl is the log of another search: its name is 'w"
    ):
        hold_log(path, HEADER | {"name": None})
    assert path.read_bytes() == before


def test_a_log_without_a_header_is_taken_as_it_is(tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, RECORDS)
    before = path.read_bytes()
    file, records = hold_log(path, HEADER)
    file.close()
    assert equal(records, RECORDS) and path.read_bytes() == before


def test_a_log_of_a_later_format_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    monkeypatch.setattr(module, "FORMAT", 3)
    hold_log(path, HEADER)[0].close()
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"log\.jsonl has the format 3, of a later version"):
        read_log(path)


def test_one_search_at_a_time_holds_a_log(tmp_path):
    """Until it closes the file, or its process is killed."""
    path = tmp_path / "log.jsonl"
    file, _ = hold_log(path, HEADER)
    with pytest.raises(BlockingIOError, match=r"log\.jsonl is the log of a search that runs now"):
        hold_log(path, HEADER)
    file.close()
    held = f"from hpt_helpers.trials import hold_log; f = hold_log({str(path)!r}, {HEADER}); "
    command = [
        sys.executable,
        "-c",
        f"{held}print('held', flush=True); import time; time.sleep(60)",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError):
            hold_log(path, HEADER)
        other.kill()
    hold_log(path, HEADER)[0].close()


def test_a_cut_first_line_leaves_an_empty_log(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"config": {"lr"')
    with pytest.warns(UserWarning, match="was cut"):
        assert read_log(path) == []
    assert path.read_bytes() == b"" and read_log(path) == []


@pytest.mark.parametrize(
    "line", ["nonsense", '{"config": {"lr": 0.1}', "[1, 2]", "7", "null", '{"lr": 0.1}']
)
def test_a_bad_line_elsewhere_is_an_error_that_names_it(line, tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, RECORDS)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], line, *lines[1:]]) + "\n", encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"line 2 of log\.jsonl is not as it was written"):
        read_log(path)
    assert path.read_bytes() == before


def test_a_line_ends_in_the_crc32_of_what_is_before_it(tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, RECORDS)
    for line in path.read_bytes().splitlines():
        text = line[: line.rindex(b', "crc32"')]
        assert json.loads(line)["crc32"] == format(binascii.crc32(text), "08x")
        assert list(json.loads(line))[-1] == "crc32"


@pytest.mark.parametrize("order", [(0, 2), (1, 2), (0, 0, 1, 2), (0, 2, 1), (0, 1, 1, 1, 2, 0)])
def test_lines_that_are_missing_twice_or_elsewhere_are_an_error(order, tmp_path):
    """As where two searches wrote to one log, or somebody edited it."""
    path = tmp_path / "log.jsonl"
    write(path, RECORDS)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[i] for i in order))
    with pytest.raises(
        ValueError, match=r"is not the record of trial \d: lines are missing or mixed"
    ):
        read_log(path)


def test_of_a_failed_trial_that_was_tried_again_the_last_try_counts(tmp_path):
    path = tmp_path / "log.jsonl"
    tries = [(0, math.nan), (1, 0.5), (2, math.nan), (0, math.nan), (2, 0.7), (0, 0.9)]
    for trial, loss in tries:
        append_trial(path, record(loss), trial=trial)
    assert [r["val_loss"] for r in read_log(path)] == [0.9, 0.5, 0.7]
    append_trial(path, record(0.1), trial=1)  # which had not failed
    with pytest.raises(ValueError, match=r"line 7 of log\.jsonl is not the record of trial 3"):
        read_log(path)


def test_a_sound_line_that_is_no_record_is_an_error(tmp_path):
    path = tmp_path / "log.jsonl"
    append_trial(path, {"config": {}}, trial=0)
    with pytest.raises(ValueError, match=r"line 1 of log\.jsonl is not the record of trial 0"):
        read_log(path)


def test_a_changed_digit_is_noticed(tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, [record(1.5)])
    path.write_bytes(path.read_bytes().replace(b"1.5", b"0.1"))
    with pytest.raises(ValueError, match="line 1 of log"):
        read_log(path)


@st.composite
def damaged(draw, whole: bytes):
    """The bytes of a log with one of them changed, put in or taken out, or cut anywhere."""
    i = draw(st.integers(0, len(whole) - 1))
    byte = bytes([draw(st.integers(0, 255) | st.sampled_from(b'\n\r\x00 0"}'))])
    kind = draw(st.sampled_from(["change", "put in", "take out", "cut"]))
    after = {
        "change": byte + whole[i + 1 :],
        "put in": byte + whole[i:],
        "take out": whole[i + 1 :],
        "cut": b"",
    }
    return whole[:i] + after[kind]


@given(st.data())
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_log_never_gives_a_wrong_record(tmp_path, data):
    """It is an error, or what is left is the first records, each as it was written; never a gap."""
    path = tmp_path / "log.jsonl"
    path.unlink(missing_ok=True)
    write(path, RECORDS)
    whole = path.read_bytes()
    path.write_bytes(data.draw(damaged(whole)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read_log(path)
    except ValueError as error:
        assert "log.jsonl" in str(error)
        return
    assert len(found) in range(4) and equal(found, RECORDS[: len(found)])
    if len(found) < 3:  # only the last line may be set aside; a cut takes what comes after it
        assert whole.startswith(path.read_bytes())
