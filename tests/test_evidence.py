"""Evidence: each question against an answer that is known, on problems whose truth is written down.

The problem of most tests has a loss that is known: that of a configuration x is x, plus the luck of
the draw, which is written below. What was trained is counted in a file.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hpt_helpers import Integer, Real, SearchSpace, asha, incumbent, random_search, run, trial_table
from hpt_helpers import evidence as ev
from hpt_helpers.evidence.problem import Job, as_trained
from hpt_helpers.evidence.questions import best_again_of, ties_of
from hpt_helpers.trials import trial_record

SPACE = SearchSpace({"x": Real(0, 1)})
LUCK = {0: 0.0, 1: 0.3, 2: -0.2, 3: 0.1}  # of a draw: all configurations share it


def rows(draw):
    return draw


def train(config, n_epochs, rows, seed):
    if config["x"] > 0.95:
        raise RuntimeError("too large")
    return 1 + config["x"] / n_epochs + LUCK.get(rows, 0)


def problem(folder, **changed):
    given = {"space": SPACE, "rows": rows, "train": train, "n_epochs": 9, "folder": folder}
    return ev.Problem(**given | changed)


def record(losses, n_epochs=9, configs=None):
    configs = configs or [{"x": i / len(losses)} for i in range(len(losses))]
    pairs = zip(configs, losses, strict=True)
    return trial_table(trial_record(c, n_epochs=n_epochs, val_loss=loss) for c, loss in pairs)


# --- the folder -----------------------------------------------------------------------------------


class Counted:
    """A training that writes down each of its calls."""

    def __init__(self, file):
        self.file = Path(file)

    def __call__(self, config, n_epochs, rows, seed):
        with open(self.file, "a", encoding="utf-8") as calls:
            calls.write(f"{config['x']:.3f} {n_epochs} {rows} {seed}\n")
        return train(config, n_epochs, rows, seed)

    def calls(self):
        return self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []


def test_what_was_trained_is_never_trained_again(tmp_path):
    counted = Counted(tmp_path / "calls")
    asked = [Job({"x": 0.25}, 9, 2, 5), Job({"x": 0.5}, 3, 0, 0), Job({"x": 0.5}, 9, 0, 0)]
    first = problem(tmp_path / "kept", train=counted).train_all(asked)
    assert counted.calls() == ["0.250 9 2 5", "0.500 3 0 0", "0.500 9 0 0"]
    again = problem(tmp_path / "kept", train=counted).train_all(asked[::-1])
    assert len(counted.calls()) == 3
    assert [each.loss for each in again[::-1]] == [each.loss for each in first]
    assert first[0].loss == pytest.approx(1 + 0.25 / 9 - 0.2)


def test_a_training_that_fails_is_nan_and_is_tried_again(tmp_path):
    counted = Counted(tmp_path / "calls")
    ours = problem(tmp_path / "kept", train=counted)
    for n_calls in (1, 2):
        [found] = ours.train_all([Job({"x": 0.99}, 9)])
        assert math.isnan(found.loss) and len(counted.calls()) == n_calls


def test_workers_give_the_same_and_keep_it(tmp_path):
    jobs = [Job({"x": x}, 9, draw) for x in (0.1, 0.3) for draw in (0, 1)]
    counted = Counted(tmp_path / "calls")
    two = problem(tmp_path / "two", train=counted).train_all(jobs, n_workers=2)
    one = problem(tmp_path / "one").train_all(jobs)
    assert [each.loss for each in two] == [each.loss for each in one]
    assert sorted(counted.calls()) == ["0.100 9 0 0", "0.100 9 1 0", "0.300 9 0 0", "0.300 9 1 0"]


def other_train(config, n_epochs, rows, seed):
    return 1 + config["x"] / n_epochs + 2 * LUCK.get(rows, 0)


def test_a_folder_of_other_rows_or_of_another_training_is_refused(tmp_path):
    problem(tmp_path)
    problem(tmp_path, space=SearchSpace({"x": Real(0, 0.5)}))  # narrower, the same trainings
    with pytest.raises(ValueError, match="keeps trainings of a train function with other code"):
        problem(tmp_path, train=other_train)
    with pytest.raises(ValueError, match="keeps trainings on other rows; give another folder"):
        problem(tmp_path, rows=lambda draw: draw + 1)


def test_the_same_function_written_again_is_the_same(tmp_path):
    code = "def train(config, n_epochs, rows, seed):\n    {}\n    return [v for v in [1.0]][0]"
    made = []
    for comment in ("# one", "# quite\n    # another"):
        names = {}
        exec(code.format(comment), names)
        made.append(names["train"])
    problem(tmp_path, train=made[0])
    problem(tmp_path, train=made[1])


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"train": lambda config, n_epochs: 1.0}, TypeError, r"\(config, n_epochs, rows, seed\)"),
        ({"train": 3}, TypeError, "train is 3; a callable"),
        ({"rows": [1]}, TypeError, r"rows is \[1\]; a callable"),
        ({"n_epochs": 0}, ValueError, "n_epochs is 0"),
        ({"space": {"x": 1}}, TypeError, "x"),
        ({"folder": 3}, TypeError, "folder is 3; a path"),
    ],
)
def test_what_is_no_problem_is_refused_by_name(tmp_path, changed, error, message):
    with pytest.raises(error, match=message):
        problem(**{"folder": tmp_path} | changed)


# --- what a training returns ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    return ev.SealedRows(X, np.array(["a", "b", "c"])[y], n_test=40, n_val=40)


def test_a_classifiers_losses_are_scikit_learns(wine):
    split = wine(0)
    model = GradientBoostingClassifier(n_estimators=5, random_state=0)
    model.fit(split.X_train, split.y_train)
    found = as_trained(model, split, 5)
    expected = log_loss(split.y_val, model.predict_proba(split.X_val))
    assert found.loss == pytest.approx(expected, rel=1e-12)
    assert found.by_row.shape == (40,) and found.by_epoch.shape == (5,)
    assert found.by_epoch[-1] == pytest.approx(found.loss)
    assert found.accuracy == accuracy_score(split.y_val, model.predict(split.X_val))


def test_a_label_that_the_model_never_saw_costs_much_and_not_infinity(wine):
    split = wine(0)
    seen = split.y_train != "c"
    model = LogisticRegression(max_iter=5000).fit(split.X_train[seen], split.y_train[seen])
    by_row = as_trained(model, split, 1).by_row
    assert np.isfinite(by_row).all()
    assert by_row[split.y_val == "c"] == pytest.approx(-math.log(np.finfo(float).eps))


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ("0.5", TypeError, "train returned '0.5'"),
        (ev.Trained(), TypeError, "has no loss"),
        (ev.Trained(by_epoch=[1.0, 2.0]), ValueError, r"by_epoch of train has the shape \(2,\)"),
        (ev.Trained(by_row=[[1.0]]), ValueError, r"by_row of train has the shape \(1, 1\)"),
    ],
)
def test_an_answer_that_is_none_fails_its_trial_and_says_why(tmp_path, answer, error, message):
    with pytest.raises(error, match=message):
        as_trained(answer, None, 9)
    trials = problem(tmp_path, train=lambda c, n, rows, seed: answer).search(
        random_search(SPACE, 2, 9, seed=0)
    )
    assert (trials["status"] == "failed").all() and error.__name__ in trials["reason"][0]


# --- checkpoints ----------------------------------------------------------------------------------


class Continued:
    """A training whose state is a count of its epochs, which a checkpoint keeps."""

    def __init__(self):
        self.trained = []

    def __call__(self, config, n_epochs, rows, seed, checkpoint):
        n = checkpoint.load() or 0
        assert n == checkpoint.n_done
        self.trained += range(n + 1, n_epochs + 1)
        checkpoint.save(n_epochs)
        return config["x"] + 1 / n_epochs


def test_a_later_epoch_goes_on_and_each_is_charged_once(tmp_path):
    continued = Continued()
    ours = problem(tmp_path, train=continued)
    trials = ours.search(ev.random_with_early_losses(SPACE, 3, 9, seed=0))
    assert trials["n_epochs"].tolist() == [1] * 3 + [3] * 3 + [9] * 3
    assert trials["charged_epochs"].sum() == 27 == len(continued.trained)


def test_a_second_search_that_asks_for_an_earlier_epoch_gets_the_loss_of_that_epoch(tmp_path):
    """The trap: a checkpoint is at epoch 9 and somebody asks for epoch 3."""
    ours = problem(tmp_path, train=Continued())
    config = SPACE.sample(1, seed=0)[0]
    at_nine = ours.search(random_search(SPACE, 1, 9, seed=0), log="first.jsonl")
    at_three = ours.search(random_search(SPACE, 1, 3, seed=0), log="second.jsonl")
    assert at_nine["val_loss"][0] == config["x"] + 1 / 9
    assert at_three["val_loss"][0] == config["x"] + 1 / 3
    assert at_three["status"][0] == "ok"


def test_asha_cuts_on_a_problem_and_goes_on_from_its_log(tmp_path):
    ours = problem(tmp_path, train=Continued())
    whole = ours.search(asha(SPACE, 9, 12, seed=0), log="whole.jsonl")
    part = ours.search(asha(SPACE, 9, 5, seed=0), log="part.jsonl")
    resumed = ours.search(asha(SPACE, 9, 12, seed=0), log="part.jsonl")
    columns = ["x", "n_epochs", "val_loss"]
    pd.testing.assert_frame_equal(resumed[columns], whole[columns])
    pd.testing.assert_frame_equal(part[columns], whole[columns][:5])


# --- the questions --------------------------------------------------------------------------------


def test_guesses_train_the_default_at_each_rate_and_the_best_under_further_seeds(tmp_path):
    def seeded(config, n_epochs, rows, seed):
        return (math.log10(config["rate"]) + 1) ** 2 + 0.01 * seed

    space = SearchSpace({"rate": Real(0.001, 1, log=True)})
    ours = problem(tmp_path, space=space, train=seeded)
    found = ev.guesses(ours, {"rate": 0.01}, "rate", (1, 10, 100), n_seeds=3)
    assert found.best == {"rate": 0.1} and found.loss == pytest.approx(0)
    assert found.table["val_loss"].tolist() == pytest.approx([1, 0, 1, 0.01, 0.02])
    assert found.seed_sd == pytest.approx(0.01)
    assert "0.01 (standard deviation of 3)" in str(found)
    with pytest.raises(ValueError, match="rate is 'speed'; a number above 0 among"):
        ev.guesses(ours, {"rate": 0.01}, "speed")


def test_the_best_come_first_each_configuration_once_and_no_failure():
    configs = [{"x": 0.1}, {"x": 0.2}, {"x": 0.1}, {"x": 0.3}]
    trials = record([0.5, 0.4, 0.3, math.nan], configs=configs)
    assert ev.best_first(trials).index.tolist() == [2, 1]
    assert ev.best_first(trials, 1).index.tolist() == [2]


def early_record(n, last_of):
    """Return n configurations with losses after 1, 3 and 9 epochs, the last ones as given."""
    configs = [{"x": i / n} for i in range(n)]
    losses = {1: range(n), 3: range(n), 9: last_of(n)}
    parts = [record(list(map(float, of)), epoch, configs) for epoch, of in losses.items()]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("last_of", "n", "verdict"),
    [
        (range, 12, "yes"),
        (lambda n: range(n, 0, -1), 12, "no"),
        (lambda n: [3, 1, 0, 8, 2, 6, 4, 10, 5, 7, 11, 9], 12, "unclear"),
        (range, 4, "yes"),
    ],
)
def test_the_verdict_on_early_order_follows_its_rule(last_of, n, verdict):
    found = ev.early_order(early_record(n, last_of))
    assert found.table["epoch"].tolist() == [1, 3] and found.table["n"].tolist() == [n, n]
    assert found.verdict == verdict


def test_early_order_says_where_the_winner_stood():
    trials = early_record(12, lambda n: [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 10, 11])
    assert ev.early_order(trials).table["winner_place"].tolist() == [6, 6]


def test_early_order_needs_losses_at_two_epochs():
    with pytest.raises(ValueError, match="random_with_early_losses gives it"):
        ev.early_order(record([0.1, 0.2, 0.3, 0.4, 0.5]))


def test_losses_by_epoch_become_a_table_for_early_order(tmp_path):
    def curve(config, n_epochs, rows, seed):
        return ev.Trained(by_epoch=config["x"] + 1 / np.arange(1, n_epochs + 1))

    ours = problem(tmp_path, train=curve)
    trials = ours.search(random_search(SPACE, 6, 9, seed=0))
    table = ev.curves(ours, trials)
    assert len(table) == 54
    found = ev.early_order(table)
    assert found.table["epoch"].tolist() == [1, 3]
    assert found.table["rank_correlation"].tolist() == pytest.approx([1, 1])
    with pytest.raises(ValueError, match="no trial has losses by epoch"):
        ev.curves(problem(tmp_path / "other"), trials)


def test_best_again_counts_pairs_on_draw_1(tmp_path):
    ours = problem(tmp_path)
    trials = ours.search(random_search(SPACE, 24, 9, seed=1))
    found = ev.best_again(ours, trials)
    assert (found.n_in_order, found.n_pairs, found.verdict) == (45, 45, "yes")
    gaps = found.table["again"] - found.table["searched"]
    assert gaps.tolist() == pytest.approx([0.3] * 10)
    assert "45 of 45 pairs of the 10 best kept their order" in str(found)


@pytest.mark.parametrize(
    ("n_in_order", "verdict"), [(34, "yes"), (33, "unclear"), (28, "unclear"), (27, "no")]
)
def test_the_thresholds_for_ten_are_the_courses(n_in_order, verdict):
    order = list(range(10))
    for _ in range(45 - n_in_order):  # swap neighbours, one pair fewer each time
        i = next(i for i in range(9) if order[i] < order[i + 1])
        order[i], order[i + 1] = order[i + 1], order[i]
    table = pd.DataFrame({"searched": range(10), "again": order})
    found = best_again_of(table)
    assert (found.n_in_order, found.verdict) == (n_in_order, verdict)


def test_best_again_leaves_out_what_failed_and_needs_four():
    table = pd.DataFrame({"searched": range(5), "again": [1, 2, 3, 4, math.nan]})
    assert best_again_of(table).n_pairs == 6
    with pytest.raises(ValueError, match="3 configurations succeeded; four or more"):
        best_again_of(table[1:])


def test_ties_are_those_within_two_errors_on_the_same_rows(tmp_path):
    def by_row(config, n_epochs, rows, seed):
        noise = np.resize([1.0, -1.0], 100) * (config["x"] > 0)
        return ev.Trained(by_row=config["x"] + noise)

    ours = problem(tmp_path, train=by_row)
    trials = record([0, 0.19, 0.21], configs=[{"x": 0.0}, {"x": 0.19}, {"x": 0.21}])
    found = ev.paired_ties(ours, trials)
    assert found.table["tied"].tolist() == [True, True, False] and found.n == 1
    with pytest.raises(ValueError, match="3 of the 3 best have no losses of single rows"):
        ev.paired_ties(problem(tmp_path / "other"), trials)


@pytest.mark.parametrize("scoring", ["neg_log_loss", ["neg_log_loss", "roc_auc_ovr"]])
@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
def test_ties_of_scikit_learns_searches_are_paired_by_folds(scoring, search):
    X, y = load_wine(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    several = isinstance(scoring, list)
    given = {"scoring": scoring, "cv": 4, "refit": "neg_log_loss" if several else True}
    values = {"logisticregression__C": [0.01, 0.1, 1, 10]}
    more = {} if search is GridSearchCV else {"n_iter": 3, "random_state": 0}
    fitted = search(model, values, **given, **more).fit(X, y)
    found = ev.paired_folds(fitted)
    results = fitted.cv_results_
    name = "mean_test_neg_log_loss" if several else "mean_test_score"
    assert found.table["mean"].tolist() == pytest.approx(sorted(-results[name]))
    assert found.table["trial"][0] == fitted.best_index_
    if several:
        by_auc = ev.paired_folds(fitted, "roc_auc_ovr")
        assert by_auc.table["mean"][0] == pytest.approx(-results["mean_test_roc_auc_ovr"].max())
        fitted.refit = False
        with pytest.raises(ValueError, match="metric is None; the search has neg_log_loss, roc"):
            ev.paired_folds(fitted)


def test_folds_of_what_is_no_search_are_refused():
    with pytest.raises(TypeError, match="a fitted search of scikit-learn"):
        ev.paired_folds(record([0.1]))
    with pytest.raises(ValueError, match=r"losses has the shape \(3,\)"):
        ties_of(np.ones(3))


class Noisy:
    """The search's winner is lucky on draw 0; x = 0.2 is the better one everywhere else."""

    def __call__(self, config, n_epochs, rows, seed):
        assert seed == rows or rows < 2  # finalists and judges have a seed of the draw's own
        return config["x"] - (0.5 if rows == 0 and config["x"] == 0.3 else 0)


