"""The room check names each thing that is wrong and says what helps."""

import math
from contextlib import contextmanager, nullcontext
from importlib import metadata

import pytest

from hpt_helpers.classroom import room_check as rc
from hpt_helpers.classroom.computing import memory
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


def cgroup(folder, **files):
    """Write a control group as Linux shows it; memory_max stands for the file memory.max."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{content}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "left_gb"),
    [
        ({"memory_max": 1_000_000_000, "memory_current": 400_000_000}, 0.6),
        ({"memory_max": "max", "memory_current": 400_000_000}, math.inf),
        ({}, math.inf),
        (  # what is held of files is given back when it is needed
            {
                "memory_max": 3_000_000_000,
                "memory_current": 2_500_000_000,
                "memory_stat": "anon 900\ninactive_file 2000000000\nactive_file 7",
            },
            2.5,
        ),
        ({"memory_max": 10**9, "memory_current": 2 * 10**9}, 0.0),
        # version 1 of control groups, with a limit and without
        ({"memory_limit_in_bytes": 2 * 10**9, "memory_usage_in_bytes": 10**9}, 1.0),
        ({"memory_limit_in_bytes": 9223372036854771712, "memory_usage_in_bytes": 10**9}, math.inf),
    ],
)
def test_what_a_containers_limit_leaves(tmp_path, files, left_gb):
    assert memory.left_in_cgroup_gb(cgroup(tmp_path, **files)) == pytest.approx(left_gb)


@pytest.mark.parametrize(
    ("told", "name", "found"),
    [
        ("0::/user/one", "", ["user/one", "user", ""]),  # version 2: all groups around it limit
        ("0::/../elsewhere", "", [""]),  # a container sees its own group as the root
        ("5:memory:/user/one\n4:cpu:/a\n0::/", "memory", ["user/one", "user", ""]),  # version 1
    ],
)
def test_the_groups_of_a_process(tmp_path, told, name, found):
    (tmp_path / "told").write_text(told + "\n", encoding="utf-8")
    top = tmp_path / "root" / name
    (top / "user" / "one").mkdir(parents=True)
    groups = memory.cgroups_of_this_process(tmp_path / "told", tmp_path / "root")
    assert [group for group in groups if group.is_relative_to(top)] == [
        top / part for part in found
    ]
    assert memory.cgroups_of_this_process(tmp_path / "missing") == []


def test_a_container_of_1_gb_is_too_small_whatever_the_machine_has(tmp_path):
    group = cgroup(tmp_path, memory_max=10**9, memory_current=10**8)
    assert memory.free_memory_gb([group]) == pytest.approx(min(0.9, memory.free_memory_gb([])))
    with pytest.raises(NotReady, match="of memory are free"):
        rc.check_memory(memory.free_memory_gb([group]))


def test_the_remedy_names_make_only_where_there_is_a_makefile(tmp_path):
    assert "make" not in rc.install_remedy(tmp_path) and ".whl[lab,ray]" in rc.install_remedy(
        tmp_path
    )
    (tmp_path / "Makefile").touch()
    assert "make clean" in rc.install_remedy(tmp_path)
    assert '".[lab,ray]"' in rc.install_remedy(tmp_path)  # zsh reads brackets itself


def test_every_wrong_package_is_named_at_once():
    with pytest.raises(NotReady, match=r"no-such-one.*no-such-two"):
        rc.check_packages(["no-such-one", "pytest", "no-such-two"])


def test_the_lessons_packages_are_checked_and_those_for_tests_are_not():
    names = " ".join(rc.required_packages())
    for name in ("torch<3,>=2.6", "scikit-optimize", "optuna", "skorch", "ray"):
        assert name in names
    for name in ("hypothesis", "jupyterlab"):  # a lesson may run in another notebook
        assert name not in names


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
    (tmp_path / "file").write_text("a file where the folder should be", encoding="utf-8")
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
