"""One definition of a search space, and its forms for scikit-learn, scikit-optimize and Ray Tune."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np


@dataclass(frozen=True)
class Real:
    """A float from low to high, uniform, or uniform in the logarithm when log is True (then low > 0)."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self):
        _check_bounds(self, numbers.Real)
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low!r}; a logarithmic parameter needs low > 0")

    def sample(self, rng: np.random.Generator) -> float:
        if not self.log:
            return float(rng.uniform(self.low, self.high))
        value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return min(max(value, self.low), self.high)  # exp(log(high)) may round past high

    def points(self, n: int, centred: bool) -> list[float]:
        fractions = (np.arange(n) + 0.5) / n if centred else np.linspace(0, 1, n)
        if not self.log:
            return [float(self.low + f * (self.high - self.low)) for f in fractions]
        values = [self.low * (self.high / self.low) ** float(f) for f in fractions]
        return [float(min(max(v, self.low), self.high)) for v in values]

    def __contains__(self, value) -> bool:
        # Libraries' log-uniform draws come back through exp or 10**x and may round past a bound.
        return _is_number(value, numbers.Real) and (
            self.low * (1 - 1e-12 * np.sign(self.low)) <= value <= self.high * (1 + 1e-12 * np.sign(self.high))
        )


@dataclass(frozen=True)
class Integer:
    """An integer from low to high, both included, uniform."""

    low: int
    high: int

    def __post_init__(self):
        _check_bounds(self, numbers.Integral)

    def sample(self, rng: np.random.Generator) -> int:
        return int(rng.integers(self.low, self.high + 1))

    def points(self, n: int, centred: bool) -> list[int]:
        return list(dict.fromkeys(round(v) for v in Real(self.low, self.high).points(n, centred)))

    def __contains__(self, value) -> bool:
        return _is_number(value, numbers.Integral) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of the given values, each as likely as the others."""

    values: tuple

    def __init__(self, values):
        object.__setattr__(self, "values", tuple(values))
        if not self.values or len(set(self.values)) < len(self.values):
            raise ValueError(f"values is {self.values!r}; at least one value is needed and none twice")

    def sample(self, rng: np.random.Generator):
        return self.values[rng.integers(len(self.values))]

    def points(self, n: int, centred: bool) -> list:
        return list(self.values)

    def __contains__(self, value) -> bool:
        return value in self.values


class SearchSpace(Mapping):
    """A search space: a mapping from a hyperparameter's name to `Real`, `Integer` or `Choice`.

    >>> space = SearchSpace({"lr": Real(1e-4, 1e-2, log=True), "batch_size": Choice([16, 32])})
    >>> len(space.grid(3)), {"lr": 0.001, "batch_size": 16} in space
    (6, True)
    """

    def __init__(self, parameters: Mapping[str, Real | Integer | Choice]):
        for name, parameter in parameters.items():
            if not isinstance(parameter, Real | Integer | Choice):
                raise TypeError(f"parameters[{name!r}] is {parameter!r}; Real, Integer or Choice is needed")
        if not parameters:
            raise ValueError("parameters is empty; a search space needs at least one")
        self._parameters = dict(parameters)

    def __getitem__(self, name: str) -> Real | Integer | Choice:
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __repr__(self) -> str:
        return f"SearchSpace({self._parameters!r})"

    def __contains__(self, item) -> bool:
        """Whether a configuration (a mapping) lies in the space; for a string, whether it is a parameter's name."""
        if not isinstance(item, Mapping):
            return item in self._parameters
        return item.keys() == self._parameters.keys() and all(item[k] in p for k, p in self._parameters.items())

    def sample(self, n: int, *, seed: int) -> list[dict]:
        """Return n independent random configurations, drawn with replacement; the same for the same seed."""
        rng = np.random.default_rng(seed)
        return [{name: p.sample(rng) for name, p in self._parameters.items()} for _ in range(n)]

    def grid(self, n_points: int | Mapping[str, int] = 3, *, centred: bool = False) -> list[dict]:
        """Return the configurations of a grid, the last parameter varying fastest.

        n_points: per Real or Integer axis, one number for all or one by name; a Choice has its values.
        The points are spaced evenly (in the logarithm where log is True) from bound to bound, or,
        centred, in the middles of n_points equal cells.
        """
        axes = [values for values in self.to_param_grid(n_points, centred=centred).values()]
        return [dict(zip(self._parameters, point, strict=True)) for point in product(*axes)]

    def to_param_grid(self, n_points: int | Mapping[str, int] = 3, *, centred: bool = False) -> dict[str, list]:
        """Return the grid's axes, for scikit-learn's `ParameterGrid` and `GridSearchCV`."""
        counts = n_points if isinstance(n_points, Mapping) else dict.fromkeys(self._parameters, n_points)
        for name, count in counts.items():
            if name not in self._parameters or _not_count(count):
                raise ValueError(
                    f"n_points[{name!r}] is {count!r}; parameters of the space and integers >= 1 are allowed"
                )
        return {name: p.points(counts.get(name, 3), centred) for name, p in self._parameters.items()}

    def to_distributions(self) -> dict:
        """Return distributions for scikit-learn's `ParameterSampler` and `RandomizedSearchCV`.

        A Choice becomes a list; when all parameters are lists, scikit-learn draws without replacement.
        """
        from scipy import stats

        def translate(p):
            if isinstance(p, Choice):
                return list(p.values)
            if isinstance(p, Integer):
                return stats.randint(p.low, p.high + 1)
            return stats.loguniform(p.low, p.high) if p.log else stats.uniform(p.low, p.high - p.low)

        return {name: translate(p) for name, p in self._parameters.items()}

    def to_skopt(self) -> list:
        """Return the dimensions for scikit-optimize, in the space's order and named."""
        from skopt import space

        def translate(name, p):
            if isinstance(p, Choice):
                return space.Categorical(list(p.values), name=name)
            if isinstance(p, Integer):
                return space.Integer(p.low, p.high, name=name)
            return space.Real(p.low, p.high, prior="log-uniform" if p.log else "uniform", name=name)

        return [translate(name, p) for name, p in self._parameters.items()]

    def to_ray(self) -> dict:
        """Return the `param_space` for Ray Tune."""
        from ray import tune

        def translate(p):
            if isinstance(p, Choice):
                return tune.choice(list(p.values))
            if isinstance(p, Integer):
                return tune.randint(p.low, p.high + 1)
            return tune.loguniform(p.low, p.high) if p.log else tune.uniform(p.low, p.high)

        return {name: translate(p) for name, p in self._parameters.items()}


def _check_bounds(p, kind) -> None:
    for bound in ("low", "high"):
        if not _is_number(getattr(p, bound), kind) or not math.isfinite(getattr(p, bound)):
            raise TypeError(f"{bound} is {getattr(p, bound)!r}; a finite {kind.__name__.lower()} number is needed")
    if not p.low < p.high:
        raise ValueError(f"low is {p.low!r} and high is {p.high!r}; low must be less than high")


def _is_number(value, kind) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _not_count(value) -> bool:
    return not _is_number(value, numbers.Integral) or value < 1