def test_finalists_are_chosen_by_new_draws(tmp_path):
    ours = problem(tmp_path, train=Noisy())
    trials = record([0.2, -0.2, 0.4], configs=[{"x": 0.2}, {"x": 0.3}, {"x": 0.4}])
    found = ev.finalists(ours, trials)
    assert found.config == {"x": 0.2} and found.mean == pytest.approx(0.2) and found.error == 0
    assert found.table["mean"].tolist() == pytest.approx([0.2, 0.3, 0.4])
    assert "another than the search's winner" in str(found)


def test_a_finalist_that_fails_cannot_win(tmp_path):
    trials = record([0.1, 0.2], configs=[{"x": 0.96}, {"x": 0.2}])
    assert ev.finalists(problem(tmp_path), trials).config == {"x": 0.2}
    with pytest.raises(ValueError, match="each of the 1 finalists failed"):
        ev.finalists(problem(tmp_path), trials[:1])


def test_two_choices_are_judged_in_pairs_on_draws_that_chose_neither(tmp_path):
    ours = problem(tmp_path)
    trials = record([0.5, 0.6], configs=[{"x": 0.1}, {"x": 0.2}])
    found = ev.compare(ours, trials, {"x": 0.4})
    assert found.table["draw"].tolist() == list(range(4, 12))
    assert found.difference.mean == pytest.approx(-0.3 / 9)
    assert (found.wins, found.ties, found.defeats, found.verdict) == (8, 0, 0, "ours")
    assert ev.compare(ours, {"x": 0.4}, trials).verdict == "theirs"
    assert ev.compare(ours, {"x": 0.4}, trials, draws=range(4, 9)).verdict == "unclear"
    failed = "8 of the 16 trainings failed, such as RuntimeError: too large"
    with pytest.warns(UserWarning, match="failed alike"), pytest.raises(ValueError, match=failed):
        ev.compare(ours, {"x": 0.96}, {"x": 0.4})
    with pytest.raises(TypeError, match="choice is 3; a trial table"):
        ev.compare(ours, 3, trials)


