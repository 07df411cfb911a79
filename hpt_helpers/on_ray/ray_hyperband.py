"""Ray Tune's HyperBandScheduler (2.56 to 2.60), mended: no bracket waits for ever.

Ray is imported where it is used.
"""


def safe_hyperband(**options):
    """Return a `HyperBandScheduler` that ends where Ray's own waits for ever;
    docs/beyond_one_machine.md says where.
    """
    from ray.tune.experiment import Trial
    from ray.tune.schedulers import HyperBandScheduler

    class SafeHyperBand(HyperBandScheduler):
        def choose_trial_to_run(self, tune_controller):  # which Tune asks at each of its steps
            for bracket in [bracket for band in self._hyperbands for bracket in band if bracket]:
                trials = bracket.current_trials()
                if trials and all(
                    t.status == Trial.PAUSED and t not in bracket.trials_to_unpause for t in trials
                ):
                    bracket.is_being_processed = False
                    self._process_bracket(tune_controller, bracket)
            return super().choose_trial_to_run(tune_controller)

        def on_trial_error(self, tune_controller, trial):
            bracket, _ = self._trial_info[trial]
            # it is to be tried again
            if trial.status == Trial.ERROR and trial in bracket.current_trials():
                bracket._live_trials[trial] = None  # however far it was, the next cut waits for it
            else:
                super().on_trial_error(tune_controller, trial)

        def on_trial_add(self, tune_controller, trial):
            if trial not in self._trial_info:  # else it was tried before, and has its place
                super().on_trial_add(tune_controller, trial)

    return SafeHyperBand(**options)
