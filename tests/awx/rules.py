# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulated AWX refuses, as the code of AWX 24.6.1 does. Each function returns the body of an answer 400, or None."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jinja2
import jinja2.sandbox

Item = dict[str, Any]
Refusal = dict[str, list[str]]

#: awx/main/constants.py, ENV_BLOCKLIST
RESERVED = frozenset(("PATH", "PYTHONPATH", "VIRTUAL_ENV", "JOB_ID", "INVENTORY_ID", "CACHE", "AWX_HOST", "REST_API_TOKEN"))

#: the types of questions, each with what a default has to be
SURVEY_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "textarea": (str,),
    "password": (str,),
    "multiplechoice": (str,),
    "multiselect": (str,),
    "integer": (int,),
    "float": (float, int),
}
FIELD_KEYS = frozenset(
    ("id", "label", "type", "format", "choices", "help_text", "multiline", "secret", "ask_at_runtime", "default")
)
STRING_ONLY = ("choices", "multiline", "format", "secret")

#: what a launch may change, and the setting of the template that has to permit it
PROMPTS = {
    "job_type": "ask_job_type_on_launch",
    "limit": "ask_limit_on_launch",
    "inventory": "ask_inventory_on_launch",
    "job_slice_count": "ask_job_slice_count_on_launch",
    "diff_mode": "ask_diff_mode_on_launch",
    "verbosity": "ask_verbosity_on_launch",
}


def credential_type(item: Item) -> Refusal | None:
    """CredentialTypeInputField and CredentialTypeInjectorField; the first one also adds the type of each field."""
    fields = item.get("inputs", {}).get("fields", [])
    for field in fields:
        field.setdefault("type", "string")
        problem = _field(field)
        if problem:
            return {"inputs": [problem]}
    names = [field["id"] for field in fields]
    if len(set(names)) < len(names):
        return {"inputs": ["field IDs must be unique"]}
    unknown = set(item.get("inputs", {})) - {"fields", "required"}
    if unknown:
        return {"inputs": [f"Additional properties are not allowed ({', '.join(sorted(unknown))})"]}
    problem = _injectors(item.get("injectors", {}), names)
    return {"injectors": [problem]} if problem else None


def _field(field: Item) -> str:
    unknown = set(field) - FIELD_KEYS
    if unknown:
        return f"Additional properties are not allowed ({', '.join(sorted(unknown))})"
    if "label" not in field or not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", str(field.get("id"))):
        return f"{field.get('id')} is an invalid variable name, or has no label"
    if field["type"] not in ("string", "boolean"):
        return f"'{field['type']}' is not one of ['string', 'boolean']"
    for key in STRING_ONLY:
        if key in field and field["type"] != "string":
            return f"{key} not allowed for {field['type']} type ({field['id']})"
    return ""


def _injectors(injectors: Mapping[str, Mapping[str, str]], names: list[str]) -> str:
    if set(injectors) - {"env", "file", "extra_vars"}:
        return "Additional properties are not allowed"
    templates_of_files = injectors.get("file", {})
    if not all(re.fullmatch(r"template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?", key) for key in templates_of_files):
        return "Additional properties are not allowed"
    if "template" in templates_of_files and len(templates_of_files) > 1:
        return "Must use multi-file syntax when injecting multiple files"
    namespace: dict[str, object] = {**dict.fromkeys(names, "EXAMPLE"), "tower": {"filename": _file_names(templates_of_files)}}
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for kind, templates in injectors.items():
        for key, template in templates.items():
            if kind == "env" and (key.startswith("ANSIBLE_") or key in RESERVED):
                return f"Environment variable {key} may affect Ansible configuration so its use is not allowed in credentials."
            try:
                environment.from_string(template).render(namespace)
            except jinja2.UndefinedError as error:
                return f"{key} uses an undefined field ({error})"
            except jinja2.TemplateSyntaxError as error:
                return f"Syntax error rendering template for {key} inside of {kind} ({error})"
    return ""


