"""What a configuration is: plain values, one identity everywhere, and what can be trained."""

import json
import math
from collections import OrderedDict
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpt_helpers.config import as_plain, config_key, network_config, training_key
from hpt_helpers.data import load_splits
from hpt_helpers.training import fit

IRIS = load_splits("iris")
NET = {"lr": 0.01, "batch_size": 16}

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
)
CONFIGS = st.dictionaries(st.text(max_size=2), JSON_VALUES, max_size=3)


# --- plain ----------------------------------------------------------------------------------------


def test_numpys_scalars_become_pythons():
    config = as_plain(
        {
            "lr": np.float64(0.5),
            "batch_size": np.int64(3),
            "name": np.str_("a"),
            "flag": np.bool_(True),
        }
    )
    assert config == {"lr": 0.5, "batch_size": 3, "name": "a", "flag": True}
    assert [type(v) for v in config.values()] == [float, int, str, bool]
    assert repr(as_plain({np.str_("x"): [np.float32(0.5), (np.uint8(1),)]})) == "{'x': [0.5, (1,)]}"


@given(CONFIGS)
def test_what_is_plain_stays_as_it_is_and_shares_nothing(config):
    copied = as_plain(config)
    assert repr(copied) == repr(config)
    config.clear()
    assert repr(copied) == repr(as_plain(copied))


def test_nested_values_are_copied_and_tuples_stay_tuples():
    given_ = MappingProxyType({"a": (1, [2]), "b": OrderedDict(c=[3])})
    copied = as_plain(given_)
    given_["a"][1].append(9)
    given_["b"]["c"].append(9)
    assert copied == {"a": (1, [2]), "b": {"c": [3]}} and type(copied["b"]) is dict


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        ({"lr": math.nan}, ValueError, r"^config\['lr'\] is nan; a float must be finite$"),
        ({"lr": np.float32(math.inf)}, ValueError, r"config\['lr'\] is inf"),
        (
            {"a": [0, (1, {"b": 1j})]},
            TypeError,
            r"config\['a'\]\[1\]\[1\]\['b'\] is 1j, of type complex; allowed",
        ),
        ({"a": {2}}, TypeError, r"config\['a'\] is \{2\}, of type set"),
        ({"a": np.zeros(1)}, TypeError, r"config\['a'\] is array"),
        ({"a": Fraction(1, 2)}, TypeError, r"of type Fraction"),
        ({"a": np.longdouble(0.5)}, TypeError, r"of type longdouble"),
        ({"a": len}, TypeError, r"config\['a'\] is <built-in function len>"),
        ({1: 2}, TypeError, r"config has the name 1; names must be of type str"),
        ({"a": {None: 2}}, TypeError, r"config\['a'\] has the name None"),
    ],
)
def test_what_json_cannot_say_is_refused_by_name(value, error, says):
    with pytest.raises(error, match=says):
        as_plain(value)


# --- identity -------------------------------------------------------------------------------------


@given(CONFIGS, st.randoms(use_true_random=False))
def test_neither_order_nor_json_changes_a_key(config, random):
    names = list(config)
    random.shuffle(names)
    assert config_key({name: config[name] for name in names}) == config_key(config)
    assert config_key(json.loads(json.dumps(config))) == config_key(config)


@given(CONFIGS, CONFIGS)
def test_keys_are_equal_only_where_all_values_are(one, other):
    def written(config):  # by other means: repr tells 1, 1.0 and True apart
        if isinstance(config, dict):
            return sorted((k, written(v)) for k, v in config.items())
        return repr([written(v) for v in config]) if isinstance(config, list) else repr(config)

    assert (config_key(one) == config_key(other)) == (written(one) == written(other))


@pytest.mark.parametrize("value", [1, 1.0, True, "1", [1], None, {"1": 1}])
def test_values_that_python_or_text_could_confuse_have_keys_of_their_own(value):
    others = [v for v in (1, 1.0, True, "1", [1], None, {"1": 1}) if repr(v) != repr(value)]
    assert len(others) == 6 and config_key({"x": value}) not in [
        config_key({"x": v}) for v in others
    ]


