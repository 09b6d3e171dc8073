# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the HTML pages of all reports have in common: one style, the frame of a page, and how values are written.

A page is one file without scripts and without anything to load. It is well-formed XML too, so that a mistake in a template
shows in a test and not as a page that is a little wrong. Much of what it shows came from servers, so all of it is escaped.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import typing as t

import jinja2
import markupsafe

Json = t.Mapping[str, t.Any]

#: Colours by theme. A tone has a colour for text and bars, and one for what lies behind its text.
LIGHT = {
    "page": "#f6f7f8",
    "paper": "#ffffff",
    "text": "#1b1f24",
    "muted": "#57606a",
    "line": "#d5dadf",
    "ok": "#116329",
    "ok-back": "#e2f4e7",
    "info": "#0a4f9e",
    "info-back": "#e3eefb",
    "warn": "#7a4600",
    "warn-back": "#fcefd4",
    "bad": "#a3141c",
    "bad-back": "#fde7e7",
    "unsure": "#5f2f96",
    "unsure-back": "#f1e8fb",
    "none": "#4d5560",
    "none-back": "#eaedf0",
}
DARK = {
    "page": "#101317",
    "paper": "#181c21",
    "text": "#e3e7eb",
    "muted": "#a1abb6",
    "line": "#333a43",
    "ok": "#79d492",
    "ok-back": "#12301c",
    "info": "#8bbcf8",
    "info-back": "#122a47",
    "warn": "#eebb62",
    "warn-back": "#38280b",
    "bad": "#ff9d98",
    "bad-back": "#451a1b",
    "unsure": "#cda9f6",
    "unsure-back": "#312046",
    "none": "#b0b9c3",
    "none-back": "#272d34",
}
TONES = ("ok", "info", "warn", "bad", "unsure", "none")

#: Beside a word of this tone, so that nothing depends on telling colours apart.
MARKS = {"ok": "✓", "info": "›", "warn": "!", "bad": "✕", "unsure": "?", "none": "–"}

#: characters of the message above all that are shown
MAX_MESSAGE = 4000

_WORDS = {
    "ok": "succeeded passed in_sync reconciled made found ok",
    "info": "planned would_trigger would_join triggered joined",
    "warn": "refused rolled_back drift manual",
    "bad": "failed rollback_failed impossible",
    "unsure": "unknown running timed_out",
}
_TONE_OF = {word: tone for tone, words in _WORDS.items() for word in words.split()}

#: Characters that have no place in HTML or XML, that no UTF-8 file can hold, or that turn the direction of the text around them.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + 0xFFFE) + chr(plane * 0x10000 + 0xFFFF) for plane in range(17))
    + "]"
)