class _UndefinedFile:
    """What ``tower.filename`` is where there is no single file."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.__dict__.update(names)

    def __str__(self) -> str:
        raise jinja2.UndefinedError("Must define unnamed file injector in order to reference `tower.filename`.")


def _file_names(templates: Mapping[str, str]) -> object:
    if "template" in templates:
        return "EXAMPLE_FILENAME"
    return _UndefinedFile({key.partition(".")[2]: "EXAMPLE_FILENAME" for key in templates})


def credential(item: Item, kind: Item) -> Refusal | None:
    """A credential has no other inputs than its type."""
    known = {field["id"] for field in kind["inputs"].get("fields", [])}
    unknown = sorted(set(item.get("inputs", {})) - known)
    return {"inputs": [f"Additional properties are not allowed ({', '.join(unknown)})"]} if unknown else None


def notification(item: Item) -> Refusal | None:
    """A webhook needs its address and headers; what else is missing is added."""
    if item.get("notification_type") != "webhook":
        return {"notification_type": ["the emulator knows webhooks only"]}
    configuration = item["notification_configuration"]
    missing = sorted({"url", "headers"} - set(configuration))
    for key, value in {"http_method": "POST", "username": "", "password": "", "disable_ssl_verification": False}.items():
        configuration.setdefault(key, value)
    return (
        {"notification_configuration": [f"Missing required fields for Notification Configuration: {missing}"]}
        if missing
        else None
    )


def job_template(item: Item, project: Item | None) -> Refusal | None:
    """A template needs a playbook of its project, and an inventory."""
    if project is None:
        return {"project": ["Job Templates must have a project assigned."]}
    if item.get("playbook") not in project["playbooks"]:
        return {"playbook": ["Playbook not found for project."]}
    if not item.get("inventory") and not item.get("ask_inventory_on_launch"):
        return {"inventory": ["Must either set a default value or ask to prompt on launch."]}
    return None


def survey(spec: Item) -> str:
    """JobTemplateSurveySpec._validate_spec_data, as the text of ``error``."""
    for name, kind in (("name", str), ("description", str), ("spec", list)):
        if name not in spec:
            return f"Field '{name}' is missing from survey spec."
        if not isinstance(spec[name], kind):
            return f"Expected {kind.__name__} for field '{name}'."
    if not spec["spec"]:
        return "'spec' doesn't contain any items."
    variables = [question.get("variable") for question in spec["spec"]]
    if len(set(variables)) < len(variables):
        return "'variable' duplicated in survey question."
    return next((problem for problem in map(_question, range(len(variables)), spec["spec"]) if problem), "")


def _question(number: int, question: Item) -> str:
    for name, kind in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
        if name not in question:
            return f"'{name}' missing from survey question {number}"
        if not isinstance(question[name], kind):
            return f"'{name}' in survey question {number} expected to be {kind.__name__}."
    if question["type"] not in SURVEY_TYPES:
        return f"'{question['type']}' in survey question {number} is not one of {', '.join(SURVEY_TYPES)}."
    default = question.get("default", "")
    if default != "" and not isinstance(default, SURVEY_TYPES[question["type"]]):
        return f"Default value {default} in survey question {number} expected to be {question['type']}."
    for key in ("min", "max"):
        if question.get(key) is not None and not isinstance(question[key], int):
            return f"The {key} limit in survey question {number} expected to be integer."
    if question["type"] in ("multiplechoice", "multiselect"):
        if "choices" not in question:
            return f"Survey question {number} of type {question['type']} must specify choices."
        if any(chosen not in question["choices"] for chosen in default.splitlines()):
            return "Default choice must be answered from the choices listed."
    return ""


def rrule(text: str) -> str:
    """SchedulePreviewSerializer.validate_rrule."""
    starts = re.findall(r".*?(DTSTART(;[^:]+)?\:[0-9]+T[0-9]+Z?)", text)
    if not starts:
        return "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"
    if re.findall(r".*?(DTSTART:[0-9]+T[0-9]+) ", text):
        return "DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ."
    if len(starts) > 1:
        return "Multiple DTSTART is not supported."
    rules = re.findall(r".*?(RULE\:[^\s]*)", text)
    if not rules:
        return "One or more rule required in rrule."
    for rule in rules:
        if "interval" not in rule.lower():
            return f"INTERVAL required in rrule: {rule}"
        if "secondly" in rule.lower():
            return f"SECONDLY is not supported: {rule}"
        if "COUNT" in rule and "UNTIL" in rule:
            return f"RRULE may not contain both COUNT and UNTIL: {rule}"
    return ""


def schedule(item: Item, template: Item) -> Refusal | None:
    """ScheduleSerializer: the rule, and what the template has to ask for on launch."""
    problem = rrule(item.get("rrule") or "")
    if problem:
        return {"rrule": [problem]}
    for field, permission in PROMPTS.items():
        if item.get(field) is not None and not template.get(permission):
            return {field: ["Field is not configured to prompt on launch."]}
    questions = template["survey_spec"].get("spec", []) if template.get("survey_enabled") else []
    given = item.get("extra_data") or {}
    missing = [question["variable"] for question in questions if question["required"] and not _answered(question, given)]
    if missing:
        return {"variables_needed_to_start": [f"'{name}' value missing" for name in missing]}
    foreign = sorted(set(given) - {question["variable"] for question in questions})
    if foreign and not template.get("ask_variables_on_launch"):
        return {"extra_data": [f"Variables {', '.join(foreign)} are not allowed on launch."]}
    return None


def launch(template: Item, given: Mapping[str, object]) -> tuple[Item, Item, Refusal | None]:
    """SurveyJobTemplateMixin._accept_or_ignore_variables, for a launch by the API: a default is no answer to a required question.

    :return: the variables that a job gets, those that are ignored, and the refusal.
    """
    questions = template["survey_spec"].get("spec", []) if template.get("survey_enabled") else []
    asked = {question["variable"] for question in questions}
    problems = [problem for question in questions if (problem := _answer(question, given))]
    accepted = {name: value for name, value in given.items() if name in asked or template.get("ask_variables_on_launch")}
    ignored = {name: value for name, value in given.items() if name not in accepted}
    return accepted, ignored, {"variables_needed_to_start": problems} if problems else None


def _answer(question: Item, given: Mapping[str, object]) -> str:
    """_survey_element_validation: what is wrong with an answer; empty if nothing is."""
    name = question["variable"]
    if name not in given:
        return f"'{name}' value missing" if question["required"] else ""
    value = given[name]
    if question["type"] in ("text", "textarea", "password") and not isinstance(value, str):
        return f"Value {value} for '{name}' expected to be a string."
    if question["type"] == "multiplechoice" and value not in question["choices"]:
        return f"Value {value} for '{name}' expected to be one of {question['choices']}."
    return ""


def _answered(question: Item, given: Mapping[str, object]) -> bool:
    answer = given.get(question["variable"], question.get("default"))
    return isinstance(answer, str) and len(answer) >= (question.get("min") or 0)
