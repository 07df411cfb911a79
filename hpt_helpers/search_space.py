"""One definition of a search space, and its forms for the libraries that search."""

import math
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from hpt_helpers.arguments import as_count, is_number
from hpt_helpers.config import as_plain


@dataclass(frozen=True)
class Real:
    """A float from low to high, uniform, or uniform in the logarithm when log is True.

    A logarithmic one needs low > 0.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self):
        _check_bounds(self, numbers.Real)

    def sample(self, rng: np.random.Generator) -> float:
        return self.from_unit(rng.random())

    def to_unit(self, value: float) -> float:
        low, high, value = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        # close bounds may share a logarithm
        return min(max((value - low) / (high - low or 1.0), 0.0), 1.0)

    def from_unit(self, u: float) -> float:
        if u == 0:  # the bounds themselves, which rounding might miss
            return float(self.low)
        if u == 1:
            return float(self.high)
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            value = math.exp(low + u * (high - low))
        else:
            value = self.low + u * (self.high - self.low)
        return float(min(max(value, self.low), self.high))  # rounding may lead past a bound

    def points(self, n: int, centred: bool = False) -> list[float]:
        """Return n values, spaced as `SearchSpace.grid` says.

        Raises TypeError or ValueError unless n is 1, 2, 3, …
        """
        n = as_count("n", n)
        spaced = np.geomspace if self.log else np.linspace
        values = (
            spaced(self.low, self.high, 2 * n + 1)[1::2]
            if centred
            else spaced(self.low, self.high, n)
        )
        # between close bounds, geomspace rounds past them
        return np.clip(values, self.low, self.high).tolist()

    def __contains__(self, value) -> bool:
        # Libraries' log-uniform draws come back through exp or 10**x and may round past a bound.
        least, most = self.low - 1e-12 * abs(self.low), self.high + 1e-12 * abs(self.high)
        return is_number(value) and least <= value <= most


class _Discrete:
    """A parameter with a sequence of `values`, each with an equal cell of [0, 1]."""

    values: Sequence

    def sample(self, rng: np.random.Generator):
        return self.values[int(rng.integers(len(self.values)))]

    def to_unit(self, value) -> float:
        return (self.values.index(value) + 0.5) / len(self.values)

    def from_unit(self, u: float):
        # 1 belongs to the last cell
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]


@dataclass(frozen=True)
class Integer(_Discrete):
    """An integer from low to high, both included, uniform, or by its logarithm when log is True.

    A logarithmic one needs low > 0. It draws k in proportion to log(k + 1) - log(k), so that 1 to 9
    is as likely as 10 to 99.
    """

    low: int
    high: int
    log: bool = False

    def __post_init__(self):
        _check_bounds(self, numbers.Integral)

    def __repr__(self) -> str:  # logs hold it, those from before there was log too
        return f"Integer(low={self.low}, high={self.high}{', log=True' if self.log else ''})"

    @property
    def values(self) -> range:
        return range(self.low, self.high + 1)

    def sample(self, rng: np.random.Generator) -> int:
        return self.from_unit(rng.random()) if self.log else super().sample(rng)

    def to_unit(self, value: int) -> float:
        """Return the middle of the value's cell."""
        if not self.log:
            return super().to_unit(value)
        return (self._edge(value) + self._edge(value + 1)) / 2

    def from_unit(self, u: float) -> int:
        if not self.log:
            return super().from_unit(u)
        low, high = math.log(self.low), math.log(self.high + 1)
        value = int(math.exp(low + u * (high - low)))
        # rounding may lead into a neighbour's cell
        if u < self._edge(value):
            value -= 1
        elif u >= self._edge(value + 1):
            value += 1
        return min(max(value, self.low), self.high)

    def _edge(self, value: int) -> float:
        """Return where the value's cell begins in the logarithmic unit interval."""
        if value <= self.low:
            return 0.0
        start = math.log(self.low)
        return (math.log(value) - start) / (math.log(self.high + 1) - start)

    def points(self, n: int, centred: bool = False) -> list[int]:
        """Return those of `Real`, rounded, each once.

        Raises TypeError or ValueError unless n is 1, 2, 3, …
        """
        points = Real(self.low, self.high, self.log).points(n, centred)
        return list(dict.fromkeys(round(v) for v in points))

    def __contains__(self, value) -> bool:
        return is_number(value, numbers.Integral) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice(_Discrete):
    """One of the given values, each as likely as the others."""

    values: tuple

    def __init__(self, values):
        if not isinstance(values, Iterable) or isinstance(values, Mapping | str | bytes):
            raise TypeError(f"values is {values!r}; a sequence such as [16, 32] is needed")
        # what a configuration can hold
        object.__setattr__(self, "values", as_plain(tuple(values), "values"))
        if any(isinstance(value, list | dict) for value in self.values):
            raise TypeError(
                f"values is {self.values!r}; a value may be a tuple, but no list and no dict"
            )
        if not self.values or len(set(self.values)) < len(self.values):
            raise ValueError(
                f"values is {self.values!r}; at least one value is needed and none twice"
            )

    def points(self, n: int, centred: bool = False) -> list:
        """Return all values, whatever n is."""
        return list(self.values)

    def __contains__(self, value) -> bool:
        return value in self.values