# --- what mattered --------------------------------------------------------------------------------


def test_importance_finds_the_shares_of_a_known_function():
    """Of log loss a + b / 2 over the unit square, a has 4/5 of the variance and b 1/5."""
    space = SearchSpace({"a": Real(0, 1), "b": Real(0, 1), "nuisance": Real(0, 1)})
    configs = space.sample(60, seed=0)
    trials = record([math.exp(c["a"] + c["b"] / 2) for c in configs], configs=configs)
    found = ev.importance(trials, space)
    assert found.explained > 0.99
    shares = found.table.set_index("hyperparameter")
    assert shares["total"].to_dict() == pytest.approx({"a": 0.8, "b": 0.2, "nuisance": 0}, abs=0.03)
    assert shares["alone"].to_dict() == pytest.approx({"a": 0.8, "b": 0.2, "nuisance": 0}, abs=0.05)


def test_importance_refuses_to_say_where_the_model_explains_little():
    space = SearchSpace({"a": Real(0, 1), "b": Integer(1, 9)})
    configs = space.sample(24, seed=0)
    luck = np.random.default_rng(0).uniform(1, 2, 24)
    found = ev.importance(record(luck, configs=configs), space)
    assert found.table is None and found.explained < 0.5
    assert "too little to say what matters" in str(found)
    with pytest.raises(ValueError, match="9 configurations were trained in full; 10 are needed"):
        ev.importance(record(luck[:9], configs=configs[:9]), space)


