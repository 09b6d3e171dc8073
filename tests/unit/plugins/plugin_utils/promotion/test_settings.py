# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of role staging_promotion: what they may be, the errors otherwise, and that all files agree about them."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import WORKFLOWS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import ModuleResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import PromotionServices
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phases import STEPS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import (
    PREFIX,
    REFUSED_OPTIONS,
    VARIABLE_NAMES,
    VARIABLES,
    PromotionSettings,
    read,
    split,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.start import INTERNAL, start
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import RunState
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.vocabulary import (
    FORMER_VARIABLES,
    HOOKS,
    OTHER_NAMES,
    PHASES,
)

Json = dict[str, Any]

ROOT = Path(__file__).parents[5]
ROLE = ROOT / "roles" / "staging_promotion"
SHOP: Json = {"provider": "serveravatar", "options": {"application": "shop"}}


def problem(**variables: Any) -> str:
    """The error for bad variables: problem and remedy."""
    with pytest.raises(SyncError) as caught:
        read({"targets": [SHOP], **variables})
    assert caught.value.code == "invalid_option"
    assert caught.value.hint.endswith((".", "?"))
    return f"{caught.value.message}. {caught.value.hint}"


def entry(**more: Any) -> Json:
    return {"targets": [{**SHOP, **more}]}


class TestReading:
    def test_the_defaults(self) -> None:
        settings = read({"targets": [SHOP]})
        (target,) = settings.targets
        assert (target.index, target.name, target.provider, target.verify, target.backup) == (0, "shop", "serveravatar", (), {})
        assert (settings.waves, settings.hooks) == (((0,),), {})
        assert (settings.backup, settings.rollback, settings.approval) == ("if_possible", "auto", "none")

    def test_what_the_command_line_makes_strings(self) -> None:
        given = {
            "soak": "5",
            "verify_successes": "2",
            "max_disk_percent": "90.5",
            "serial": "1,50%",
            "release": "2026.10",
            "windows": '{"deny": []}',
            "targets": '[{"provider": "serveravatar", "options": {"application": "shop"}}, {"provider": "plm"}]',
        }
        settings = read(given)
        assert (settings.soak, settings.verify_successes, settings.max_disk_percent) == (5.0, 2, 90.5)
        assert (settings.release, settings.windows) == ("2026.10", {"deny": []})
        assert [target.name for target in settings.targets] == ["shop", "PLM media"]
        assert read({"targets": [SHOP], "serial": 2}).waves == ((0,),)

    def test_null_is_the_default(self) -> None:
        given = dict.fromkeys(VARIABLES)
        targets = [{**SHOP, "name": None, "verify": None, "verify_staging": None, "backup": None}]
        assert read({**given, "targets": targets}) == read({"targets": [SHOP]})

    def test_defaults_are_not_shared(self) -> None:
        read({"targets": [SHOP]}).windows["deny"] = []  # type: ignore[index]  # a test of just that
        assert read({"targets": [SHOP]}).windows == {}

    def test_blanks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STATE", "somewhere")
        settings = read({**entry(name="  "), "release": " 2026.11 ", "ledger_path": "$STATE/ledger"})
        assert (settings.targets[0].name, settings.release, settings.ledger) == ("shop", "2026.11", "somewhere/ledger")

    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({"application": "shop"}, "shop"),
            ({"applications": ["shop"]}, "shop"),
            ({"applications": "shop"}, "shop"),
            ({"applications": 88}, "88"),
        ],
    )
    def test_names(self, options: Json, name: str) -> None:
        assert read(entry(options=options)).targets[0].name == name
        assert read(entry(options=options, name="My shop")).targets[0].name == "My shop"

    def test_hooks(self) -> None:
        hooks = {"after_sync": "one.yml", "on_failure": ["two.yml", "three.yml"]}
        assert read({"targets": [SHOP], "hooks": hooks}).hooks == {
            "after_sync": ("one.yml",),
            "on_failure": ("two.yml", "three.yml"),
        }
        assert {name.partition("_")[2] for name in HOOKS} == {*PHASES, "failure"}

    def test_each_moment_has_one_name(self) -> None:
        assert set(OTHER_NAMES.values()) <= set(HOOKS)
        assert not set(OTHER_NAMES) & set(HOOKS)
        every = {f"{moment}_{phase}" for phase in PHASES for moment in ("before", "after")} | {"on_rollback", "on_failure"}
        assert {*HOOKS, *OTHER_NAMES} == every
        for other, name in OTHER_NAMES.items():
            assert f"{PREFIX}hooks: {other!r}" in problem(hooks={other: "x.yml"})
            assert f"Did you mean {name}?" in problem(hooks={other: "x.yml"})


