"""A Ray of two nodes on this machine, each with one CPU, behind a token; and the trials whose steps
leave traces.
"""

import json
import logging
import math
import signal
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from hpt_helpers.data import load_splits
from hpt_helpers.on_ray import local_ray as room
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.training import fit

SPACE = SearchSpace(
    {
        "lr": Real(1e-4, 1e-2, log=True),
        "batch_size": Choice([16, 32, 64]),
        "hidden_size": Choice([8, 16, 32]),
    }
)
# A lost node is noticed within two seconds.
SOON = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 4,
}


class TwoNodes:
    """The cluster: its address, and its worker node, which can be killed and replaced."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder, self._number = cluster, folder, 1
        _, self.head_at = self._add(_system_config=SOON)
        self.address = cluster.address
        self.add_worker()

    def _add(self, **options):
        """Add a node, at the sixth attempt at the latest: its agents have 15 s to start, too few on
        a busy machine.
        """
        for _ in range(5):
            with suppress(Exception):
                return self._try_to_add(options)
            for process in psutil.Process().children():
                with suppress(psutil.Error):  # such as one that has ended
                    if any(
                        argument.endswith(f"={self._last_at}") for argument in process.cmdline()
                    ):
                        process.kill()
        return self._try_to_add(options)

    def _try_to_add(self, options):
        self._number += 1
        self._last_at = f"127.0.0.{self._number}"
        node = self.cluster.add_node(
            num_cpus=1,
            node_ip_address=self._last_at,
            temp_dir=str(self.folder),
            include_dashboard=False,
            object_store_memory=80 * 2**20,
            no_monitor=True,
            include_log_monitor=False,
            **options,
        )
        return node, self._last_at

    def add_worker(self):
        self.lost_at = getattr(self, "worker_at", None)
        self.worker, self.worker_at = self._add()

    def kill_worker(self):
        """End the worker node as a machine that loses power does: what trains there at the same
        moment.
        """
        raylet = psutil.Process(self.worker.all_processes["raylet"][0].process.pid)
        # a step that goes on could end its trial
        for process in (*raylet.children(recursive=True), raylet):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.worker.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)
        self.cluster.worker_nodes.discard(self.worker)


@contextmanager
def two_nodes():
    """Start both nodes, and end all of their processes; yield the cluster as `TwoNodes`."""
    from ray.cluster_utils import Cluster

    with ExitStack() as at_exit:
        folder = at_exit.enter_context(room._private_folder())
        # Cluster notes its address in RAY_TMPDIR; in /tmp/ray every other Ray of this machine would
        # look for it.
        quiet = room.QUIET | room.NO_OUTSIDE_REQUESTS | room._without_slow_import(folder)
        at_exit.enter_context(room._environment(quiet | {"RAY_TMPDIR": str(folder)}))
        at_exit.callback(logging.getLogger("ray").setLevel, logging.getLogger("ray").level)
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        at_exit.enter_context(room._random_token())
        (folder / "ray").mkdir()
        at_exit.callback(room._stop, folder)
        cluster = Cluster(shutdown_at_exit=False)
        at_exit.callback(cluster.shutdown)
        yield TwoNodes(cluster, folder)


@contextmanager
def time_limit(seconds):
    """Interrupt the search of this block when it takes longer: it ends with a warning, which
    fails.
    """
    watchdog = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


class Traces:
    """A file to which each step of a trial writes a line when it starts and when it ends: what ran,
    and where.
    """

    def __init__(self, path):
        self.path = Path(path)

    def write(self, what, config, epoch=1):
        import ray

        line = {
            "what": what,
            "config": config,
            "epoch": epoch,
            "at": ray.util.get_node_ip_address(),
        }
        with open(
            self.path, "a", encoding="utf-8"
        ) as file:  # one write for each line, so that none is torn
            file.write(json.dumps(line) + "\n")

    def wait_for_two_nodes(self, limit_s=60):
        """Wait until steps ran on two nodes: a process of the second one may start seconds later
        than the first.
        """
        deadline = time.monotonic() + limit_s
        while len({line["at"] for line in self.read()}) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)

    def read(self):
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def slow_trials(traces, sleep_s):
    """Return a function for `per_trial` that trains on iris, with traces, and takes a while.

    Each waits until trials have begun on both nodes.
    """
    splits = load_splits("iris")

    def train(config, n_epochs):
        traces.write("start", config, n_epochs)
        traces.wait_for_two_nodes()
        time.sleep(sleep_s)
        curve = fit(config, splits, n_epochs=n_epochs)
        traces.write("end", config, n_epochs)
        return curve.val_loss[-1]

    return train


def slow_loss(traces, sleep_s):
    """Return a function for `per_trial` with a minimum inside the space, with traces, that takes a
    while.
    """

    def loss(config, n_epochs):
        traces.write("start", config)
        time.sleep(sleep_s)
        traces.write("end", config)
        return (
            math.log(config["lr"] / 1e-3) ** 2
            + config["batch_size"] / 64
            + config["hidden_size"] / 1000
        )

    return loss


def search_until_killed(name, folder):
    """Run, in a process that may be killed at any time, one search on the cluster that RAY_ADDRESS
    names.
    """
    from hpt_helpers.objectives import per_trial
    from hpt_helpers.on_ray.local_ray import local_ray
    from hpt_helpers.on_ray.ray_tune import tune_on_ray

    objective = per_trial(slow_loss(Traces(Path(folder, "traces.jsonl")), 0.25))
    with local_ray():
        at_once = {"bayesian_search": 1, "random_search": 2}[name]
        tune_on_ray(
            name,
            SPACE,
            objective,
            max_epochs=1,
            n_trials=12,
            seed=3,
            n_workers=at_once,
            log=Path(folder, "ended_trials.jsonl"),
        )


if __name__ == "__main__":
    import sys

    search_until_killed(*sys.argv[1:])