# --- the end --------------------------------------------------------------------------------------


def logistic(config, n_epochs, rows, seed):
    model = make_pipeline(StandardScaler(), LogisticRegression(C=config["C"], max_iter=5000))
    return model.fit(rows.X_train, rows.y_train)


@pytest.fixture
def of_wine(tmp_path, wine):
    space = SearchSpace({"C": Real(1e-4, 1, log=True)})
    return ev.Problem(space, wine, logistic, folder=tmp_path)


def test_refit_trains_on_all_rows_but_the_sealed_ones(of_wine, wine):
    model = ev.refit(of_wine, {"C": 0.01})
    rows = wine.all()
    alone = logistic({"C": 0.01}, 1, rows, 0)
    assert len(rows.y_train) == 138 and np.array_equal(model[-1].coef_, alone[-1].coef_)


def test_the_test_rows_are_opened_once_and_a_second_model_warns_in_any_kernel(of_wine, wine):
    model = ev.refit(of_wine, {"C": 0.01})
    X, y = wine.sealed()
    found = ev.test_once(of_wine, model)
    assert found.value == pytest.approx(log_loss(y, model.predict_proba(X)))
    assert found.low < found.value < found.high and found.n_looks == 1
    assert found.accuracy == accuracy_score(y, model.predict(X))
    assert ev.test_once(of_wine, model) == found  # the same again is quiet
    later = ev.Problem(of_wine.space, wine, logistic, folder=of_wine.folder)
    with pytest.warns(UserWarning, match="already scored 1 other models"):
        assert ev.test_once(later, ev.refit(later, {"C": 0.5})).n_looks == 2