class TestProblems:
    @pytest.mark.parametrize(
        ("name", "value", "remedy"),
        [
            ("soak", "x", "Give a number"),
            ("soak", -1, "from 0"),
            ("soak", float("nan"), "from 0"),
            ("wave_pause", float("inf"), "to 604800"),
            ("verify_timeout", -0.1, "from 0"),
            ("verify_successes", "1.5", "whole number"),
            ("verify_successes", 0, "from 1"),
            ("verify_interval", 0, "from 0.05"),
            ("max_disk_percent", 101, "to 100"),
            ("approval_timeout", 0, "from 1"),
            ("backup", "sometimes", "none, if_possible, required"),
            ("rollback", True, "auto, manual, never"),
            ("approval", "me", "none, prompt, token"),
            ("serial", ["101%"], "percentages"),
            ("serial", [0], "percentages"),
            ("serial", [-1], "percentages"),
            ("serial", ["half"], "percentages"),
            ("serial", True, "percentages"),
            ("release", ["a"], "Give a text"),
            ("release", 2026.10, "quotes"),
            ("release", 2026, "quotes"),
            ("windows", "x", "Give names"),
            ("windows", [1], "Give names"),
            ("hooks", "x", "Give names"),
            ("notify", [1], "Give names"),
            ("targets", {}, "Give a list"),
            ("targets", [], "Add an entry"),
            ("report_path", ["x"], "Give the path"),
        ],
    )
    def test_the_variable_its_value_and_the_remedy(self, name: str, value: Any, remedy: str) -> None:
        text = problem(**{name: value})
        assert f"option {PREFIX}{name}" in text
        assert remedy in text
        shown = value[0] if name == "serial" and isinstance(value, list) else value
        if not isinstance(value, dict) and name not in ("windows", "hooks", "notify", "release", "report_path"):
            assert str(shown) in text

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (
                {"provider": "x"},
                "targets[0].provider: 'x' is not possible. Choose one of crafter, crafter_publish, plm, serveravatar",
            ),
            ({"provider": None}, "targets[0].provider is missing"),
            ({"verfy": []}, "targets[0].verfy does not exist. Did you mean verify?"),
            ({"options": {}}, "targets[0].options.applications: None is not one target"),
            ({"options": {"applications": ["a", "b"]}}, "targets[0].options.applications: ['a', 'b'] is not one target"),
            ({"options": {"applications": "a,b"}}, "write an entry of its own for each"),
            (
                {"options": {"applications": ["a"], "application": "a"}},
                "targets[0].options.application: 'a' is given together with",
            ),
            ({"verify": ["x"]}, "targets[0].verify[0]: 'str' is not a mapping"),
            ({"verify": [{}]}, "targets[0].verify[0].url: None is not an address"),
            ({"verify": [{"url": "http://a/"}, {"url": " "}]}, "targets[0].verify[1].url: ' ' is not an address"),
            ({"verify_staging": [{"url": 1}]}, "targets[0].verify_staging[0].url: 1 is not an address"),
        ],
    )
    def test_entries(self, more: Json, words: str) -> None:
        text = problem(**entry(**more))
        assert text.startswith(f"option {PREFIX}targets[0].")
        assert words in text

    @pytest.mark.parametrize("name", sorted(REFUSED_OPTIONS))
    def test_options_that_the_role_decides(self, name: str) -> None:
        text = problem(**entry(options={"application": "shop", name: "x"}))
        assert f"option {PREFIX}targets[0].options.{name}: 'x' is decided by the role" in text

    def test_two_of_one_name(self) -> None:
        assert f"{PREFIX}targets[1].name: 'shop'" in problem(targets=[SHOP, SHOP])

    def test_hooks(self) -> None:
        text = problem(hooks={"after_synk": "x"})
        assert "Did you mean after_sync? There are: before_preflight" in text
        assert f"{PREFIX}hooks.after_sync: [1]" in problem(hooks={"after_sync": [1]})

    def test_secrets_are_not_repeated(self) -> None:
        for more in ({"options": "api_token=hunter2 x"}, {"options": ["hunter2"]}, {"backup": "hunter2"}):
            assert "hunter2" not in problem(**entry(**more))
        assert "hunter2" not in problem(targets="hunter2")


