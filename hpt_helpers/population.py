"""Train many configurations at once, as stacked tensors.

The numbers are those of `fit`, tens of times faster.
"""

import copy
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from itertools import zip_longest
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from hpt_helpers.arguments import as_count
from hpt_helpers.config import DEFAULTS, check_schedule, network_config
from hpt_helpers.data import Splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.progress import progress_bar
from hpt_helpers.stack import share_out, stack_data, stack_settings, train_stack
from hpt_helpers.threads import one_thread
from hpt_helpers.training import LearningCurves, seeded_generators

# About so many networks train as one stack: more of them fall out of the processor's cache.
STACK = 64
SMALL = 20  # fewer networks than this of one kind share a stack with networks of other kinds
CHUNK = 2048  # networks that `fit_many` holds at a time, which bounds its memory


class Population:
    """Networks in training, one for each configuration, all at the same epoch.

    configs: a sequence of configurations, as for `fit`, which may differ in every entry.
    splits: one `Splits` for all, or one for each configuration, all of the same shape.
    seed: one for all, or one for each configuration. The same seed gives the same shuffles and, for
        one hidden size, the same initial weights up to init_scale. Such luck is common to all that
        share a seed, and cancels in their differences (common random numbers).
    Raises ValueError or TypeError for a bad configuration, for splits of different shapes, and when
    there are not as many splits or seeds as configurations.
    """

    def __init__(
        self,
        configs: Sequence[Mapping],
        splits: Splits | Sequence[Splits],
        *,
        seed: int | Sequence[int] = 0,
    ):
        if len(configs) == 0:
            raise ValueError("configs is empty; a population needs at least one configuration")
        split_of = _one_each("splits", splits, Splits, len(configs))
        seed_of = _one_each("seed", seed, (int, np.integer), len(configs))
        self.configs = [network_config(c, s) for c, s in zip(configs, split_of, strict=True)]
        self.epoch = 0
        self._splits = list({id(s): s for s in split_of}.values())
        position = {id(s): i for i, s in enumerate(self._splits)}
        self._split_of = np.array([position[id(s)] for s in split_of])
        self._shuffles = {int(s): seeded_generators(s)[1] for s in set(seed_of)}
        self._seed_of = np.array(seed_of, dtype=np.int64)
        self._data = stack_data(self._splits)
        self._W1, self._W2 = self._initial_weights()
        self._curves = np.empty((3, len(configs), 0))

    def _initial_weights(self) -> tuple[Tensor, Tensor]:
        """Return W1 and W2 of `train_stack`: the weights of `SimpleNN`, and moments of 0.

        Narrow networks are padded with hidden units of weight 0, whose gradients are exactly 0.
        """
        n, n_in, n_out = len(self), self._splits[0].n_features, self._splits[0].n_classes
        hidden_of = [config["hidden_size"] for config in self.configs]
        W1 = torch.zeros(3, n, 1 + max(hidden_of), 1 + n_in, dtype=torch.float64)
        W2 = torch.zeros(3, n, n_out, 1 + max(hidden_of), dtype=torch.float64)
        W1[0, :, 0, 0] = 1  # hidden unit 0 is the constant 1
        members: dict[tuple[int, int], list[int]] = {}
        for i, kind in enumerate(zip(self._seed_of.tolist(), hidden_of, strict=True)):
            members.setdefault(kind, []).append(i)
        for (seed, hidden), alike in members.items():
            weights, _ = seeded_generators(seed)
            network = SimpleNN(n_in, n_out, hidden, generator=weights).requires_grad_(False)
            W1[0, alike, 1 : 1 + hidden, 0] = network.hidden.bias
            W1[0, alike, 1 : 1 + hidden, 1:] = network.hidden.weight
            W2[0, alike, :, 0] = network.output.bias
            W2[0, alike, :, 1 : 1 + hidden] = network.output.weight
        scales = [config.get("init_scale", DEFAULTS["init_scale"]) for config in self.configs]
        scale = torch.tensor(scales, dtype=torch.float64)[:, None, None]
        W1[0, :, 1:, 1:] *= scale
        W2[0, :, :, 1:] *= scale
        return W1, W2

    def __len__(self) -> int:
        return len(self.configs)

    def __getitem__(self, indices: int | Sequence[int] | np.ndarray | slice) -> Self:
        """Return a new population of these members, which trains on alone.

        indices: an integer, several, a boolean mask or a slice.
        Raises ValueError when they select no member, IndexError for a member that is not there.
        """
        members = np.atleast_1d(np.arange(len(self))[indices])
        if len(members) == 0:
            raise ValueError(
                "indices select no member; a population needs at least one configuration"
            )
        chosen = copy.copy(self)  # what training does not change is shared
        chosen.configs = [self.configs[i] for i in members]
        chosen._split_of = self._split_of[members]
        chosen._seed_of = self._seed_of[members]
        chosen._shuffles = {seed: self._shuffles[seed] for seed in set(chosen._seed_of.tolist())}
        width = 1 + max(config["hidden_size"] for config in chosen.configs)
        chosen._W1 = self._W1[:, members, :width]
        chosen._W2 = self._W2[:, members, :, :width]
        chosen._curves = self._curves[:, members]
        return chosen

    @one_thread()
    def train_to(self, epoch: int) -> Self:
        """Train every member on to this epoch, counted from the start; return the population.

        An interrupt or an error leaves the population as it was.
        Raises TypeError for an epoch that is no integer, ValueError for one that is below 1, that
        it has passed already, or that lies beyond a member's cosine_epochs.
        """
        n_new = as_count("epoch", epoch, least=max(1, self.epoch)) - self.epoch
        for config in self.configs:
            check_schedule(config, epoch)
        if n_new == 0:
            return self
        # Only copies change until all is done. Subsets share the generators, too.
        shuffles = {seed: generator.clone_state() for seed, generator in self._shuffles.items()}
        n_rows = self._splits[0].n_train
        orders = {}
        for seed, generator in shuffles.items():
            epochs = [torch.randperm(n_rows, generator=generator) for _ in range(n_new)]
            orders[seed] = torch.stack(epochs)
        W1, W2, new = self._W1.clone(), self._W2.clone(), np.empty((3, len(self), n_new))
        hidden_sizes = [config["hidden_size"] for config in self.configs]
        batch_sizes = [config["batch_size"] for config in self.configs]
        kinds = np.array([hidden_sizes, batch_sizes, self._split_of, self._seed_of])
        for members in share_out(kinds, STACK, SMALL):
            new[:, members] = self._train_stack(members, orders, W1, W2)
        curves = np.concatenate([self._curves, new], axis=2)
        self._commit(_W1=W1, _W2=W2, _curves=curves, _shuffles=shuffles, epoch=self.epoch + n_new)
        return self

    def _commit(self, **state: Any) -> None:
        """Replace all that training changes at once, so that an interrupt leaves it whole.

        Python lets no interrupt in during a single call of C code, as `update` is.
        """
        vars(self).update(state)

    def curves(self) -> LearningCurves:
        """Return the learning curves so far, three arrays of shape (n_configs, epoch)."""
        failed = np.logical_or.accumulate(~np.isfinite(self._curves[1]), axis=1)
        train_loss, val_loss, val_accuracy = np.where(failed, np.nan, self._curves)
        return LearningCurves(train_loss, val_loss, val_accuracy)

    def model(self, i: int) -> SimpleNN:
        """Return a copy of the i-th member as it stands."""
        hidden = self.configs[i]["hidden_size"]
        n_in, n_out = self._splits[0].n_features, self._splits[0].n_classes
        model = SimpleNN(n_in, n_out, hidden, generator=torch.Generator())
        W1, W2 = self._W1[0, i, 1 : 1 + hidden], self._W2[0, i, :, : 1 + hidden]
        model.load_state_dict(
            {
                "hidden.weight": W1[:, 1:],
                "hidden.bias": W1[:, 0],
                "output.weight": W2[:, 1:],
                "output.bias": W2[:, 0],
            }
        )
        return model

    def state_dict(self) -> dict:
        """Return a copy of all that training changes, for `load_state_dict`.

        With it stands whose state it is: the configuration, seed and data of every member.
        """
        state = {
            "W1": self._W1,
            "W2": self._W2,
            "shuffles": {seed: g.get_state() for seed, g in self._shuffles.items()},
            "curves": self._curves,
            "epoch": self.epoch,
        }
        return copy.deepcopy(state) | {"members": self._members()}

    def load_state_dict(self, state: Mapping) -> None:
        """Take up a copy of a state that `state_dict` of a population of the same members returned.

        Raises TypeError for anything else. Raises ValueError, which names the first member that
        differs, for the state of other configurations, seeds or data, or of the same in another
        order.
        """
        members = self._members()
        if not isinstance(state, Mapping) or "members" not in state:
            raise TypeError(
                f"state is a {type(state).__name__}; a mapping that state_dict() returned is needed"
            )
        for i, (theirs, ours) in enumerate(zip_longest(state["members"], members)):
            if theirs != ours:
                raise ValueError(
                    f"state is another population's: its member {i} is {theirs}, here it is {ours}"
                )
        W1, W2, curves = copy.deepcopy((state["W1"], state["W2"], state["curves"]))
        shuffles = {seed: torch.Generator().set_state(s) for seed, s in state["shuffles"].items()}
        self._commit(_W1=W1, _W2=W2, _curves=curves, _shuffles=shuffles, epoch=state["epoch"])

    def _members(self) -> list[tuple[dict, int, str]]:
        """Return all that decides the numbers of each member.

        That is its configuration with all defaults, its seed and a digest of its data.
        """
        digests = []
        for splits in self._splits:
            data = b"".join(tensor.numpy().tobytes() for tensor in splits.seen)
            digests.append(hashlib.sha256(data).hexdigest())
        seeds, splits_of = self._seed_of.tolist(), self._split_of.tolist()
        return [
            (DEFAULTS | config, seed, digests[split])
            for config, seed, split in zip(self.configs, seeds, splits_of, strict=True)
        ]

    def _train_stack(
        self, members: np.ndarray, orders: dict[int, Tensor], all_W1: Tensor, all_W2: Tensor
    ) -> np.ndarray:
        """Train members, sorted by batch size; return their curves, shape (3, n, n_epochs).

        orders: for each seed the shuffled rows of the epochs to come, shape (n_epochs, n_train).
        all_W1, all_W2: the weights of all members, of which these are changed.
        """
        configs = [self.configs[i] for i in members]
        width = 1 + max(config["hidden_size"] for config in configs)
        W1, W2 = all_W1[:, members, :width], all_W2[:, members, :, :width]
        settings = stack_settings(configs)
        batch_size = settings.batch_size
        split = torch.from_numpy(self._split_of[members])
        seeds, which = np.unique(self._seed_of[members], return_inverse=True)
        # Members with one seed, split and batch size see the same rows: one copy serves them all.
        same_data = len(seeds) == 1 and bool((split == split[0]).all())
        alike = same_data and bool((batch_size == batch_size[0]).all())
        copies = slice(0, 1) if alike else slice(None)
        order = torch.stack([orders[seed] for seed in seeds.tolist()])[which[copies]]
        order = order + order.shape[2] * split[copies, None, None]
        curves = train_stack(W1, W2, settings, order, self._data, split[copies], self.epoch)
        all_W1[:, members, :width], all_W2[:, members, :, :width] = W1, W2
        return curves


