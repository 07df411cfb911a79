"""Our small arrays are computed on one thread, and others' keep theirs."""

import subprocess
import sys

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from hpt_helpers.classroom.lesson_01.skorch_network import skorch_classifier
from hpt_helpers.classroom.lesson_03.photograph import Photograph, photograph
from hpt_helpers.data import load_splits
from hpt_helpers.threads import one_thread_in_all


def n_threads():
    return {found["num_threads"] for found in threadpool_info()}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2):
        yield
        assert n_threads() == {2}


def test_all_libraries_have_one_thread_inside_and_two_after_an_interrupt():
    with pytest.raises(KeyboardInterrupt), one_thread_in_all():
        assert n_threads() == {1} and torch.get_num_threads() == 1
        raise KeyboardInterrupt


def test_a_library_that_is_loaded_later_has_one_thread_too():
    code = (
        "import numpy\n"
        "from threadpoolctl import threadpool_info, threadpool_limits\n"
        "from hpt_helpers.threads import one_thread_in_all\n"
        "with one_thread_in_all(): few = len(threadpool_info())\n"
        "import scipy.linalg, sklearn.cluster\n"
        "threadpool_limits(2)\n"
        "with one_thread_in_all(): found = [i['num_threads'] for i in threadpool_info()]\n"
        "print(len(found) > few, set(found))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "True {1}\n", done.stderr


def test_a_photograph_is_filled_in_on_one_thread(monkeypatch):
    """Beside two busy processes on two cores, two threads took 20 times as long."""
    inside, kernel = [], Photograph._kernel

    def counted(*arguments):
        inside.append(n_threads())
        return kernel(*arguments)

    monkeypatch.setattr(Photograph, "_kernel", counted)
    photograph().loss({"row_scale": 6.0, "column_scale": 5.0, "alpha": 0.01})
    assert inside == [{1}, {1}]


def test_skorch_trains_and_predicts_on_one_thread(monkeypatch):
    """As above: its training took ten times as long."""
    inside, splits = [], load_splits("iris")
    network = skorch_classifier(splits, n_epochs=1)
    forward = network.module.forward

    def counted(*arguments):
        inside.append(torch.get_num_threads())
        return forward(*arguments)

    monkeypatch.setattr(network.module, "forward", counted)
    network.fit(*splits.search_rows())
    n_training = len(inside)
    network.predict(splits.X_val.numpy())
    assert set(inside) == {1} and len(inside) > n_training > 0
