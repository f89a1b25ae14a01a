"""The site has every document, names only commands that exist, and is put together from what is in the project."""

import json
import os
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree

import pytest
import tree
import yaml

sys.path.insert(0, os.path.join(tree.ROOT, "tools/site"))

import chart  # noqa: E402
import commands as command_pages  # noqa: E402
import links  # noqa: E402
import manual  # noqa: E402

OWN = sorted(tree.files("site/pages", suffixes=(".md",)))
COMING_FROM = [path for path in OWN if path.startswith("site/pages/coming-from/")]
MANUAL = sorted(path for path in links.PAGES if path.startswith("man/"))


@pytest.fixture(scope="module")
def table():
    """Each name by which a command is called -> the command."""
    text = subprocess.run([os.environ["MACHINE"], "help", "--json"], check=True, capture_output=True, timeout=30).stdout
    return {name: command for command in json.loads(text) for name in [command["name"], *command["aliases"]]}


def pages_of(nav):
    """The pages that a navigation names. Names of folders stand for pages that are generated."""
    if isinstance(nav, str):
        return [nav]
    return [page for each in (nav.values() if isinstance(nav, dict) else nav) for page in pages_of(each)]


def navigation():
    return pages_of(yaml.safe_load(tree.text("site/mkdocs.yml"))["nav"])


def test_the_navigation_has_every_document():
    tree.none([f"site/mkdocs.yml:1: docs/{name} is not in 'nav'" for name in links.documents() if name not in navigation()])


def test_the_navigation_has_every_page_of_the_site_and_no_other():
    own = {os.path.relpath(path, "site/pages") for path in OWN} | {"changelog.md"}
    assert set(navigation()) - set(links.documents()) == own | {"commands/", "manual/"}
    assert len(navigation()) == len(set(navigation()))


def test_every_page_of_the_manual_is_on_the_site():
    assert MANUAL == sorted(tree.files("man", suffixes=(".scd",)))


def spans(path):
    """(line, text) of each piece of code in a line of Markdown."""
    for number, line in tree.lines(path):
        for span in re.findall(r"`([^`]+)`", line):
            yield number, span


def test_commands_that_the_pages_name_are_there(table):
    found, seen = [], 0
    for path in OWN:
        for number, span in spans(path):
            words = span.split()
            if words[0] != "machine" or len(words) < 2 or not re.match(r"[a-z]", words[1]):
                continue
            seen += 1
            command = table.get(words[1])
            if not command:
                found.append(f"{path}:{number}: no command '{words[1]}'")
                continue
            known = {option["name"] for option in command["options"]}
            before = words[:words.index("--")] if "--" in words else words
            found += [f"{path}:{number}: '{words[1]}' has no {word}" for word in before if word.startswith("--") and word[2:] not in known]
    tree.none(found)
    assert seen > 80


@pytest.mark.parametrize("path", [path for path in COMING_FROM if not path.endswith("index.md")])
def test_a_page_for_those_who_come_from_elsewhere_has_its_parts(path):
    text = tree.text(path)
    parts = re.findall(r"(?m)^## (.*)$", text)
    assert parts == ["What is different", "What is missing here", "To move a project"]
    assert re.search(r"(?m)^\| .* \| here \|$", text)
    assert len(text.splitlines()) < 75, "it has to fit one screen"


def test_the_groups_of_commands_name_commands(table):
    named = [name for _, group in command_pages.GROUPS for name in group]
    assert len(named) == len(set(named))
    tree.none([f"tools/site/commands.py:1: no command '{name}'" for name in named if table.get(name, {}).get("name") != name])


def test_the_generator_is_pinned_by_hashes():
    for block in re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", tree.text("tools/site/requirements.txt"))):
        assert re.match(r"[a-z][\w.-]*==\S+ \\\n", block) and "--hash=sha256:" in block, block


def test_the_chart_has_a_bar_for_each_row_in_seconds():
    text = tree.text("bench/results.md")
    image = xml.etree.ElementTree.fromstring(chart.svg(text).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))
    bars = image.findall("{*}rect[@class='bar']")
    assert len(bars) == len(chart.rows(text)) > 5
    assert all(float(bar.get("width")) > 0 for bar in bars)


def test_a_table_without_seconds_is_an_error():
    with pytest.raises(ValueError, match="no row with seconds"):
        chart.rows("| what | measured | goal |\n| --- | --- | --- |\n| disk | 3 MB | - |\n")


def test_the_manual_keeps_all_its_words():
    """From scdoc to HTML nothing is lost and no mark-up stays."""
    for path in MANUAL:
        text = tree.text(path)
        plain = re.sub(r"<[^>]+>", " ", manual.page(text))
        assert set(re.findall(r"[a-z]{3,}", text)) <= set(re.findall(r"[a-z]{3,}", plain))
        tree.none([f"{path}: {line}" for line in manual.page(text).splitlines() if re.search(r"(?<![\w*\\/.])\*(?=\w)|\t", line)
                   and "<code>" not in line and not line.startswith("#")])


@pytest.mark.parametrize("scdoc, wanted", [
    ("*machine* [_OPTION_...]", "<strong>machine</strong> [<em>OPTION</em>...]"),
    ("_a_b_ and c_d", "<em>a_b</em> and c_d"),
    ("\\*. and a<b", "*. and a&lt;b"),
])
def test_marks_of_the_manual(scdoc, wanted):
    assert manual.inline(scdoc) == wanted


@pytest.mark.parametrize("target, page, wanted", [
    ("recipes.md#optional-steps", "guide.md", "recipes.md#optional-steps"),
    ("../README.md", "threat-model.md", "index.md"),
    ("../bench/recipes.md", "coming-from/lima.md", "../measured.md"),
    ("#lima", "platforms.md", "#lima"),
    ("https://example.org/a", "guide.md", "https://example.org/a"),
    ("../guest/README.md", "guide.md", "https://forge.example/x/blob/HEAD/guest/README.md"),
])
def test_where_a_link_leads(target, page, wanted):
    assert links.Links("https://forge.example/x/").target("docs/guide.md", target, page) == wanted


def test_without_an_address_the_link_is_left_out_and_its_text_stays():
    text = "See [the `guest`](../guest/README.md) and `[x](../guest/README.md)`."
    assert links.Links("").rewrite(text, "docs/guide.md", "guide.md") == "See the `guest` and `[x](../guest/README.md)`."


def test_a_link_to_a_file_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="docs/guide.md: a link leads to 'nowhere.md'"):
        links.Links("").target("docs/guide.md", "nowhere.md", "guide.md")


def test_recordings_are_described_in_full():
    for path in tree.files("site/casts", suffixes=(".toml",)):
        wanted = tomllib.loads(tree.text(path))
        assert set(wanted) <= {"title", "columns", "folder", "setup", "clean_up", "commands"}
        assert wanted["title"] and wanted["folder"] and wanted["commands"]
        assert all(set(each) <= {"type", "status", "answers"} for each in wanted["commands"])
