"""Each of the three races of Ray's HyperBandScheduler, forced: Ray's own waits for ever, the mended
one ends.

`Controller` does what Tune's does, one event after the other, so that a test can choose the order.
tests/cluster forces the same races in a real Ray.
"""

import pytest

from hpt_helpers.on_ray.ray_hyperband import safe_hyperband


class Trial:
    """A trial as the scheduler sees it."""

    def __init__(self, name):
        self.name, self.status, self.is_saving, self.epoch, self.result = (
            name,
            "PENDING",
            False,
            0,
            None,
        )

    def __repr__(self):
        return self.name


class Controller:
    """Tune's controller, by hand: `TuneController` of Ray 2.56 and 2.60 calls the scheduler in
    these orders.
    """

    def __init__(self, scheduler, n_trials):
        self.scheduler = scheduler
        scheduler.set_search_properties("val_loss", "min")
        self.trials = [Trial(f"t{i}") for i in range(n_trials)]
        for trial in self.trials:
            scheduler.on_trial_add(self, trial)
            trial.status = "RUNNING"

    def train(self, trial, to, saves=True):
        """Train a trial to an epoch of the others' cut; without `saves` its pause is still being
        saved afterwards.
        """
        assert trial.status == "RUNNING" and not trial.is_saving
        while trial.epoch < to:
            trial.epoch += 1
            trial.result = {"training_iteration": trial.epoch, "val_loss": float(trial.name[1:])}
            action = self.scheduler.on_trial_result(self, trial, trial.result)
            if action == "STOP":
                return self.stop_trial(trial)
            if action == "PAUSE":
                trial.is_saving = True
                return self.saved(trial) if saves else None

    def saved(self, trial):
        if trial.status == "RUNNING":  # else it was stopped meanwhile
            trial.status = "PAUSED"
        trial.is_saving = False

    def stop_trial(self, trial):
        if trial.status == "RUNNING":
            self.scheduler.on_trial_complete(self, trial, trial.result)
        elif trial.status in ("PENDING", "PAUSED"):
            self.scheduler.on_trial_remove(self, trial)
        trial.status = "TERMINATED"

    def fail(self, trial, again):
        """Let a running trial fail: it is over, or goes back to the queue to be tried from its
        epoch 0.
        """
        if again:
            trial.status, trial.is_saving, trial.epoch = "ERROR", False, 0
            self.scheduler.on_trial_error(self, trial)
            trial.status = "PENDING"
            self.scheduler.on_trial_add(self, trial)
        else:
            self.scheduler.on_trial_error(self, trial)
            trial.status = "ERROR"

    def step(self):
        """Start what the scheduler chooses; return it."""
        trial = self.scheduler.choose_trial_to_run(self)
        if trial:
            trial.status = "RUNNING"
        return trial

    def run_to_the_end(self, max_t):
        """Train whatever there is to train; return the statuses once nothing moves any more."""
        for _ in range(100):
            self.step()
            for trial in [t for t in self.trials if t.status == "RUNNING" and not t.is_saving]:
                self.train(trial, max_t)
        return [trial.status for trial in self.trials]


def rays_own(**options):
    from ray.tune.schedulers import HyperBandScheduler

    return HyperBandScheduler(**options)


both = pytest.mark.parametrize(("scheduler", "hangs"), [(rays_own, True), (safe_hyperband, False)])


@pytest.mark.parametrize("scheduler", [rays_own, safe_hyperband])
def test_where_nothing_happens_both_end_and_cut_alike(scheduler):
    controller = Controller(scheduler(max_t=9, reduction_factor=3), 17)
    for trial in controller.trials:  # in the order in which they came
        controller.train(trial, 9)
    assert set(controller.run_to_the_end(9)) == {"TERMINATED"}
    # Brackets of 3 to epoch 9; 5 to 3, of which the best 2 go on; 9 to 1, 3 to 3 and 1 to 9. The
    # loss is the number.
    assert [t.epoch for t in controller.trials] == [9] * 3 + [9, 9, 3, 3, 3] + [9, 3, 3] + [1] * 6


@both
def test_race_1_the_last_trial_ends_while_anothers_pause_is_saved(scheduler, hangs):
    # the bracket of 2 that never cuts
    controller = Controller(scheduler(max_t=3, reduction_factor=3), 2)
    slow, last = controller.trials
    controller.train(slow, 3, saves=False)
    controller.train(last, 3)
    controller.saved(slow)
    assert controller.run_to_the_end(3) == (
        ["PAUSED", "TERMINATED"] if hangs else ["TERMINATED"] * 2
    )


@both
def test_race_2_a_trial_fails_after_its_brackets_first_cut(scheduler, hangs):
    controller = Controller(scheduler(max_t=9, reduction_factor=3), 17)
    nine = controller.trials[8:]
    for trial in nine:
        controller.train(trial, 1)
    assert [t.status for t in nine].count("TERMINATED") == 6  # the first cut
    while controller.step():
        pass
    a, b, c = [t for t in nine if t.status == "RUNNING"]
    controller.train(a, 3)
    controller.train(b, 3)
    controller.fail(c, again=False)
    for trial in controller.trials[:8]:
        controller.train(trial, 9)
    statuses = controller.run_to_the_end(9)
    assert statuses.count("ERROR") == 1 and statuses.count("PAUSED") == (2 if hangs else 0)
    assert max(a.epoch, b.epoch) == (3 if hangs else 9)


@pytest.mark.parametrize("reached_the_cut", [False, True])
def test_race_3_a_trial_that_is_tried_again_keeps_its_place(reached_the_cut):
    controller = Controller(safe_hyperband(max_t=9, reduction_factor=3), 17)
    nine = controller.trials[8:]
    lost = nine[0] if reached_the_cut else nine[-1]
    for trial in nine[:-1]:
        # its node is lost while its pause is being saved
        controller.train(trial, 1, saves=trial is not lost)
    place = controller.scheduler._trial_info[lost]
    controller.fail(lost, again=True)
    assert controller.scheduler._trial_info[lost] == place and lost in place[0].current_trials()
    if reached_the_cut:
        controller.train(nine[-1], 1)
    # the cut waits for the one that is tried again
    assert not any(t.status == "TERMINATED" for t in nine)
    while controller.step():
        pass
    controller.train(lost, 1)
    assert [t.status for t in nine].count("TERMINATED") == 6
    for trial in controller.trials[:8]:
        controller.train(trial, 9)
    assert set(controller.run_to_the_end(9)) == {"TERMINATED"}
    assert sorted(t.epoch for t in nine) == [1] * 6 + [3, 3, 9]


def test_race_3_in_rays_own_it_joins_the_newest_bracket():
    controller = Controller(rays_own(max_t=9, reduction_factor=3), 17)
    lost = controller.trials[0]
    place = controller.scheduler._trial_info[lost]
    controller.fail(lost, again=True)
    assert controller.scheduler._trial_info[lost] != place and lost not in place[0].current_trials()