def test_a_model_without_probabilities_takes_a_score(tmp_path):
    X = np.linspace(0, 1, 100)[:, None]
    rows = ev.SealedRows(X, 2 * X[:, 0], n_test=20, n_val=20)

    def linear(config, n_epochs, rows, seed):
        model = LinearRegression().fit(rows.X_train, rows.y_train)
        errors = (model.predict(rows.X_val) - rows.y_val) ** 2
        return ev.Trained(by_row=errors, model=model)

    def squared_error(model, X, y):
        return (model.predict(X) - y) ** 2

    ours = ev.Problem(SPACE, rows, linear, folder=tmp_path)
    model = ev.refit(ours, {"x": 0.5})
    found = ev.test_once(ours, model, squared_error)
    assert found.score == "squared_error" and found.value == pytest.approx(0, abs=1e-20)
    with pytest.raises(TypeError, match=r"predict_proba, or a score\(model, X, y\), is needed"):
        ev.test_once(ours, model)
    with pytest.raises(ValueError, match=r"score returned the shape \(3,\)"):
        ev.test_once(ours, model, lambda model, X, y: [1, 2, 3])


def test_refit_says_what_it_lacks(tmp_path, wine):
    with pytest.raises(TypeError, match=r"method all\(\)"):
        ev.refit(problem(tmp_path), {"x": 0.5})
    without = ev.Problem(SPACE, wine, lambda c, n, rows, seed: 0.5, folder=tmp_path / "b")
    with pytest.raises(TypeError, match="holds no model"):
        ev.refit(without, {"x": 0.5})


