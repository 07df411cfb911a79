"""The room check names each thing that is wrong and says what helps."""

from contextlib import contextmanager, nullcontext
from importlib import metadata

import pytest

from hpt_helpers.classroom import room_check as rc
from hpt_helpers.classroom.room_check import NotReady


def test_this_machine_passes_every_check_but_ray_which_the_lessons_start():
    for what, check in rc.CHECKS.items():
        if check is not rc.check_ray:
            assert check() is None, what


@pytest.mark.parametrize(
    ("check", "argument", "reason", "remedy"),
    [
        (rc.check_python, (3, 10, 4), "Python 3.10 is too old", "install Python 3.11 or newer"),
        (rc.check_cores, 1, "1 processor core", "give a virtual machine or container one more"),
        (
            rc.check_memory,
            0.75,
            "0.8 GB of memory are free, and Ray needs 2",
            "close other programs",
        ),
        (
            rc.check_packages,
            ["pytest<1"],
            f"pytest is {pytest.__version__} (needed: <1)",
            "make clean",
        ),
        (
            rc.check_packages,
            ["no-such-package>=2"],
            "no-such-package is missing (needed: >=2)",
            "pip install",
        ),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(check, argument, reason, remedy):
    with pytest.raises(NotReady) as caught:
        check(argument)
    assert reason in caught.value.args[0]
    assert remedy in caught.value.args[1]


@pytest.mark.parametrize(
    ("check", "enough"), [(rc.check_cores, 2), (rc.check_memory, 2.0), (rc.check_python, (3, 11))]
)
def test_exactly_enough_passes(check, enough):
    assert check(enough) is None


def test_every_wrong_package_is_named_at_once():
    with pytest.raises(NotReady, match=r"no-such-one.*no-such-two"):
        rc.check_packages(["no-such-one", "pytest", "no-such-two"])


def test_the_lessons_packages_are_checked_and_those_for_tests_are_not():
    names = " ".join(rc.required_packages())
    assert all(
        name in names
        for name in ("torch<3,>=2.6", "scikit-optimize", "ray", "jupyterlab", "skorch")
    )
    assert "hypothesis" not in names


def test_a_course_that_is_not_installed_is_named(monkeypatch):
    def not_found(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", not_found)
    with pytest.raises(NotReady, match="hpt_helpers is not installed"):
        rc.check_packages()


def test_ray_is_started_and_stopped():
    events = []

    @contextmanager
    def fake_ray():
        events.append("start")
        yield
        events.append("stop")

    rc.check_ray(fake_ray)
    assert events == ["start", "stop"]


def test_a_ray_that_does_not_start_is_named_by_the_first_line_of_its_error():
    def broken_ray():
        raise RuntimeError("the port is taken\nand much more")

    with pytest.raises(NotReady) as caught:
        rc.check_ray(broken_ray)
    assert (
        caught.value.args[0] == "Ray does not start and stop here: RuntimeError the port is taken"
    )
    assert "Restart the kernel" in caught.value.args[1]


def test_an_error_without_a_message_is_named_too():
    def broken_ray():
        raise TimeoutError

    with pytest.raises(NotReady, match="stop here: TimeoutError'"):
        rc.check_ray(broken_ray)


def test_the_cache_folder_is_made_and_left_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path / "new" / "cache"))
    rc.check_cache()
    assert list((tmp_path / "new" / "cache").iterdir()) == []


def test_a_cache_folder_that_cannot_be_written_is_named_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file where the folder should be")
    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path / "file" / "cache"))
    for _ in range(2):
        with pytest.raises(NotReady, match=r"no cache.* folder|no cache in") as caught:
            rc.check_cache()
        assert "HPT_CACHE_DIR" in caught.value.args[1]


def test_good_lines_hold_nothing_of_the_machine_and_bad_ones_the_remedy(capsys):
    def no_ray():
        raise NotReady("Ray is ill", "give it a rest")

    rc.room_check({"cores": lambda: None, "Ray": no_ray, "memory": lambda: None})
    assert capsys.readouterr().out.splitlines() == [
        "ok     cores",
        "WRONG  Ray: Ray is ill",
        "       what helps: give it a rest",
        "ok     memory",
        "1 to put right.",
    ]


def test_the_stored_lines_are_those_of_a_machine_that_is_ready(capsys, monkeypatch):
    monkeypatch.setitem(rc.CHECKS, "Ray starts and stops", lambda: rc.check_ray(nullcontext))
    rc.room_check()
    assert capsys.readouterr().out.splitlines() == [
        *(f"ok     {what}" for what in rc.CHECKS),
        "This machine is ready for the course.",
    ]