def _variables(colours: Json) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);overflow-wrap:break-word;
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:1.5rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:1rem 1.25rem;margin:1rem 0}
h1,h2,h3,h4,p,ul,ol,dl,dd,pre{margin:0}
h1{font-size:1.75rem;line-height:1.2;font-weight:650}
h2{font-size:1.1rem;line-height:1.3;font-weight:650;margin-bottom:.6rem}
h3{font-size:.95rem;font-weight:650;margin:1.1rem 0 .35rem}
a{color:inherit;text-decoration-color:var(--muted);text-underline-offset:.15em}
a:hover{text-decoration-color:currentColor}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--page);border:1px solid var(--line);border-radius:4px;
padding:.5rem .75rem;margin:.4rem 0}
.verdict{border:1px solid var(--line);border-left:6px solid;border-radius:6px;padding:1rem 1.25rem}
.verdict h1{color:inherit}
.verdict .message{color:var(--text);margin-top:.4rem;max-width:60rem;overflow-wrap:anywhere}
.kicker{font-size:.85rem;color:var(--muted);margin-bottom:.4rem}
.verdict .kicker{color:var(--text)}
.facts{display:flex;flex-wrap:wrap;gap:.6rem 2rem;padding:1rem 1.25rem 0}
.facts div{min-width:0;max-width:100%}
.facts dt,.label{font-size:.8rem;color:var(--muted)}
.facts dd{overflow-wrap:anywhere}
.counts{display:flex;flex-wrap:wrap;gap:.4rem;list-style:none;padding:0}
main>.counts{padding:1rem 1.25rem 0}
section>.counts{margin-bottom:.6rem}
th p{font-weight:400}
.badge{display:inline-block;white-space:nowrap;font-size:.8rem;line-height:1.5;font-weight:600;border-radius:4px;padding:0 .45em;
border:1px solid transparent}
.muted{color:var(--muted)}
.small{font-size:.85rem}
.only-narrow{display:none}
.long{overflow-wrap:anywhere}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.nowrap{white-space:nowrap}
.note{border-left:4px solid;border-radius:4px;padding:.5rem .75rem;margin:.6rem 0;overflow-wrap:anywhere}
.note p+p,.note ul+p{margin-top:.3rem}
.note .body{color:var(--text)}
.steps{padding-left:1.4rem}
.steps li+li{margin-top:.6rem}
.plain{list-style:none;padding:0}
.plain li+li{margin-top:.2rem}
.title{display:flex;flex-wrap:wrap;align-items:baseline;gap:.2rem .7rem;margin-bottom:.4rem}
.title>*{min-width:0;overflow-wrap:anywhere}
.title h2{margin:0}
table{width:100%;border-collapse:collapse;font-size:.9rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
caption{text-align:left;font-size:.8rem;color:var(--muted);padding-bottom:.3rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-top:1px solid var(--line)}
th:last-child,td:last-child{padding-right:0}
thead th{border-top:0;font-size:.8rem;font-weight:400;color:var(--muted)}
tbody th{font-weight:600}
th.num,td.num{text-align:right}
.reason{overflow-wrap:anywhere;min-width:12rem}
.most{width:65%}
.name{overflow-wrap:anywhere;min-width:8rem}
.type{overflow-wrap:anywhere;min-width:4.5rem}
.zone{overflow-wrap:anywhere;min-width:15rem}
svg{display:block;width:100%;height:.6rem;margin-top:.45rem;border-radius:2px}
.track{fill:var(--none-back)}
td.bar{width:30%;min-width:8rem}
td.drift{width:9rem}
td.drift svg{margin-top:.1rem;height:.35rem}
details{margin-top:.6rem}
details details{margin-top:.3rem}
summary{cursor:pointer;overflow-wrap:anywhere}
summary:hover{text-decoration:underline;text-decoration-color:var(--muted);text-underline-offset:.15em}
a:focus-visible,summary:focus-visible{outline:2px solid var(--info);outline-offset:2px;border-radius:2px}
footer{color:var(--muted);font-size:.85rem;padding-top:.25rem;padding-bottom:2rem}
@media (max-width:44rem){
header,main,footer{padding-left:.75rem;padding-right:.75rem}
header{padding-top:.75rem}
section,.verdict{padding:.8rem .9rem}
.facts,main>.counts{padding:.9rem .9rem 0}
.facts{gap:.5rem 1.5rem}
table,caption,tbody,tr,th,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{border-top:1px solid var(--line);padding:.5rem 0}
th,td,th.num,td.num{border:0;padding:.1rem 0;text-align:left}
td[data-label]{display:grid;grid-template-columns:6.5rem minmax(0,1fr);gap:.6rem}
td[data-label]::before{content:attr(data-label);font-size:.8rem;line-height:1.7;color:var(--muted)}
.flow tr{display:flex;flex-wrap:wrap;align-items:baseline;gap:.1rem .5rem}
.flow td[data-label]{display:block}
.flow td[data-label]::before{content:none}
td.bar,td.drift,.most{width:auto}
.flow td.bar,.flow td.reason,.flow th.zone,.flow td.side{flex:0 0 100%}
.flow td.drift{flex:0 0 9rem}
.flow td.num{margin-left:auto}
.flow td.side[data-label]{display:grid}
.flow td.side[data-label]::before{content:attr(data-label)}
.flow td.bar svg{margin:.1rem 0}
.reason,.name,.zone,.type,td.bar{min-width:0}
td.blank,.flow td.blank{display:none}
.only-narrow{display:inline}
}
@media print{
body{font-size:10pt}
header,main,footer{max-width:none;padding-left:0;padding-right:0}
section{border-color:var(--line);padding:.5rem 0;border-width:1px 0 0;border-radius:0}
tr,.note,.verdict{break-inside:avoid}
h2,h3,.title{break-after:avoid}
details::details-content{content-visibility:visible;display:block;block-size:auto}
}
"""

STYLE = (
    f":root{{color-scheme:light dark;{_variables(LIGHT)}}}\n"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
    + _RULES
    + "".join(
        f".{tone}{{color:var(--{tone});background:var(--{tone}-back)}}\nsvg .{tone}{{fill:var(--{tone})}}\n" for tone in TONES
    )
)

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
#: Allows nothing but the style of the page itself, known by its hash.
POLICY = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{_STYLE_HASH}'"

_FRAME = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="{{ policy }}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="referrer" content="no-referrer"/>
<meta name="robots" content="noindex"/>
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<header>
<div class="verdict {{ tone }}">
<p class="kicker">{{ kind }}{% if report.check_mode %} · check mode, nothing was changed{% endif %}</p>
<h1><span aria-hidden="true">{{ tone | mark }}</span> {{ report.verdict | words | capitalize }}</h1>
<p class="message">{{ message }}</p>
</div>
<dl class="facts">
{% for label, value in facts if value %}
<div><dt>{{ label }}</dt><dd>{{ value }}</dd></div>
{% endfor %}
</dl>
</header>
<main>
{% block main %}{% endblock %}
</main>
<footer><p>Written by lockstep.sync. Times are in UTC. The JSON report beside this page has everything that is shown here, and \
the rest.</p></footer>
</body>
</html>
"""

_PARTS = """\
{% macro badge(word, tone=none, text=none) -%}
<span class="badge {{ tone or (word | tone) }}"><span aria-hidden="true">{{ (tone or (word | tone)) | mark }}</span> \
{{ text or (word | words) }}</span>
{%- endmacro %}

{% macro counts(entries) -%}
<ul class="counts">
{% for word, number, tone in entries %}
<li><span class="badge {{ tone }}">{{ number }} {{ word | words }}</span></li>
{% endfor %}
</ul>
{%- endmacro %}

{% macro failure(failure) -%}
<div class="note {{ 'unsure' if failure.code in ('timed_out', 'outcome_unknown') else 'bad' }}">
<p><strong>{{ failure.code }}</strong>{% if failure.http_status %} · HTTP {{ failure.http_status }}{% endif %}</p>
<p class="body">{{ failure.message }}</p>
{% if failure.hint %}
<p class="body"><strong>What to do:</strong> {{ failure.hint }}</p>
{% endif %}
</div>
{%- endmacro %}
"""


def tone(word: t.Any) -> str:
    """The tone of a verdict, state or action: one of :data:`TONES`."""
    return _TONE_OF.get(str(word), "none")


def words(value: t.Any) -> str:
    """A verdict, state or action as people write it."""
    return str(value).replace("_", " ")


def fit_for_html(value: t.Any) -> t.Any:
    """What an expression of a template writes: nothing for None, and no character that could spoil the page."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, markupsafe.Markup):
        return _UNFIT.sub("\ufffd", value)
    return value


def clip(value: t.Any, limit: int) -> str:
    """A text of at most ``limit`` characters."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def seconds(value: t.Any) -> str:
    """A duration as people read it, or an empty text where there is none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        return ""
    if value < 9.95:
        return f"{value:.1f} s"
    # inf and nan have no minutes
    if not value < 1e9:
        return ""
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def milliseconds(value: t.Any) -> str:
    """A latency given in seconds."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e6:
        return ""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def size(value: t.Any) -> str:
    """A number of bytes in binary units; anything else as it is, for servers that send sizes as text."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return "" if value is None else str(value)
    number, units = float(value), ["B", "KiB", "MiB", "GiB", "TiB"]
    while number >= 1024 and len(units) > 1:
        number /= 1024
        units.pop(0)
    return f"{number:.0f} B" if units[0] == "B" else f"{number:.1f} {units[0]}"


def moment(value: t.Any) -> dt.datetime | None:
    """A point in time written in ISO 8601, with its zone; None if it is not one."""
    try:
        # Python 3.10 and older do not know Z
        found = dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc)


def date_time(value: t.Any) -> str:
    """``2026-11-20 21:45:12``, or the text as it is."""
    found = moment(value)
    return f"{found:%Y-%m-%d %H:%M:%S}" if found else str(value or "")


def clock_time(value: t.Any) -> str:
    """``21:45:12``, or the text as it is."""
    found = moment(value)
    return f"{found:%H:%M:%S}" if found else str(value or "")


def took(report: Json) -> float | None:
    """Seconds from the start to the end of a report."""
    start, end = moment(report.get("started_at")), moment(report.get("finished_at"))
    return max(0.0, (end - start).total_seconds()) if start and end else None


def changed_text(changed: t.Any, report: Json) -> str:
    """Whether something was changed, or in check mode would be."""
    if report.get("check_mode"):
        return "would be changed" if changed else "would not be changed"
    return "changed" if changed else "not changed"


def message_of(report: Json) -> str:
    """The message without the verdict, which stands above it."""
    message = str(report.get("message") or "")
    for verdict in (str(report.get("verdict")), words(report.get("verdict"))):
        message = message.removeprefix(f"{verdict}: ").removeprefix(f"{verdict}. ")
    return clip(message, MAX_MESSAGE)


ENVIRONMENT = jinja2.Environment(
    loader=jinja2.DictLoader({"frame": _FRAME, "parts": _PARTS}),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=fit_for_html,
    # a report is written on every exit: what an odd one lacks is left out
    undefined=jinja2.ChainableUndefined,
)
ENVIRONMENT.filters.update(
    mark=MARKS.__getitem__,
    tone=tone,
    words=words,
    seconds=seconds,
    milliseconds=milliseconds,
    date_time=date_time,
    clock_time=clock_time,
    size=size,
)


def compiled(source: str) -> jinja2.Template:
    """A template that extends ``frame``. For module level: the processes of tasks are forked from one that imported it."""
    for parent in ("frame", "parts"):
        ENVIRONMENT.get_template(parent)
    return ENVIRONMENT.from_string(source)


def render(
    template: jinja2.Template, report: Json, kind: str, title: str, facts: t.Sequence[tuple[str, t.Any]], **values: t.Any
) -> str:
    """A whole page.

    :param template: made by :func:`compiled`.
    :param kind: what the report is about.
    :param facts: label and value of what is shown below the verdict; those without a value are left out.
    :param values: what else the template asks for. ``tone`` overrides the tone of the verdict.
    """
    frame = {
        "policy": markupsafe.Markup(POLICY),
        "style": markupsafe.Markup(STYLE),
        "report": report,
        "kind": kind,
        "title": title,
        "message": message_of(report),
        "facts": facts,
        "tone": tone(report.get("verdict")),
    }
    return template.render({**frame, **values})