# --- the plan and the page ------------------------------------------------------------------------


def test_a_plan_counts_trainings_and_measures_one(tmp_path):
    found = ev.plan(problem(tmp_path), {"x": 0.5}, 40, n_workers=2)
    assert found.table["trainings"].tolist() == [6, 40, 10, 10, 16, 1]
    assert found.minutes == pytest.approx(found.seconds * (3 + 20 + 5 + 5 + 8 + 1) / 60)
    assert not (tmp_path / "trainings").exists()  # the one is none of the search's
    with pytest.raises(ValueError, match="n_trainings is 24, and the questions after it take 20"):
        ev.plan(problem(tmp_path), {"x": 0.5}, 24)


def test_the_page_says_what_may_be_claimed_and_what_was_not_asked(of_wine):
    trials = of_wine.search(random_search(of_wine.space, 12, 1, seed=0))
    finalists = ev.finalists(of_wine, trials)
    compared = ev.compare(of_wine, finalists, {"C": 1e-4})
    score = ev.test_once(of_wine, ev.refit(of_wine, finalists))
    page = ev.report(of_wine, trials, finalists=finalists, compared=compared, score=score)
    text = page.read_text(encoding="utf-8")
    assert "The search's winner is better than the best guess" in text
    assert f"The search reported {trials['val_loss'].min():.4f}" in text and str(score) in text
    assert "**Is early order late order?** Not asked." in text
    for name in ("history.png", "each.png"):
        assert f"({name})" in text and (page.parent / name).stat().st_size > 5000