def _one_each(name: str, value: Any, kind: type | tuple[type, ...], n: int) -> list:
    """Return a list of n values: the given ones, or the given one n times if it is of this kind."""
    if isinstance(value, kind):
        return [value] * n
    if not isinstance(value, Iterable):
        needed = "one for all or a sequence of one for each configuration is needed"
        raise TypeError(f"{name} is {value!r}; {needed}")
    values = list(value)
    if len(values) != n:
        raise ValueError(f"{name} has {len(values)} entries; there are {n} configurations")
    return values


def fit_many(
    configs: Sequence[Mapping],
    splits: Splits | Sequence[Splits],
    *,
    n_epochs: int,
    seed: int | Sequence[int] = 0,
    progress: bool = False,
) -> LearningCurves:
    """Train every configuration as `fit` does, but together, and return their learning curves.

    The curves are of shape (n_configs, n_epochs). Where training is well conditioned, that is up to
    the data set's `max_lr`, losses agree with those of `fit` within 1e-9 and accuracies exactly. At
    most CHUNK configurations are in training at a time, which bounds the memory.

    configs, splits, seed: as for `Population`. progress: show a bar.
    Raises what `Population` raises, and ValueError or TypeError for a bad n_epochs.
    """
    n_epochs, n = as_count("n_epochs", n_epochs), len(configs)
    split_of = _one_each("splits", splits, Splits, n)
    seed_of = _one_each("seed", seed, (int, np.integer), n)
    parts = []
    for start in progress_bar(range(0, max(n, 1), CHUNK), progress=progress, unit="chunk"):
        chunk = slice(start, start + CHUNK)
        population = Population(configs[chunk], split_of[chunk], seed=seed_of[chunk])
        parts.append(population.train_to(n_epochs).curves())
    train_loss, val_loss, val_accuracy = np.concatenate([astuple(part) for part in parts], axis=1)
    return LearningCurves(train_loss, val_loss, val_accuracy)