class SearchSpace(Mapping):
    """A search space: a mapping from a hyperparameter's name to `Real`, `Integer` or `Choice`.

    Its methods do for configurations what those of the same names do for one value.

    >>> space = SearchSpace({"lr": Real(1e-4, 1e-2, log=True), "batch_size": Choice([16, 32])})
    >>> len(space.grid(3)), {"lr": 0.001, "batch_size": 16} in space
    (6, True)
    """

    def __init__(self, parameters: Mapping[str, Real | Integer | Choice]):
        if not isinstance(parameters, Mapping):
            needed = "a mapping such as {'lr': Real(0, 1)} is needed"
            raise TypeError(f"parameters is {parameters!r}; {needed}")
        for name, parameter in parameters.items():
            if not isinstance(name, str):
                raise TypeError(f"parameters has the name {name!r}; names must be of type str")
            as_plain(name, "a name of parameters")
            if not isinstance(parameter, Real | Integer | Choice):
                raise TypeError(
                    f"parameters[{name!r}] is {parameter!r}; Real, Integer or Choice is needed"
                )
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
        """Whether a configuration (a mapping) lies in the space; for a string, whether it is a
        parameter's name.
        """
        if not isinstance(item, Mapping):
            return item in self._parameters
        return item.keys() == self._parameters.keys() and all(
            item[k] in p for k, p in self._parameters.items()
        )

    def sample(self, n: int, *, seed: int) -> list[dict]:
        """Return n independent random configurations, drawn with replacement; the same for the same
        seed.

        A longer sample begins with the shorter one. No other random state is read or changed.
        Raises TypeError for an n or seed that is no integer, ValueError for an n below 1 or a seed
        below 0.
        """
        rng = np.random.default_rng(as_count("seed", seed, least=0))
        return [
            {name: p.sample(rng) for name, p in self._parameters.items()}
            for _ in range(as_count("n", n))
        ]

    def to_unit(self, configs: Sequence[Mapping]) -> np.ndarray:
        """Return the configurations as points of the unit cube: float64, shape (n_configs,
        n_parameters).

        A column for each parameter, in the space's order. A Real's low is 0 and its high 1, evenly
        between them, in the logarithm where log is True. An Integer or a Choice shares [0, 1] out
        in cells as wide as each value is likely, and a value is the middle of its cell. `from_unit`
        gives the configurations back, a Real but for rounding. Raises ValueError for a
        configuration that does not lie in the space.
        """
        for i, config in enumerate(configs):
            if not isinstance(config, Mapping) or config not in self:
                raise ValueError(
                    f"configs[{i}] is {config!r}; a configuration in {self!r} is needed"
                )
        points = [
            [p.to_unit(config[name]) for name, p in self._parameters.items()] for config in configs
        ]
        return np.array(points, dtype=np.float64).reshape(len(points), len(self))

    def from_unit(self, points: np.ndarray | Sequence[Sequence[float]]) -> list[dict]:
        """Return the configurations at points of the unit cube, shape (n, n_parameters): the
        inverse of `to_unit`.

        Uniform points give configurations as `sample` draws them: scipy's `qmc.Sobol` is a design
        of the space. Raises TypeError or ValueError for what is not numbers, another shape, nan, or
        numbers outside 0 to 1.
        """
        array = np.asarray(points, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != len(self):
            raise ValueError(
                f"points has the shape {array.shape}; "
                f"(n, {len(self)}) is needed, a column a parameter"
            )
        if not ((array >= 0) & (array <= 1)).all():
            raise ValueError(
                f"points has values from {array.min()} to {array.max()}; 0 to 1 are allowed"
            )
        named = self._parameters.items()
        return [
            {name: p.from_unit(u) for (name, p), u in zip(named, row, strict=True)}
            for row in array.tolist()
        ]

    def grid(self, n_points: int | Mapping[str, int] = 3, *, centred: bool = False) -> list[dict]:
        """Return the configurations of a grid, the last parameter varying fastest.

        n_points: per Real or Integer axis, one number for all or one by name (3 where none is
            given); a Choice has its values. An Integer's are rounded, and fewer where that makes
            two the same.
        centred: False spaces the points evenly (in the logarithm where log is True) from bound to
            bound, both exact, True puts them in the middles of n_points equal cells.
        Raises TypeError for a number that is no integer, ValueError for one below 1 or a name not
        in the space.
        """
        axes = self.to_param_grid(n_points, centred=centred).values()
        return [dict(zip(self._parameters, point, strict=True)) for point in product(*axes)]

    def to_param_grid(
        self, n_points: int | Mapping[str, int] = 3, *, centred: bool = False
    ) -> dict[str, list]:
        """Return the axes of `grid`, name to values, for scikit-learn's `ParameterGrid` and
        `GridSearchCV`.
        """
        counts = (
            n_points if isinstance(n_points, Mapping) else dict.fromkeys(self._parameters, n_points)
        )
        for name, count in counts.items():
            if name not in self._parameters:
                raise ValueError(
                    f"n_points has {name!r}; the space's parameters are {', '.join(self)}"
                )
            as_count(f"n_points[{name!r}]", count)
        return {
            name: p.points(counts.get(name, 3), centred) for name, p in self._parameters.items()
        }

    def to_distributions(self) -> dict:
        """Return distributions for scikit-learn's `ParameterSampler` and `RandomizedSearchCV`.

        A Choice becomes a list; when all parameters are lists, scikit-learn draws without
        replacement.
        """
        from scipy import stats

        def real(p):
            return (
                stats.loguniform(p.low, p.high) if p.log else stats.uniform(p.low, p.high - p.low)
            )

        def integer(p):
            return _LogIntegers(p) if p.log else stats.randint(p.low, p.high + 1)

        return self._translated(real, integer, lambda p: list(p.values))

    def to_skopt(self) -> list:
        """Return the dimensions for scikit-optimize, in the space's order and named."""
        from skopt import space

        def choice(p):
            dimension = space.Categorical(p.values)
            # Its own makes an array of the values, which takes tuples apart.
            dimension.inverse_transform = partial(space.Dimension.inverse_transform, dimension)
            return dimension

        def prior(p):
            return "log-uniform" if p.log else "uniform"

        def real(p):
            return space.Real(p.low, p.high, prior=prior(p))

        def integer(p):
            return space.Integer(p.low, p.high, prior=prior(p))

        dimensions = self._translated(real, integer, choice)
        for name, dimension in dimensions.items():
            dimension.name = name
        return list(dimensions.values())

    def to_ray(self) -> dict:
        """Return the `param_space` for Ray Tune."""
        from ray import tune

        def real(p):
            return tune.loguniform(p.low, p.high) if p.log else tune.uniform(p.low, p.high)

        def integer(p):
            return (tune.lograndint if p.log else tune.randint)(p.low, p.high + 1)

        return self._translated(real, integer, lambda p: tune.choice(list(p.values)))

    def _translated(self, real: Callable, integer: Callable, choice: Callable) -> dict:
        translate = {Real: real, Integer: integer, Choice: choice}
        return {name: translate[type(p)](p) for name, p in self._parameters.items()}


def as_space(space: SearchSpace) -> SearchSpace:
    """Return the search space itself; TypeError when it is none, such as a dict or a list."""
    if not isinstance(space, SearchSpace):
        needed = "a SearchSpace is needed, such as SearchSpace({'lr': Real(0, 1)})"
        raise TypeError(f"space is {space!r}; {needed}")
    return space


@dataclass(frozen=True)
class _LogIntegers:
    """A distribution for scikit-learn, which draws by `rvs`."""

    parameter: Integer

    def rvs(self, random_state=None) -> int:
        draws = hasattr(random_state, "uniform")  # a generator of numpy's, old or new
        rng: Any = random_state if draws else np.random.default_rng(random_state)
        return self.parameter.from_unit(rng.uniform())


def _check_bounds(p, kind) -> None:
    if not (is_number(p.low, kind) and is_number(p.high, kind)):
        raise TypeError(
            f"low is {p.low!r} and high is {p.high!r}; {kind.__name__.lower()} numbers are needed"
        )
    if not isinstance(p.log, bool):
        raise TypeError(f"log is {p.log!r}; True or False is needed")
    if not 0 < p.high - p.low < math.inf:
        raise ValueError(
            f"low is {p.low!r} and high is {p.high!r}; low must be less, by a finite difference"
        )
    if p.log and p.low <= 0:
        raise ValueError(f"low is {p.low!r}; a logarithmic parameter needs low > 0")