def test_where_the_winner_is_not_told_apart_the_page_takes_the_guess(tmp_path):
    ours = problem(tmp_path)
    guesses = ev.guesses(ours, {"x": 0.01}, "x", (1, 2))
    trials = record([0.5, 0.6], configs=[{"x": 0.01}, {"x": 0.2}])
    compared = ev.compare(ours, trials, guesses)
    text = ev.report(ours, trials, guesses=guesses, compared=compared).read_text(encoding="utf-8")
    assert compared.verdict == "unclear"
    assert "**Chosen:** `{'x': 0.01}`" in text and "take the guess" in text


HELD = {"depth": 1}


def helper(x):
    return x * HELD["depth"]


def with_helper(config, n_epochs, rows, seed):
    return helper(config["x"])


def test_a_changed_helper_or_constant_of_the_module_is_seen(tmp_path, monkeypatch):
    problem(tmp_path, train=with_helper)
    monkeypatch.setitem(HELD, "depth", 2)
    with pytest.raises(ValueError, match="with other code"):
        problem(tmp_path, train=with_helper)
    monkeypatch.setitem(HELD, "depth", 1)
    problem(tmp_path, train=with_helper)
    monkeypatch.setitem(globals(), "helper", lambda x: x + HELD["depth"])
    with pytest.raises(ValueError, match="with other code"):
        problem(tmp_path, train=with_helper)


def test_an_interrupt_of_a_problems_search_is_raised_and_its_trials_are_kept(tmp_path):
    flag = tmp_path / "now"

    def interrupted(config, n_epochs, rows, seed):
        if flag.exists() and config["x"] > 0.5:
            raise KeyboardInterrupt
        return config["x"]

    flag.touch()
    ours = problem(tmp_path / "kept", train=interrupted)
    with pytest.raises(KeyboardInterrupt):
        ours.search(random_search(SPACE, 20, 9, seed=1))
    n_kept = len((tmp_path / "kept" / "search.jsonl").read_text(encoding="utf-8").splitlines()) - 1
    flag.unlink()
    assert n_kept < 20 and len(ours.search(random_search(SPACE, 20, 9, seed=1))) == 20


def test_a_page_of_a_search_alone_claims_nothing(tmp_path):
    ours = problem(tmp_path)
    trials = ours.search(random_search(SPACE, 6, 9, seed=0))
    text = ev.report(ours, trials).read_text(encoding="utf-8")
    assert "and no claim" in text and "The sealed rows were not opened." in text
    assert "Whether the search beats a guess was not asked." in text


def test_the_record_of_a_problem_is_that_of_run(tmp_path):
    ours = problem(tmp_path)
    trials = ours.search(random_search(SPACE, 8, 9, seed=3))
    plain = run(random_search(SPACE, 8, 9, seed=3), ours.objective())
    assert trials["val_loss"].tolist() == plain["val_loss"].tolist()
    assert incumbent(trials) == incumbent(plain)
    header = json.loads((tmp_path / "search.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert "random_search" in json.dumps(header)