class TestSplitting:
    @pytest.mark.parametrize(
        ("count", "serial", "sizes"),
        [
            (5, [1], [1, 1, 1, 1, 1]),
            (5, [1, "100%"], [1, 4]),
            (5, ["100%"], [5]),
            (10, ["10%", "50%"], [1, 5, 4]),
            (3, ["10%"], [1, 1, 1]),
            (5, [" 2 "], [2, 2, 1]),
            (2, [99], [2]),
            (0, [1], []),
        ],
    )
    def test_as_serial_does_it(self, count: int, serial: list[Any], sizes: list[int]) -> None:
        assert [len(wave) for wave in split(count, serial)] == sizes

    @given(
        st.integers(0, 200),
        st.lists(st.one_of(st.integers(1, 300), st.integers(1, 100).map("{}%".format)), min_size=1, max_size=5),
    )
    def test_each_target_once_and_in_order(self, count: int, serial: list[Any]) -> None:
        waves = split(count, serial)
        assert [index for wave in waves for index in wave] == list(range(count))
        assert all(waves)
        for number, wave in enumerate(waves[:-1]):
            size = str(serial[min(number, len(serial) - 1)])
            wanted = max(1, count * int(size[:-1]) // 100) if size.endswith("%") else int(size)
            assert len(wave) == wanted

    @given(st.one_of(st.text(max_size=5), st.floats(), st.none(), st.booleans(), st.integers(max_value=0)))
    def test_anything_else_is_refused(self, item: Any) -> None:
        if str(item).strip().rstrip("%").isdigit():
            return
        with pytest.raises(SyncError, match=f"{PREFIX}serial"):
            split(3, [item])


class NoPrompt:
    """A display that must not ask anything."""

    def prompt_until(self, msg: str, **options: Any) -> bytes:
        raise AssertionError("nothing is asked yet")


class TestBeginning:
    def begin(self, names: set[str], tmp_path: Path, **variables: Any) -> RunState:
        def call(module: str, options: Json, check_mode: bool) -> ModuleResult:
            raise AssertionError("nothing is called yet")

        services = PromotionServices(
            SystemClock(), call, lambda state: None, NoPrompt(), Redactor([]), names, str(tmp_path), "17", "eve"
        )
        given = {"targets": [SHOP], **variables}

        def read_them(wanted: Iterable[str]) -> Json:
            return {name: given[name] for name in wanted if name in given}

        return start(services, read_them, False, lambda module, options: options).state

    def test_a_variable_that_does_not_exist(self, tmp_path: Path) -> None:
        error = self.begin({f"{PREFIX}relaese"}, tmp_path).error or ""
        assert f"{PREFIX}relaese is no variable of the role. Did you mean {PREFIX}release?" in error
        assert "README" in (self.begin({f"{PREFIX}zzzzzzzz_qqqqqqqq"}, tmp_path).error or "")

    @pytest.mark.parametrize("name", FORMER_VARIABLES)
    def test_a_variable_that_is_gone_is_not_taken_for_a_misspelled_one(self, name: str, tmp_path: Path) -> None:
        error = self.begin({PREFIX + name}, tmp_path).error or ""
        assert f"{PREFIX}{name} is no variable of the role. It was one until 2.0.0. Remove it" in error
        assert f"`{PREFIX}{name}` is gone" in (Path(__file__).parents[5] / "docs/upgrading.md").read_text()

    def test_those_of_the_role_are_known(self, tmp_path: Path) -> None:
        state = self.begin({PREFIX + name for name in VARIABLE_NAMES} | INTERNAL, tmp_path)
        assert (state.error, state.actor.user, state.actor.job) == (None, "eve", "17")

    @pytest.mark.parametrize(
        ("variables", "word"),
        [
            ({"windows": {"allow": [{"days": "never"}]}}, "windows.allow[0].days"),
            ({"notify": {"webhook": {}}}, "notify"),
            ({"hooks": {"after_sync": "nothing.yml"}}, "hooks.after_sync"),
            ({"report_path": "."}, "report_path"),
        ],
    )
    def test_what_is_checked_before_anything_happens(self, tmp_path: Path, variables: Json, word: str) -> None:
        assert f"{PREFIX}{word}" in (self.begin(set(), tmp_path, **variables).error or "")


# -- the files of the role -------------------------------------------------------------------------------------------------


def load(path: Path) -> Any:
    with path.open(encoding="utf-8") as file:
        return yaml.safe_load(file)


def without_prefix(values: Json) -> Json:
    assert all(name.startswith(PREFIX) for name in values)
    return {name.removeprefix(PREFIX): value for name, value in values.items()}


class TestAgreement:
    SPECS: Json = without_prefix(load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"])
    DEFAULTS: Json = without_prefix(load(ROLE / "defaults" / "main.yml"))

    def test_of_names(self) -> None:
        assert set(VARIABLES) == set(self.SPECS) == set(self.DEFAULTS)
        # the schema of role arguments knows no aliases
        for name, spec in VARIABLES.items():
            for alias in spec.get("aliases", ()):
                assert any(f"C({PREFIX}{alias})" in line for line in self.SPECS[name]["description"])
        assert VARIABLES["ledger"]["aliases"] == ["ledger_path"]
        assert set(VARIABLES) == {field.name for field in dataclasses.fields(PromotionSettings)} - {"waves"} | {"serial"}

    @pytest.mark.parametrize("name", sorted(VARIABLES))
    def test_of_types_choices_and_defaults(self, name: str) -> None:
        self.compare(VARIABLES[name], self.SPECS[name])
        if not VARIABLES[name].get("required"):
            assert self.DEFAULTS[name] == VARIABLES[name]["default"]

    def test_of_providers(self) -> None:
        """Not by choices: those of the role are what the collection has, and the documentation of a role is static."""
        documented = self.SPECS["targets"]["options"]["provider"]["description"]
        assert {text.partition("V(")[2].partition(")")[0] for text in documented[1:]} == set(WORKFLOWS)

    def compare(self, ours: Mapping[str, Any], documented: Json, top: bool = True) -> None:
        for key in ("type", "elements", "choices", "required", "default"):
            wanted, found = ours.get(key), documented.get(key)
            if key == "type" and top and wanted not in ("str", "path", "list"):
                # Ansible would refuse the empty answer of a survey for all but text and lists
                wanted = "raw"
            if wanted == sorted(WORKFLOWS):
                wanted = None
            assert (sorted(wanted) if key == "choices" and wanted else wanted) == (
                sorted(found) if key == "choices" and found else found
            )
        for name, spec in ours.get("options", {}).items():
            self.compare(spec, documented["options"][name], top=False)
            assert set(ours["options"]) == set(documented["options"])

    def test_of_the_steps_and_their_documentation(self) -> None:
        module = importlib.import_module("ansible_collections.lockstep.sync.plugins.modules.promotion")
        assert yaml.safe_load(module.DOCUMENTATION)["options"]["step"]["choices"] == ["start", *STEPS]

    def test_of_the_readme(self) -> None:
        text = (ROLE / "README.md").read_text(encoding="utf-8")
        for provider in WORKFLOWS:
            assert f"`{provider}`" in text

    def test_of_the_variables_that_the_tasks_set(self) -> None:
        found = set()
        for path in (ROLE / "tasks").glob("*.yml"):
            found |= names_set(load(path))
        assert found <= INTERNAL
        assert found


def names_set(value: Any) -> set[str]:
    """Variables that tasks set: registered, for loops and for included files."""
    found: set[str] = set()
    if isinstance(value, dict):
        found |= {item for key, item in value.items() if key in ("register", "loop_var")}
        found |= set(value.get("vars") or {})
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        found |= names_set(item)
    return found


def test_settings_are_a_value() -> None:
    assert read({"targets": [SHOP]}) == read({"targets": [SHOP]})
    assert isinstance(read({"targets": [SHOP]}), PromotionSettings)