def test_a_tuple_is_a_list_and_numpy_is_python():
    assert config_key({"a": (1, [2.5])}) == config_key({"a": [np.int8(1), (np.float64(2.5),)]})


@pytest.mark.parametrize("config", [None, [("lr", 1)], "lr"])
@pytest.mark.parametrize("function", [config_key, training_key, network_config])
def test_what_is_no_mapping_is_no_configuration(function, config):
    with pytest.raises(TypeError, match="a mapping such as"):
        function(config)


SAME = [
    NET,
    NET | {"hidden_size": 16},
    NET | {"epochs": 2},
    {"batch_size": np.int64(16), "lr": np.float64(0.01)},
    NET | {"weight_decay": 0, "beta1": 0.9, "label_smoothing": 0.0, "init_scale": 1},
]
OTHERS = [
    NET | {"lr": 0.02},
    NET | {"batch_size": 17},
    NET | {"hidden_size": 8},
    NET | {"weight_decay": 0.1},
    NET | {"beta1": 0.8},
    NET | {"label_smoothing": 0.1},
    NET | {"init_scale": 1.1},
    NET | {"cosine_epochs": 2},
]
REFUSED = [
    NET | {"lr": "0.01"},
    NET | {"batch_size": 16.0},
    {"lr": 0.01},
    NET | {"hidden_size": None},
    NET | {"x": 1},
    NET | {"weight_decay": -0.1},
    NET | {"beta1": 1},
    NET | {"cosine_epochs": 2.0},
]


def test_a_training_has_one_key_whatever_it_is_called():
    """Equal keys, equal numbers; and what is refused shares a key with nothing that is trained."""
    losses = {
        repr(config): fit(config, IRIS, n_epochs=2).val_loss.tolist() for config in SAME + OTHERS
    }
    assert (
        len({training_key(config) for config in SAME})
        == 1
        == len({tuple(losses[repr(c)]) for c in SAME})
    )
    keys = {training_key(config): losses[repr(config)] for config in [NET, *OTHERS]}
    assert len(keys) == 9 == len({tuple(values) for values in keys.values()})
    for config in REFUSED:
        assert training_key(config) not in keys
        with pytest.raises((TypeError, ValueError)):
            fit(config, IRIS, n_epochs=2)


def test_a_missing_hidden_size_is_16_in_a_key_though_the_rest_cannot_be_trained():
    """A landscape may hold such configurations, with names that its searches leave out or not."""
    assert training_key({"lr": 0.1}) == training_key({"lr": 0.1, "hidden_size": 16})
    assert training_key({"lr": 0.1}) != training_key({"lr": 0.1, "hidden_size": 8})


def test_a_key_names_every_default():
    written = '{"batch_size": 16, "beta1": 0.9, "hidden_size": 16, "init_scale": 1.0, '
    written += '"label_smoothing": 0.0, "lr": 0.01, "weight_decay": 0.0}'
    assert training_key(NET | {"epochs": 9}) == written


def test_a_checked_configuration_has_the_settings_that_were_given():
    assert network_config(NET | {"weight_decay": 1}) == NET | {"hidden_size": 16, "weight_decay": 1}


def test_an_lr_of_1_is_a_float():
    assert (
        training_key(NET | {"lr": 1})
        == training_key(NET | {"lr": 1.0})
        != training_key(NET | {"lr": True})
    )


# --- what can be trained --------------------------------------------------------------------------


def test_without_splits_any_batch_size_can_be_checked():
    assert network_config(NET | {"batch_size": 91}) == NET | {"batch_size": 91, "hidden_size": 16}
    with pytest.raises(ValueError, match="batch_size is 91; the training part has 90 rows"):
        network_config(NET | {"batch_size": 91}, IRIS)
